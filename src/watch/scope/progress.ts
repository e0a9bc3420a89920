/** Losses that stand for the start, and for now. */
const window = 8;
/** Share of the loss at the start above which too little has been learnt to speak of it. */
const noProgress = 0.9;

/** How much of the loss at the start is left, by means over a few batches. */
export class Progress {
  last = Number.NaN;
  private readonly first: number[] = [];
  private readonly recent: number[] = [];

  add(loss: number | undefined): void {
    if (loss === undefined) return;
    this.last = loss;
    if (this.first.length < window) this.first.push(loss);
    this.recent.push(loss);
    if (this.recent.length > window) this.recent.shift();
  }

  /** Null where too little has been learnt to tell, or where losses say nothing (below zero, not finite). */
  get left(): number | null {
    const start = Math.max(...this.first.slice(0, 1), mean(this.first));
    const left = mean(this.recent) / start;
    return start > 0 && left >= 0 && left < noProgress ? left : null;
  }
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
