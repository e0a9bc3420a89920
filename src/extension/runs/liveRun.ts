import { repeatsFirst, SeriesStore } from '../../core/series/index.js';
import type {
  NoteRecord,
  RegimeRecord,
  RunEnded,
  RunStarted,
  RunStatus,
  Snapshot,
} from '../../protocol/records.js';
import type { MetricsFrame } from '../../protocol/trainerWire.js';
import type { StoredRun } from '../../runs/index.js';

/** Arrays kept of each name: enough for every measurement of a default run, bounded for endless ones. */
const mostSnapshots = 64;
/** Verdicts and notes kept; a run that measures every step says one with each. */
const mostEvents = 400;

export interface RunFrame {
  readonly metrics: MetricsFrame;
  readonly snapshots: readonly Snapshot[];
  readonly events: readonly (RegimeRecord | NoteRecord)[];
}

/** What the host holds of one run: bounded metrics, the newest arrays of each name, the verdict. The folder has it all. */
export class RunModel {
  status: RunStatus = 'running';
  ended: RunEnded | undefined;
  private readonly metrics = new SeriesStore(2 ** 19);
  private readonly arrays = new Map<string, Snapshot[]>();
  private readonly events: (RegimeRecord | NoteRecord)[] = [];

  private verdict: RegimeRecord | undefined;

  constructor(
    readonly info: RunStarted,
    /** The name people gave it. */
    public label?: string,
  ) {}

  static stored({ run, metrics, tax, events }: StoredRun, snapshots: readonly Snapshot[]): RunModel {
    const model = new RunModel(run.info, run.label);
    model.status = run.status;
    model.ended = run.ended;
    const columns = { ...metrics.columns, tax };
    model.append({ metrics: { ...metrics, columns }, snapshots, events });
    return model;
  }

  get id(): string {
    return this.info.run;
  }

  get name(): string {
    return this.label ?? this.info.name;
  }

  get live(): boolean {
    return this.status === 'running' || this.status === 'paused';
  }

  append({ metrics, snapshots, events }: RunFrame): void {
    if (repeatsFirst(metrics.step, this.metrics)) this.metrics.clear();
    const fresh = rowsAfter(metrics, this.metrics.last('step'));
    if (fresh.step.length > 0) this.metrics.append({ step: fresh.step, time: fresh.time, ...fresh.columns });
    for (const snapshot of snapshots) {
      const all = this.arrays.get(snapshot.name) ?? [];
      if (snapshot.step <= (all.at(-1)?.step ?? -1)) continue;
      this.arrays.set(snapshot.name, all);
      all.push(snapshot);
      // The start stays: drift and modes refer to it.
      if (all.length > mostSnapshots) all.splice(1, 1);
    }
    for (const event of events) {
      this.events.push(event);
      if (this.events.length > mostEvents) this.events.splice(1, 1);
      if (event.kind === 'regime') this.verdict = event;
    }
  }

  last(column: string): number {
    return this.metrics.last(column);
  }

  column(name: string): Float64Array {
    return this.metrics.column(name);
  }

  get regime(): RegimeRecord | undefined {
    return this.verdict;
  }

  newest(name: Snapshot['name']): Snapshot | undefined {
    return this.arrays.get(name)?.at(-1);
  }

  /** Everything held, as a panel takes it: exact-size arrays. */
  picture(): RunFrame {
    const names = this.metrics.names.filter((name) => name !== 'step' && name !== 'time');
    return {
      metrics: {
        step: this.metrics.column('step'),
        time: this.metrics.column('time'),
        columns: Object.fromEntries(names.map((name) => [name, this.metrics.column(name)])),
      },
      snapshots: [...this.arrays.values()].flat(),
      events: this.events,
    };
  }
}

/** The loss of the start, as the first thing that is known of a run. */
export const startFrame = (loss: number): RunFrame => ({
  metrics: {
    step: Float64Array.of(0),
    time: Float64Array.of(0),
    columns: { loss: Float64Array.of(loss) },
  },
  snapshots: [],
  events: [],
});

/** Rows later than a step: of a run that goes on, some may have come with its folder already. */
function rowsAfter(metrics: MetricsFrame, step: number): MetricsFrame {
  const from = Number.isFinite(step) ? metrics.step.findIndex((s) => s > step) : 0;
  if (from === 0) return metrics;
  const rest = (values: Float64Array) => (from < 0 ? values.subarray(0, 0) : values.subarray(from));
  return {
    step: rest(metrics.step),
    time: rest(metrics.time),
    columns: Object.fromEntries(Object.entries(metrics.columns).map(([name, v]) => [name, rest(v)])),
  };
}
