import type { MetricsRow, RunRecord } from '../../protocol/records.js';

/**
 * The records of a run on their way to its folder. The last row waits for the next one, so that what is learnt of its step
 * later joins it; and everything waits until there is a folder.
 */
export class Rows {
  private waiting: RunRecord[] = [];
  private last: MetricsRow | null = null;
  private write: ((record: RunRecord) => void) | null = null;

  /** From now on there is a folder. `first` comes before what has waited. */
  open(write: (record: RunRecord) => void, first: readonly RunRecord[]): void {
    this.write = write;
    for (const record of [...first, ...this.waiting]) write(record);
    this.waiting = [];
  }

  add(record: RunRecord): void {
    if (record.kind === 'metrics') {
      if (this.last && this.last.step === record.step) {
        this.last = { ...this.last, values: { ...this.last.values, ...record.values } };
        return;
      }
      this.flush();
      this.last = record;
      return;
    }
    if (this.write) this.write(record);
    else this.waiting.push(record);
  }

  flush(): void {
    const { last } = this;
    this.last = null;
    if (!last) return;
    if (this.write) this.write(last);
    else this.waiting.push(last);
  }
}
