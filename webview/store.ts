import { type ColumnStore, createColumnStore } from '../src/core/series/index.js';
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

/** What the page holds of one run: bounded metrics columns, every measured array, what was said. */
export class RunData {
  status: RunStatus;
  ended: RunEnded | undefined;
  regime: RegimeRecord | undefined;
  readonly notes: NoteRecord[] = [];
  private metrics: ColumnStore;
  private readonly arrays = new Map<string, Snapshot[]>();
  /** Raised with everything that changes a picture. */
  version = 0;

  constructor(
    readonly info: RunStarted,
    status: RunStatus,
    ended?: RunEnded,
  ) {
    this.status = status;
    this.ended = ended;
    this.metrics = createColumnStore();
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
    this.version++;
  }

  /** A metrics column over the steps where it was measured, or undefined when it never was. */
  column(name: string): ColumnData | undefined {
    return this.metrics.column(name);
  }

  /** Newest finite or non-finite value of a column; null when it was never measured. */
  last(name: string): number | null {
    return this.metrics.last(name);
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
