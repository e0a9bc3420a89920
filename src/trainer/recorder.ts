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
}

/** Takes what a run says to its folder first, then to whoever listens. */
export class Recorder {
  writer: RunWriter | null = null;
  lastStep = 0;

  constructor(
    private readonly events: SessionEvents,
    private readonly folder: string,
    private readonly begin: (facts: ReadyFacts) => Begun,
  ) {}

  open(facts: ReadyFacts): void {
    const { writer, info, loss } = this.begin(facts);
    this.writer = writer;
    this.events.started(info, loss);
  }

  tell(record: RunRecord): void {
    this.writer?.record(record);
    this.events.record(record);
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
