import { regimeVerdict } from '../../network/training/regime/regime.js';
import type { NoteRecord, RegimeRecord, RunEnded, RunStarted, Snapshot } from '../../protocol/records.js';
import type { CopiedTensor, ForeignModel, ForeignOptimizer, ForeignTensor } from '../preload/foreign.js';
import type { Budget } from './budget.js';
import type { Kernels } from './kernels.js';
import type { ProbeSet } from './probe.js';
import { Progress } from './progress.js';
import type { Recording } from './record.js';
import { Rows } from './rows.js';
import { Validation } from './validation.js';
import type { Weights } from './weights.js';

/** Kernels are due at steps that are so many times the last. */
const growth = 1.35;
/** Steps that a training may take before its folder is made, while there are too few inputs to look with. */
const gatherSteps = 64;

/** Milliseconds that the last kernel may take in any case. */
const lastLook = 250;

/** What is known of a training before its first step. */
export interface ScopeFacts {
  readonly budget: Budget;
  readonly model: ForeignModel | null;
  readonly weights: Weights;
  readonly kernels: Kernels | null;
  readonly optimizer: ForeignOptimizer | null;
  /** Makes the run folder. */
  readonly open: (facts: Pick<RunStarted, 'probe' | 'outputs'>) => Recording;
}

/** One training that is watched: its steps, what is measured between them, and its run folder. */
export class Scope {
  private step = 0;
  private time = 0;
  private recording: Recording | null = null;
  private readonly rows = new Rows();
  private readonly progress = new Progress();
  private readonly validation: Validation;
  private rowCost = 0.2;
  private nextRow = 0;
  private nextLook = 1;
  private thinned = false;
  /** Somebody asked for a kernel, whatever it costs. */
  asked = false;
  private verdict: Omit<RegimeRecord, 'kind' | 'step'> | null = null;
  private drift: number | null = null;
  private gradients: Readonly<Record<string, number>> = {};
  private readonly startedAt = performance.now();

  constructor(private readonly facts: ScopeFacts) {
    this.validation = new Validation(facts.model);
  }

  get probe(): ProbeSet | null {
    return this.facts.kernels?.probe ?? null;
  }

  /** Whether inputs are still looked for. */
  get gathers(): boolean {
    return this.probe !== null && !this.probe.ready;
  }

  /** Whether the loss of the next step is read. */
  get reads(): boolean {
    return this.asked || this.rowDue(this.step + 1) || this.step + 1 >= this.nextLook;
  }

  /** Before a step: makes the folder and looks at the start as soon as there are inputs to look with. */
  before(): void {
    if (!this.recording && this.probe?.ready) this.facts.budget.count(() => this.open());
  }

  /** The gradients of the step that is being taken. */
  gradientsOf(gradients: readonly (readonly [string, ForeignTensor])[]): void {
    const { budget, weights } = this.facts;
    this.gradients = {};
    if (!this.rowDue(this.step + 1)) return;
    budget.countRow(() => {
      this.gradients = weights.gradientNorms(gradients);
      return 0;
    });
  }

  /** After a step; `read` gives its loss and metrics. */
  after(read: () => Readonly<Record<string, number>>): void {
    const { budget, optimizer } = this.facts;
    this.step++;
    const rate = optimizer?.learningRate;
    this.time += typeof rate === 'number' && Number.isFinite(rate) ? rate : 1;
    const patient = this.gathers && this.step < gatherSteps;
    if (!this.recording && !patient) budget.count(() => this.open());
    const row = this.asked || this.rowDue(this.step);
    if (!row && !this.lookDue) return;
    const cost = budget.countRow(() => {
      const values = read();
      this.progress.add(values['loss']);
      this.row({ ...values, ...this.gradients, ...this.validation.fresh(), tax: budget.tax });
      if (!this.lookDue || !this.recording) return 0;
      const looking = this.look(false);
      // Who asked for it waits for it.
      if (this.asked) this.rows.flush();
      this.asked = false;
      return looking;
    });
    if (!row) return;
    this.rowCost = 0.5 * this.rowCost + 0.5 * cost;
    this.nextRow = this.step + Math.max(1, Math.floor(this.step / 500));
  }

  /** Looks a last time where there is time for it, and closes the folder. */
  end(status: RunEnded['status'], message?: string): void {
    const { budget, weights, kernels } = this.facts;
    if (this.step === 0) return;
    let movement: Readonly<Record<string, number>> = {};
    try {
      if (!this.recording) this.open();
      if (this.validation.changed) this.row(this.validation.fresh());
      const cost = kernels?.cost ?? 0;
      if (status === 'finished' && (cost < lastLook || budget.affords(cost))) this.look(true);
      movement = weights.movement().layers;
    } catch {
      // The program may have disposed its weights.
    }
    this.rows.flush();
    const { testLoss, accuracy } = this.validation.last;
    this.recording?.end({
      status,
      step: this.step,
      ...(message === undefined ? {} : { message }),
      summary: {
        loss: { train: this.progress.last, test: testLoss ?? null },
        accuracy: accuracy ?? null,
        drift: this.drift,
        movement,
        regime: this.verdict?.regime ?? 'undetermined',
        seconds: (performance.now() - this.startedAt) / 1000,
      },
    });
  }

  private rowDue(step: number): boolean {
    return step >= this.nextRow && this.facts.budget.affordsRow(this.rowCost);
  }

  /** Held between two steps, or not any more. */
  status(status: 'running' | 'paused'): void {
    if (status === 'paused') this.rows.flush();
    this.recording?.status(status);
  }

  private get lookDue(): boolean {
    if (this.asked) return true;
    return this.step >= this.nextLook && this.facts.budget.affords(this.facts.kernels?.cost ?? 0);
  }

  /** Makes the run folder and measures the kernel at the start. */
  private open(): void {
    const { kernels } = this.facts;
    const notes: NoteRecord[] = [];
    const first = kernels?.start(this.step > 0, (level, text) =>
      notes.push({ kind: 'note', step: 0, level, text }),
    );
    if (!kernels)
      notes.push({
        kind: 'note',
        step: 0,
        level: 'info',
        text: 'There is no kernel: this program trains variables without a model.',
      });
    const outputs = kernels?.outputs ?? 0;
    const size = first ? (kernels?.probe.size ?? 0) : 0;
    const labels = first ? (kernels?.labels() ?? []) : [];
    const recording = this.facts.open({ outputs, probe: { size, outputs, labels } });
    this.recording = recording;
    const values = { ...first?.values, movement: 0 };
    const picture = first ? pictureOf(kernels?.probe.inputs ?? null) : null;
    this.rows.open(
      (record) => recording.record(record),
      [
        { kind: 'metrics', step: 0, time: 0, values },
        ...(first?.snapshots ?? []),
        ...(picture ? [picture] : []),
        ...notes,
      ],
    );
  }

  /** Movement, kernel and regime now; returns its milliseconds. */
  private look(over: boolean): number {
    const { kernels, weights, budget } = this.facts;
    const start = performance.now();
    const { layers, total } = weights.movement();
    const values: Record<string, number> = { movement: total };
    for (const [layer, moved] of Object.entries(layers)) values[`movement.${layer}`] = moved;
    const spectrum = kernels?.now(this.step, this.time, (level, text) => this.note(level, text)) ?? null;
    this.row({ ...values, ...spectrum?.values });
    for (const snapshot of spectrum?.snapshots ?? []) this.rows.add(snapshot);
    if (spectrum) this.tell(spectrum.drift, total, over);
    this.nextLook = Math.max(this.step + 1, Math.ceil(this.step * growth));
    if (!this.thinned && !budget.affords((kernels?.cost ?? 0) + performance.now() - start)) {
      this.thinned = true;
      this.note(
        'info',
        'Kernels are measured less often, because measuring takes more than a tenth of the training time. Training itself is not touched.',
        true,
      );
    }
    return performance.now() - start;
  }

  /** The regime by what was measured now. */
  private tell(drift: number, movement: number, over: boolean): void {
    const optimizer = this.facts.optimizer?.getClassName().toLowerCase();
    this.drift = drift;
    this.verdict =
      this.progress.left === null
        ? { regime: 'undetermined', reasons: ['Too little has been learnt to tell the regime.'] }
        : regimeVerdict({
            drift,
            movement,
            steps: this.step,
            over,
            ...(optimizer === undefined ? {} : { optimizer }),
          });
    this.rows.add({ kind: 'regime', step: this.step, ...this.verdict });
  }

  private row(values: Readonly<Record<string, number>>): void {
    this.rows.add({ kind: 'metrics', step: this.step, time: this.time, values });
  }

  private note(level: NoteRecord['level'], text: string, throttle?: boolean): void {
    this.rows.add({ kind: 'note', step: this.step, level, text, ...(throttle ? { throttle } : {}) });
  }
}

/** The inputs themselves, where they are small enough to be looked at. */
function pictureOf(inputs: readonly CopiedTensor[] | null): Snapshot | null {
  const first = inputs?.length === 1 ? inputs[0] : null;
  if (first?.dtype !== 'float32' || first.values.length > 2 ** 18) return null;
  const { shape, values } = first;
  return {
    kind: 'snapshot',
    name: 'probeInputs',
    step: 0,
    time: 0,
    shape,
    data: Float32Array.from(values),
  };
}
