import type { ReadyFacts, TrainingSummary } from '../network/training/index.js';
import type { RunEnded, RunRecord, RunStarted } from '../protocol/records.js';
import type { RunWriter } from '../runs/index.js';

export interface SessionEvents {
  readonly progress: (stage: string) => void;
  /** `loss` is that of the start, null where the run begins later. */
  readonly started: (info: RunStarted, loss: number | null) => void;
  readonly record: (record: RunRecord) => void;
  /** Awaited before every step. */
  readonly gate: (step: number) => Promise<void> | void;
}

interface Begun {
  readonly writer: RunWriter;
  readonly info: RunStarted;
  /** Of the start; null where the run begins later. */
  readonly loss: number | null;
  readonly names: ReadonlyMap<string, string>;
}

/**
 * Names of the layers of a run that goes on, by those they have now: TensorFlow.js numbers unnamed layers on through the life
 * of a process, and the columns of a run keep their names.
 */
export function keptNames(now: readonly string[], before: readonly string[]): ReadonlyMap<string, string> {
  if (now.length !== before.length) return new Map();
  return new Map(now.flatMap((name, i) => (name === before[i] ? [] : [[name, before[i]] as const])));
}

const renamed = <T>(
  values: Readonly<Record<string, T>>,
  rename: (name: string) => string,
): Record<string, T> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [rename(name), value]));

/** Takes what a run says to its folder first, then to whoever listens. */
export class Recorder {
  writer: RunWriter | null = null;
  lastStep = 0;
  private names: ReadonlyMap<string, string> = new Map();

  constructor(
    private readonly events: SessionEvents,
    private readonly folder: string,
    private readonly begin: (facts: ReadyFacts) => Begun,
  ) {}

  open(facts: ReadyFacts): void {
    const { writer, info, loss, names } = this.begin(facts);
    this.names = names;
    this.writer = writer;
    this.events.started(info, loss);
  }

  tell(said: RunRecord): void {
    const record = this.named(said);
    this.writer?.record(record);
    this.events.record(record);
  }

  /** The movement of the layers, under the names that they have in this run. */
  movement(values: Readonly<Record<string, number>>): Record<string, number> {
    return renamed(values, (name) => this.names.get(name) ?? name);
  }

  private named(record: RunRecord): RunRecord {
    if (this.names.size === 0) return record;
    const rename = (name: string): string => {
      const at = name.indexOf('.');
      const layer = at < 0 ? undefined : this.names.get(name.slice(at + 1));
      return layer === undefined ? name : `${name.slice(0, at + 1)}${layer}`;
    };
    if (record.kind === 'metrics') return { ...record, values: renamed(record.values, rename) };
    return record.kind === 'snapshot'
      ? { ...record, name: rename(record.name) as typeof record.name }
      : record;
  }

  /** Records everything that a run yields. What cannot be written ends the run. */
  async follow(run: AsyncGenerator<RunRecord, TrainingSummary>): Promise<TrainingSummary> {
    const early: RunRecord[] = [];
    try {
      for (;;) {
        const next = await run.next();
        if (next.done) return next.value;
        this.lastStep = Math.max(this.lastStep, next.value.step);
        // Notes may come before the run's facts are known.
        early.push(next.value);
        if (this.writer) for (const record of early.splice(0)) this.tell(record);
      }
    } catch (error) {
      await run.return(undefined as never).catch(() => undefined);
      throw error;
    }
  }

  end(ended: RunEnded): { readonly ended: RunEnded; readonly folder: string | null } {
    if (!this.writer) return { ended, folder: null };
    try {
      this.writer.end(ended);
      return { ended, folder: this.folder };
    } catch (error) {
      // The folder cannot be written any more, which is most often why the run ends.
      const message = ended.message ?? (error as Error).message;
      return { ended: { ...ended, status: 'failed', message }, folder: this.folder };
    }
  }
}
