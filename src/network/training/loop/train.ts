import type { MetricsRow, NoteRecord, RunRecord } from '../../../protocol/records.js';
import type * as tf from '../../tf.js';
import { KernelObserver } from '../observe/kernelObserver.js';
import { LandscapeRecorder, landscapeRecords } from '../observe/landscape.js';
import { Movement } from '../observe/movement.js';
import { KernelProbe } from '../observe/probe.js';
import { SharpnessProbe } from '../observe/sharpness.js';
import { leftOutOf } from '../twin/leftOut.js';
import { tangentOf } from '../twin/tangentTraining.js';
import { LinearisedTwin } from '../twin/twin.js';
import { Batches } from './batches.js';
import { type Checkpoint, readCheckpoint, takeCheckpoint } from './checkpoint.js';
import { requireBounded } from './divergence.js';
import { Evaluator } from './evaluate.js';
import type { RecorderState } from './recorderState.js';
import {
  checkpointCadence,
  evaluatesAt,
  evaluationCadence,
  kernelSteps,
  metricsCadence,
} from './schedule.js';
import type { TrainControl, TrainingSetup, TrainingSummary } from './setup.js';
import { Stepper } from './stepper.js';
import { chosenStep, largestStep } from './stepSize.js';
import { Throttle } from './throttle.js';
import { notesOn, type TrainingForm, trainingForm } from './trainingForm.js';
import { yieldToEventLoop } from './yieldToEventLoop.js';

/** Milliseconds of work after which messages (pause, stop) are let in. */
const yieldAfter = 40;
/** Training samples that are evaluated on the way in minibatch runs; the summary takes them all. */
const sampled = 2048;

/** Training samples on which the loss landscape is evaluated. */
const landscapeSamples = 512;

const throttleNote = (step: number): NoteRecord => ({
  kind: 'note',
  step,
  level: 'info',
  throttle: true,
  text: 'Kernels are measured less often than planned, because measuring takes more than a tenth of the training time. Training itself is not touched.',
});

/**
 * Trains a model and yields everything measured on the way: metrics rows at a fixed cadence, kernels at log-spaced
 * steps. Ends early when `signal` aborts (the summary says `stopped`). Throws a DivergedError when the loss leaves the
 * finite numbers. The same seed on the same backend yields the same records.
 */
export async function* train(
  setup: TrainingSetup,
  control: TrainControl = {},
): AsyncGenerator<RunRecord, TrainingSummary> {
  const session = new Session(setup);
  try {
    return yield* session.run(control);
  } finally {
    session.dispose();
  }
}

class Session {
  private readonly model: tf.LayersModel;
  private readonly stepper: Stepper;
  private readonly probe: KernelProbe | null;
  private readonly movement: Movement;
  private sharpness: SharpnessProbe | null = null;
  private readonly batches: Batches;
  private readonly form: TrainingForm;
  private readonly trainSet: Evaluator;
  private readonly testSet: Evaluator | null;
  private twin: LinearisedTwin | null = null;
  /** The linearisation that is trained in the network's place, under `train: 'tangent'`. */
  private readonly tangent: LinearisedTwin | null;
  private readonly predict: (x: tf.Tensor) => tf.Tensor2D;
  private time = 0;
  private maxStep = Number.NaN;
  private initialLoss = Number.NaN;
  private kernels: KernelObserver | null = null;
  /** Columns that come with a kernel; they join the row of their step, so that a step has one row. */
  private kernelValues: Readonly<Record<string, number>> | null = null;
  private diagnostics = 0;
  /** Milliseconds of the last kernel measurement. */
  private kernelCost = 0;
  private throttle: Throttle | null = null;
  private landscape: LandscapeRecorder | null = null;
  private readonly startedAt = performance.now();

  constructor(private readonly setup: TrainingSetup) {
    const { built, data, definition } = setup;
    this.model = built.model;
    const rate = definition.optimizer.learningRate;
    this.stepper = new Stepper(built, definition, rate === 'auto' ? Number.NaN : rate, setup.sabotage);
    this.tangent = tangentOf(setup, this.stepper);
    const { tangent } = this;
    this.predict = tangent ? (x) => tangent.predict(x) : (x) => this.stepper.predict(x);
    const wanted = definition.measure.kernels ?? 24;
    const needed = wanted > 0 || rate === 'auto' || definition.measure.every;
    this.probe = needed ? new KernelProbe(this.model, data, definition.probe, this.stepper.factors) : null;
    this.movement = new Movement(this.model);
    if (tangent) this.movement.follow((variable) => tangent.valuesOf(variable));
    this.batches = new Batches(data, definition.batch, definition.seed);
    this.form = trainingForm(this.model, this.batches.at(0).x);
    this.trainSet = new Evaluator(data.train, data, definition.loss);
    this.testSet = data.test.size > 0 ? new Evaluator(data.test, data, definition.loss) : null;
  }

  async *run(control: TrainControl): AsyncGenerator<RunRecord, TrainingSummary> {
    const { data, definition, resume } = this.setup;
    const { steps, measure } = definition;
    yield* this.prepare(control);
    if (control.throttle) this.throttle = new Throttle(control.throttle);
    const kernelAt = this.probe
      ? kernelSteps(steps, measure.kernels ?? 24, measure.every)
      : new Set<number>();
    const rowEvery = metricsCadence(steps, measure.metricsEvery);
    const saveEvery = checkpointCadence(steps, measure.checkpointEvery);
    const { size, full } = this.batches;
    // Dropout and statistics of the batch make the loss of a step another than that of the weights.
    const exact = full && !this.form.differs;
    const evaluated = data.test.size + Math.min(data.train.size, full ? data.train.size : sampled);
    const evaluateEvery = evaluationCadence(steps, rowEvery, size, evaluated);
    let step = resume?.step ?? 0;
    let lastYield = performance.now();
    // What a checkpoint was taken after has been told already.
    let told = { kernel: resume !== undefined, row: resume !== undefined, ...resume?.recorder?.told };
    const ended = resume?.recorder?.over ?? false;
    for (; ; step++, told = { kernel: false, row: false }) {
      if (performance.now() - lastYield > yieldAfter) {
        await yieldToEventLoop();
        lastYield = performance.now();
      }
      await control.gate?.(step);
      const fresh = resume === undefined || step > resume.step;
      const aborted = control.signal?.aborted === true;
      let done = ended || step >= steps || this.outOfTime();
      const saves = step > 0 && step % saveEvery === 0;
      if (!told.kernel && (done || kernelAt.has(step))) {
        if (done || this.affords(step, kernelAt)) yield* await this.kernelRecords(step, done);
        else if (this.throttle?.skipped === 1) yield throttleNote(step);
        told.kernel = true;
      }
      if (
        !told.row &&
        (done || evaluatesAt(step, rowEvery, evaluateEvery) || (saves && step % rowEvery === 0))
      ) {
        const row = this.row(step);
        yield row;
        told.row = true;
        if (!exact) done ||= this.reached(row.values['loss']);
      }
      if (saves && fresh && !done) await control.onCheckpoint?.(this.checkpoint(step, { told }), true);
      if (!done && aborted) {
        // Taken before anything that only the interrupt adds, so that a run that goes on from here knows nothing of it.
        if (fresh && !saves) await control.onCheckpoint?.(this.checkpoint(step, { told }), false);
        if (!told.kernel) yield* await this.kernelRecords(step, false);
        if (!told.row) yield this.row(step);
        return this.summary(step, true);
      }
      if (!done) {
        const time = this.time;
        // Then the gradient brings the exact loss of these weights, so a run can stop before the step.
        const { loss, taken } = this.step(step, exact);
        done = !taken;
        if (!done && !told.row && (step % rowEvery === 0 || this.kernelValues)) {
          const values = { loss, ...this.kernels?.prediction?.loss(step), ...this.takeKernelValues() };
          yield { kind: 'metrics', step, time, values };
        }
      }
      if (done) {
        if (!told.kernel) yield* await this.kernelRecords(step, true);
        if (!told.row) yield this.row(step);
        if (!ended)
          await control.onCheckpoint?.(
            this.checkpoint(step, { told: { kernel: true, row: true }, over: true }),
            true,
          );
        yield* this.measureLandscape(step);
        return this.summary(step, false);
      }
    }
  }

  private checkpoint(
    step: number,
    { told, over = false }: Pick<RecorderState, 'told'> & { readonly over?: boolean },
  ): Checkpoint {
    const { kernelValues, kernels, landscape } = this;
    const taken = takeCheckpoint(this.model, this.stepper, step, this.time, this.tangent ?? this.twin);
    return {
      ...taken,
      recorder: {
        told,
        over,
        kernelValues,
        observer: kernels?.state() ?? null,
        places: landscape?.state() ?? null,
      },
    };
  }

  /** Chooses the step size, measures the start, resumes from a checkpoint. */
  private async *prepare(control: TrainControl): AsyncGenerator<RunRecord> {
    const { data, definition, resume, sabotage } = this.setup;
    // A run that goes on has said all this at its start.
    const notes = resume === undefined;
    const { optimizer } = definition;
    if (this.probe) this.maxStep = await largestStep(this.probe, definition, this.predict);
    if (optimizer.learningRate === 'auto') {
      const { rate, note } = chosenStep(definition, this.maxStep, this.probe?.size ?? 0);
      this.stepper.learningRate = rate;
      if (notes) yield { kind: 'note', step: 0, level: 'info', text: note };
    }
    for (const text of notes ? notesOn(this.form) : []) yield { kind: 'note', step: 0, level: 'info', text };
    if (definition.measure.twin && !this.tangent) {
      const momentum = optimizer.kind === 'momentum' ? (optimizer.momentum ?? 0.9) : 0;
      this.twin = new LinearisedTwin(this.model, definition.loss, this.stepper.factors, sabotage, momentum);
      const text = leftOutOf(definition, this.form);
      if (text && notes) yield { kind: 'note', step: 0, level: 'info', text };
    }
    if (definition.measure.sharpness && this.probe && !this.tangent) {
      this.sharpness = new SharpnessProbe(this.setup, this.stepper.factors);
      if (this.sharpness.note && notes)
        yield { kind: 'note', step: 0, level: 'info', text: this.sharpness.note };
    }
    if (definition.measure.landscape && this.probe && !this.tangent) {
      const weights = this.model.trainableWeights.map((w) => w.read() as tf.Variable);
      this.landscape = new LandscapeRecorder(weights);
      if (!this.landscape.feasible && notes)
        yield {
          kind: 'note',
          step: 0,
          level: 'warning',
          text: `The loss landscape of ${this.model.countParams()} weights is too large to measure; it is left out.`,
        };
    }
    this.initialLoss = this.trainSet.evaluate(this.predict).loss;
    const { probe, stepper, movement, predict, twin, sharpness, maxStep, initialLoss } = this;
    if (probe)
      this.kernels = new KernelObserver({
        setup: this.setup,
        form: this.form,
        probe,
        stepper,
        movement,
        predict,
        twin,
        tangent: this.tangent !== null,
        sharpness,
        maxStep,
        initialLoss,
      });
    control.onReady?.({
      learningRate: this.stepper.learningRate,
      maxStep: this.maxStep,
      loss: initialLoss,
      parameters: this.model.countParams(),
      layers: this.movement.layers,
      probe: this.probe?.size ?? 0,
      probeRows: this.probe?.rows ?? [],
      probeLabels:
        this.probe && data.train.labels
          ? Array.from(this.probe.rows, (i) => (data.train.labels as Int32Array)[i])
          : [],
    });
    if (resume) {
      // The start is what drift and modes refer to, so it is measured again before the weights are set.
      await this.kernels?.begin(resume.recorder?.observer);
      readCheckpoint(this.model, this.stepper, resume);
      const twin = this.tangent ?? this.twin;
      if (twin && resume.twin) twin.restore(resume.twin);
      else if (twin)
        yield {
          kind: 'note',
          step: resume.step,
          level: 'warning',
          text: 'The checkpoint holds no linearised twin: the twin starts again and its gap means nothing from here on.',
        };
      this.time = resume.time;
      this.kernelValues = resume.recorder?.kernelValues ?? null;
      if (resume.recorder?.places) this.landscape?.restore(resume.recorder.places);
    }
  }

  private outOfTime(): boolean {
    const time = this.setup.definition.stop?.time;
    // Half a step of slack: the sum of step sizes carries rounding.
    return time !== undefined && this.time + this.stepper.learningRate / 2 > time;
  }

  private reached(loss: number): boolean {
    const stop = this.setup.definition.stop;
    if (!stop) return false;
    if (stop.loss !== undefined && loss <= stop.loss) return true;
    return stop.lossFraction !== undefined && loss <= stop.lossFraction * this.initialLoss;
  }

  /** Takes one step unless the loss before it, exact when `exact`, says that the run is over. */
  private step(step: number, exact: boolean): { loss: number; taken: boolean } {
    const { x, y } = this.batches.at(step);
    let loss = Number.NaN;
    let taken = true;
    const accept = (value: number): boolean => {
      loss = value;
      const rate = this.stepper.learningRate;
      requireBounded(loss, { step, rate, initialLoss: this.initialLoss, maxStep: this.maxStep });
      taken = !(exact && this.reached(loss));
      return taken;
    };
    if (this.tangent) this.tangent.step(x, y, this.stepper.learningRate, accept);
    else this.stepper.step(x, y, accept).dispose();
    if (!taken) return { loss, taken };
    if (this.twin) {
      const start = performance.now();
      this.twin.step(x, y, this.stepper.learningRate);
      this.diagnostics += performance.now() - start;
    }
    this.time += this.stepper.learningRate;
    return { loss, taken };
  }

  /** A metrics row with everything evaluated: loss and accuracy on both sets, movement, twin. */
  private row(step: number): MetricsRow {
    const values: Record<string, number> = {};
    const start = performance.now();
    // Minibatch runs on large sets: the first samples stand for the training set until the summary.
    const most = this.batches.full ? Number.POSITIVE_INFINITY : sampled;
    const now = this.trainSet.evaluate(this.predict, most);
    values['loss'] = now.loss;
    if (now.accuracy !== null) values['trainAccuracy'] = now.accuracy;
    const test = this.testSet?.evaluate(this.predict);
    if (test) values['testLoss'] = test.loss;
    if (test && test.accuracy !== null) values['accuracy'] = test.accuracy;
    const moved = this.movement.at(step);
    values['movement'] = moved.total;
    for (const [layer, value] of Object.entries(moved.layers)) values[`movement.${layer}`] = value;
    if (this.twin) {
      const twin = this.twin;
      const predict = (x: tf.Tensor) => twin.predict(x);
      values['twinLoss'] = this.trainSet.evaluate(predict, most).loss;
      const twinTest = this.testSet?.evaluate(predict);
      if (twinTest) values['twinTestLoss'] = twinTest.loss;
      if (twinTest && twinTest.accuracy !== null) values['twinAccuracy'] = twinTest.accuracy;
    }
    this.diagnostics += performance.now() - start;
    Object.assign(values, this.kernels?.prediction?.loss(step), this.takeKernelValues(), { tax: this.tax() });
    return { kind: 'metrics', step, time: this.time, values };
  }

  /** What the kernel of this step said, for the row of the same step; once. */
  private takeKernelValues(): Readonly<Record<string, number>> | null {
    const values = this.kernelValues;
    this.kernelValues = null;
    return values;
  }

  /** What the kernel says at a step. Collected, not yielded: the reader's time is no diagnostics. */
  private async kernelRecords(step: number, over: boolean): Promise<readonly RunRecord[]> {
    if (!this.kernels) return [];
    const start = performance.now();
    const { records, values } = await this.kernels.look({ step, time: this.time, over }, () => {
      this.landscape?.keep(step);
      this.kernelCost = performance.now() - start;
    });
    this.kernelValues = { ...values, tax: this.tax() };
    this.diagnostics += performance.now() - start;
    return records;
  }

  /** Whether the kernel that is due is measured. The start always is: everything refers to it. */
  private affords(step: number, kernelAt: ReadonlySet<number>): boolean {
    if (!this.throttle || !this.kernels?.last) return true;
    let due = 0;
    for (const s of kernelAt) if (s >= step) due++;
    const { steps } = this.setup.definition;
    const elapsed = performance.now() - this.startedAt;
    return this.throttle.allows({
      spent: this.diagnostics,
      trained: elapsed - this.diagnostics,
      cost: this.kernelCost,
      step,
      steps,
      due,
    });
  }

  /** Loss over the weights around the run, as far as it was asked for. */
  private measureLandscape(step: number): RunRecord[] {
    if (!this.landscape) return [];
    const start = performance.now();
    const found = this.landscape.measure(() => this.trainSet.evaluate(this.predict, landscapeSamples).loss);
    this.diagnostics += performance.now() - start;
    return found ? landscapeRecords(found, step, this.time) : [];
  }

  /** Share of the run's wall time spent on diagnostics. */
  private tax(): number {
    const all = performance.now() - this.startedAt;
    return all > 0 ? Math.min(1, this.diagnostics / all) : 0;
  }

  private summary(step: number, stopped: boolean): TrainingSummary {
    const train = this.trainSet.evaluate(this.predict);
    const test = this.testSet?.evaluate(this.predict) ?? null;
    const moved = this.movement.at(step);
    return {
      step,
      stopped,
      loss: { train: train.loss, test: test?.loss ?? null },
      accuracy: test?.accuracy ?? null,
      drift: this.kernels?.last?.drift ?? null,
      movement: moved.layers,
      regime: this.kernels?.verdict(step, !stopped, moved.total).regime ?? 'undetermined',
      eigenvalues: this.kernels?.last?.eigenvalues ?? new Float64Array(0),
    };
  }

  dispose(): void {
    this.stepper.dispose();
    this.probe?.dispose();
    this.sharpness?.dispose();
    this.batches.dispose();
    this.trainSet.dispose();
    this.testSet?.dispose();
    this.twin?.dispose();
    this.tangent?.dispose();
  }
}
