import { lowerBound, repeatsFirst, SeriesStore } from '../src/core/series/index.js';
import type {
  NoteRecord,
  RegimeRecord,
  RunEnded,
  RunStarted,
  RunStatus,
  Snapshot,
} from '../src/protocol/records.js';
import type { MetricsFrame } from '../src/protocol/trainerWire.js';

export interface ColumnData {
  readonly step: Float64Array;
  readonly values: Float64Array;
}

/** Values a page keeps of one run: some 10,000 rows, four times what the widest chart shows; the host has the rest. */
const pageBudget = 2 ** 17;

/** Arrays kept of each name, and verdicts and notes: more than any default run has. */
const mostArrays = 64;
const mostEvents = 200;

/** What the page holds of one run: bounded metrics columns, every measured array, what was said. */
export class RunData {
  status: RunStatus;
  ended: RunEnded | undefined;
  readonly regimes: RegimeRecord[] = [];
  readonly notes: NoteRecord[] = [];
  private readonly metrics = new SeriesStore(pageBudget);
  /** Copies of columns, valid for one version. */
  private readonly copies = new Map<string, { version: number; data: ColumnData }>();
  private readonly arrays = new Map<string, Snapshot[]>();
  /** Raised with every new row, and with every new array. */
  version = 0;
  arraysVersion = 0;

  constructor(
    readonly info: RunStarted,
    status: RunStatus,
    ended?: RunEnded,
  ) {
    this.status = status;
    this.ended = ended;
  }

  get label(): string {
    return this.info.name || this.info.run;
  }

  append(
    metrics: MetricsFrame,
    snapshots: readonly Snapshot[],
    events: readonly (RegimeRecord | NoteRecord)[],
  ): void {
    if (repeatsFirst(metrics.step, this.metrics)) this.metrics.clear();
    if (metrics.step.length > 0)
      this.metrics.append({ step: metrics.step, time: metrics.time, ...metrics.columns });
    for (const snapshot of snapshots) this.addSnapshot(snapshot);
    for (const event of events) {
      const list: (RegimeRecord | NoteRecord)[] = event.kind === 'regime' ? this.regimes : this.notes;
      list.push(event);
      if (list.length > mostEvents) list.splice(1, 1);
    }
    if (snapshots.length + events.length > 0) this.arraysVersion++;
    this.version++;
  }

  /** A metrics column over the steps where it was measured, or undefined when it never was. */
  column(name: string): ColumnData | undefined {
    if (!this.metrics.names.includes(name)) return undefined;
    const copy = this.copies.get(name);
    if (copy?.version === this.version) return copy.data;
    const step = name === 'step' ? undefined : this.column('step')?.step;
    const values = this.metrics.column(name);
    const data = { step: step ?? values, values };
    this.copies.set(name, { version: this.version, data });
    return data;
  }

  /** Whether a column holds anything. */
  measured(name: string): boolean {
    return this.metrics.names.includes(name);
  }

  /** Newest finite or non-finite value of a column; null when it was never measured. */
  last(name: string): number | null {
    const value = this.metrics.last(name);
    return this.metrics.names.includes(name) && !Number.isNaN(value) ? value : null;
  }

  /** Value of a column at the last step not after `step` where it was measured; null before the first one. */
  near(name: string, step: number): number | null {
    const data = this.column(name);
    if (!data) return null;
    let i = lowerBound(data.step, step);
    if (i === data.step.length || data.step[i] > step) i--;
    while (i >= 0 && Number.isNaN(data.values[i])) i--;
    return i >= 0 ? data.values[i] : null;
  }

  snapshots(name: string): readonly Snapshot[] {
    return this.arrays.get(name) ?? [];
  }

  has(name: string): boolean {
    return this.arrays.has(name);
  }

  firstSnapshot(name: string): Snapshot | undefined {
    return this.arrays.get(name)?.[0];
  }

  /** The last array measured not after `step`; the newest when `step` is null. */
  snapshotAt(name: string, step: number | null): Snapshot | undefined {
    const all = this.arrays.get(name);
    if (!all || all.length === 0) return undefined;
    if (step === null) return all[all.length - 1];
    let found: Snapshot | undefined;
    for (const snapshot of all) {
      if (snapshot.step > step) break;
      found = snapshot;
    }
    return found;
  }

  /** Steps at which eigenvalues were measured, for the scrubber. */
  measuredSteps(): readonly number[] {
    return this.snapshots('eigenvalues').map((s) => s.step);
  }

  movementLayers(): readonly string[] {
    return this.info.layers.filter((layer) => this.measured(`movement.${layer}`));
  }

  /** The newest step that anything is known of. */
  get lastStep(): number {
    const measured = this.measuredSteps();
    return Math.max(this.last('step') ?? 0, measured[measured.length - 1] ?? 0);
  }

  /** The newest verdict. */
  get regime(): RegimeRecord | undefined {
    return this.regimes[this.regimes.length - 1];
  }

  /** The last verdict given not after `step`; the newest when `step` is null. */
  regimeAt(step: number | null): RegimeRecord | undefined {
    if (step === null) return this.regime;
    let found: RegimeRecord | undefined = this.regimes[0];
    for (const record of this.regimes) if (record.step <= step) found = record;
    return found;
  }

  /** Whether diagnostics were left out to keep their cost down. */
  get throttled(): boolean {
    return this.notes.some((note) => note.throttle === true);
  }

  /** Rows and arrays held; bounded for any length of the run. */
  get held(): { readonly rows: number; readonly arrays: number; readonly events: number } {
    let arrays = 0;
    for (const all of this.arrays.values()) arrays += all.length;
    return { rows: this.metrics.length, arrays, events: this.regimes.length + this.notes.length };
  }

  get live(): boolean {
    return this.status === 'running' || this.status === 'paused';
  }

  private addSnapshot(snapshot: Snapshot): void {
    const all = this.arrays.get(snapshot.name) ?? [];
    this.arrays.set(snapshot.name, all);
    const last = all[all.length - 1];
    if (last && last.step >= snapshot.step) {
      const at = all.findIndex((s) => s.step >= snapshot.step);
      all.splice(at, all[at].step === snapshot.step ? 1 : 0, snapshot);
    } else all.push(snapshot);
    if (all.length > mostArrays) thin(all);
  }
}

/** Drops the array, neither the first nor the last, whose neighbours lie closest together in the logarithm of the step. */
function thin(all: Snapshot[]): void {
  let best = 1;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 1; i < all.length - 1; i++) {
    const gap = Math.log1p(all[i + 1].step) - Math.log1p(all[i - 1].step);
    if (gap < least) {
      least = gap;
      best = i;
    }
  }
  all.splice(best, 1);
}
