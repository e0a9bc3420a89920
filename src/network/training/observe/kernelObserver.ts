import type { RegimeRecord, RunRecord, Snapshot, SnapshotName } from '../../../protocol/records.js';
import { principalPlane } from '../../models/particles.js';
import type * as tf from '../../tf.js';
import { probeInputs } from '../loop/batches.js';
import type { LastKernel, ObserverState } from '../loop/recorderState.js';
import type { TrainingSetup } from '../loop/setup.js';
import type { Stepper } from '../loop/stepper.js';
import type { TrainingForm } from '../loop/trainingForm.js';
import { effective, relativeGap } from '../regime/gaps.js';
import { regimeVerdict } from '../regime/regime.js';
import { isForeseen, RegimeWatch } from '../regime/regimeWatch.js';
import { leftOutOf } from '../twin/leftOut.js';
import type { LinearisedTwin } from '../twin/twin.js';
import type { Movement } from './movement.js';
import { isPredicted, type KernelPrediction, predictionOf, wholeStart } from './prediction.js';
import type { KernelMeasurement, KernelProbe } from './probe.js';
import type { SharpnessProbe } from './sharpness.js';

/** The run that is observed, as it stands before its first step. */
export interface Observed {
  readonly setup: TrainingSetup;
  /** What training does beyond descending along the loss. */
  readonly form: TrainingForm;
  readonly probe: KernelProbe;
  readonly stepper: Stepper;
  readonly movement: Movement;
  readonly predict: (x: tf.Tensor) => tf.Tensor2D;
  readonly twin: LinearisedTwin | null;
  /** Whether a linearisation is trained in the network's place. */
  readonly tangent: boolean;
  readonly sharpness: SharpnessProbe | null;
  readonly maxStep: number;
  /** Loss at the start, on the training set. */
  readonly initialLoss: number;
}

/** Where a run stands when it is looked at. */
export interface Standing {
  readonly step: number;
  readonly time: number;
  /** Whether the run ends here. */
  readonly over: boolean;
}

export interface KernelLook {
  readonly records: readonly RunRecord[];
  /** Columns that belong to the row of the same step. */
  readonly values: Readonly<Record<string, number>>;
}

/** What a run's kernels say: spectrum, modes, neurons, theory's course of the run, and the regime. */
export class KernelObserver {
  /** Theory's course of the run; null where there is none. */
  prediction: KernelPrediction | null | undefined;
  last: LastKernel | null = null;
  private readonly watch: RegimeWatch | null;
  private readonly plane: ReturnType<typeof principalPlane> | null;
  /** Whether the prediction is of plain descent from the kernel of all training inputs. */
  private predictsWhole = false;
  private initialCost = Number.NaN;
  private twinGap: number | undefined;
  private largestTwinGap: number | undefined;
  /** Whether the twin takes the run's own steps; a gap to one that does not says nothing about the network. */
  private readonly twinCounts: boolean;

  constructor(private readonly run: Observed) {
    const { built, definition } = run.setup;
    this.plane = definition.measure.particles && built.twoLayer ? principalPlane(built) : null;
    this.watch = this.watchOf();
    this.twinCounts = leftOutOf(definition, run.form) === null;
  }

  /** Kernel, spectrum, neurons and verdict; `before` is called between what is measured now and the look ahead. */
  async look({ step, time, over }: Standing, before: () => void): Promise<KernelLook> {
    const { movement } = this.run;
    const measured = await this.measure(step);
    const moved = movement.at(step).total;
    const records: RunRecord[] = this.snapshots(step, time, measured);
    const values = { movement: moved, ...this.columns(measured) };
    before();
    if (!over) await this.watch?.lookAhead();
    records.push(this.verdict(step, over, moved));
    return { records, values };
  }

  /** Measures the start of a run that goes on from a later step; without a state it goes through the run ahead from there. */
  async begin(state?: ObserverState | null): Promise<void> {
    await this.measure(0);
    if (!state) {
      await this.watch?.lookAhead();
      return;
    }
    this.last = state.last;
    this.twinGap = state.twinGap ?? undefined;
    this.largestTwinGap = state.largestTwinGap ?? undefined;
    if (state.watch) this.watch?.restore(state.watch);
  }

  state(): ObserverState {
    const { last, twinGap = null, largestTwinGap = null, watch } = this;
    return {
      last: last && { drift: last.drift, cost: last.cost, eigenvalues: last.eigenvalues },
      twinGap,
      largestTwinGap,
      watch: watch?.state() ?? null,
    };
  }

  /** Measures the kernel; the first measurement is what drift and modes refer to. */
  async measure(step: number): Promise<KernelMeasurement & { readonly outputs: Float32Array }> {
    const { probe, predict, twin, setup } = this.run;
    const outputs = probe.predict(predict);
    const measured = await probe.measure(outputs);
    this.prediction ??= isPredicted(setup.definition, this.run.form) ? await this.predictRun(outputs) : null;
    if (Number.isNaN(this.initialCost)) this.initialCost = measured.cost;
    if (twin) {
      this.twinGap = relativeGap(
        outputs,
        probe.predict((x) => twin.predict(x)),
      );
      this.largestTwinGap = Math.max(this.largestTwinGap ?? 0, this.twinGap);
    }
    const linearised = this.predictsWhole ? this.prediction?.onProbe(step) : undefined;
    this.watch?.follow(step, measured.kernelMatrix, outputs, linearised);
    this.last = measured;
    return { ...measured, outputs };
  }

  /** The regime by what was measured last, with the relative movement of now. */
  verdict(step: number, over: boolean, moved: number): RegimeRecord {
    const { setup, stepper, maxStep } = this.run;
    const { definition } = setup;
    const { last, watch } = this;
    const first = step === 0 || !last;
    const verdict = regimeVerdict({
      drift: first ? undefined : last.drift,
      movement: first ? undefined : moved,
      twinGap: first || !this.twinCounts ? undefined : this.largestTwinGap,
      // Before the first step a gap of nothing says nothing.
      gap: last && watch && !(first && watch.expected === undefined) ? watch.gap : undefined,
      expected: last && watch ? watch.expected : undefined,
      over,
      costRatio: first ? undefined : last.cost / this.initialCost,
      learningRate: stepper.learningRate,
      maxStep,
      optimizer: definition.optimizer.kind,
      loss: definition.loss,
      form: this.run.form,
      steps: step,
    });
    return { kind: 'regime', step, ...verdict };
  }

  /**
   * Whether the outputs can be held against theory's linearisation: of several outputs a finite network couples some that
   * the kernel, which is their mean, does not.
   */
  private get comparable(): boolean {
    const { definition, data } = this.run.setup;
    return (
      isPredicted(definition, this.run.form) && definition.optimizer.kind === 'sgd' && data.outputs === 1
    );
  }

  /** Follows the run by its kernels where they say how it goes, which a step above the stable one rules out. */
  private watchOf(): RegimeWatch | null {
    const { probe, setup, stepper, initialLoss, maxStep, tangent } = this.run;
    const { definition, data, built } = setup;
    const { learningRate, factors } = stepper;
    if (tangent || !isForeseen(definition, this.run.form) || learningRate > maxStep) return null;
    const whole = this.comparable && probe.size === data.train.size;
    return new RegimeWatch({
      model: built.model,
      probe,
      definition,
      factors,
      learningRate,
      initialLoss,
      whole,
      data,
      batch: definition.batch === 'full' ? data.train.size : definition.batch,
    });
  }

  /** Theory's course of the run, from the kernel on the whole training set where that is small enough. */
  private async predictRun(outputs: Float32Array): Promise<KernelPrediction> {
    const { probe, setup, stepper, predict, initialLoss } = this.run;
    const { built, data, definition } = setup;
    const whole = await wholeStart(built.model, data, stepper.factors, predict);
    const start = whole ?? probe.predictionStart(outputs);
    this.predictsWhole = whole !== null && this.comparable;
    const n = start.values.length;
    return predictionOf(definition.optimizer, {
      ...start,
      probeRows: whole ? probe.rows : probe.rows.map((_, i) => i),
      probeVectors: probe.initialVectors,
      rate: stepper.learningRate / (n * start.outputs),
      loss: initialLoss,
    });
  }

  private snapshots(
    step: number,
    time: number,
    measured: KernelMeasurement & { readonly outputs: Float32Array },
  ): Snapshot[] {
    const { probe, movement, setup } = this.run;
    const { size: P, outputs: O } = probe;
    const out: Snapshot[] = [];
    const add = (
      name: SnapshotName,
      shape: readonly number[],
      data: Float32Array | Float64Array | null | undefined,
      more: Pick<Snapshot, 'noiseFloor'> = {},
    ): void => {
      if (data) out.push({ kind: 'snapshot', name, step, time, shape, data, ...more });
    };
    add('eigenvalues', [P], measured.eigenvalues, { noiseFloor: measured.noiseFloor });
    add('energy', [P], measured.energy);
    add('residual', [P], measured.residual);
    add('predictedResidual', [P], this.prediction?.residual(step));
    add('kernel', [P, P], measured.kernel);
    add('eigenvectors', [measured.eigenvectors.rows, P], measured.eigenvectors.data);
    add('probeOutputs', [P, O], measured.outputs);
    const inputs = step === 0 ? probeInputs(setup.data, probe.rows) : null;
    add('probeInputs', [P, ...setup.data.inputShape], inputs);
    const { layers } = movement;
    const shares = Float64Array.from(layers, (layer) => measured.layerShare[layer] ?? 0);
    add('layerShare', [layers.length], shares);
    const { units } = movement.at(step);
    add('neuronMovement', [units?.length ?? 0], units);
    const particles = this.plane?.();
    add('particles', [(particles?.length ?? 0) / 3, 3], particles);
    return out;
  }

  private columns(measured: KernelMeasurement): Record<string, number> {
    const { probe, stepper, setup, sharpness, maxStep } = this.run;
    const { eigenvalues } = measured;
    const values: Record<string, number> = {
      drift: measured.drift,
      alignment: measured.alignment,
      cost: measured.cost / this.initialCost,
      lambdaMax: eigenvalues[0],
      lambdaMin: eigenvalues[eigenvalues.length - 1],
      stepBound: 2 / stepper.learningRate,
    };
    // Gauss-Newton part of the Hessian: the kernel's spectrum divided by n O; for one output the probe gives it as it is.
    if (sharpness) values['sharpness'] = sharpness.measure();
    else if (setup.definition.loss === 'mse' && probe.outputs === 1)
      values['sharpness'] = eigenvalues[0] / probe.size;
    if (Number.isFinite(maxStep)) values['maxStep'] = maxStep;
    if (this.twinGap !== undefined) values['twinGap'] = this.twinGap;
    if (setup.built.twoLayer) values['effectiveNeurons'] = effective(setup.built);
    return values;
  }
}
