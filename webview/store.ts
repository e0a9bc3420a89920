import { SeriesStore } from '../src/core/series/index.js';
import type {
  NoteRecord,
  Regime,
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

/** What the page holds of one run: bounded metrics columns, every measured array, what was said. */
export class RunData {
  status: RunStatus;
  ended: RunEnded | undefined;
  regime: RegimeRecord | undefined;
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
    if (metrics.step.length > 0)
      this.metrics.append({ step: metrics.step, time: metrics.time, ...metrics.columns });
    for (const snapshot of snapshots) this.addSnapshot(snapshot);
    for (const event of events) {
      if (event.kind === 'regime') this.regime = event;
      else this.notes.push(event);
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

  /** Newest finite or non-finite value of a column; null when it was never measured. */
  last(name: string): number | null {
    const value = this.metrics.last(name);
    return this.metrics.names.includes(name) && !Number.isNaN(value) ? value : null;
  }

  /** Value of a column at the last measured step not after `step`. */
  at(name: string, step: number): number | null {
    const data = this.column(name);
    if (!data) return null;
    let low = 0;
    let high = data.step.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (data.step[middle] <= step) low = middle + 1;
      else high = middle;
    }
    return low > 0 ? data.values[low - 1] : null;
  }

  snapshots(name: string): readonly Snapshot[] {
    return this.arrays.get(name) ?? [];
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
    return this.info.layers.filter((layer) => this.column(`movement.${layer}`) !== undefined);
  }

  get regimeName(): Regime {
    return this.regime?.regime ?? 'undetermined';
  }

  private addSnapshot(snapshot: Snapshot): void {
    const all = this.arrays.get(snapshot.name) ?? [];
    this.arrays.set(snapshot.name, all);
    const last = all[all.length - 1];
    if (last && last.step >= snapshot.step) {
      const at = all.findIndex((s) => s.step >= snapshot.step);
      all.splice(at, all[at].step === snapshot.step ? 1 : 0, snapshot);
    } else all.push(snapshot);
  }
}
