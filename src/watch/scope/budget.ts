/** Milliseconds that kernels may always take, beside loading: a program of seconds is not worth saving on. */
const lookAllowance = 500;
/** The same for rows: losses are what a run is about, and cost little. */
const rowAllowance = 300;
/** Largest shares of the program's own time: a tenth together. */
const [lookShare, rowShare] = [0.07, 0.03];

/**
 * Keeps what looking takes below a tenth of what the program takes without it. What does not fit waits until it does, so
 * that looks thin out where they are dear. Rows have a purse of their own: a dear kernel does not cost losses.
 */
export class Budget {
  private looks = 0;
  private rows = 0;
  private begun = performance.now();

  /** `loading` milliseconds were spent before. */
  constructor(private readonly loading = 0) {
    this.looks = loading;
    this.begun -= loading;
  }

  /** Whether a kernel that is expected to take so many milliseconds may be taken now. */
  affords(cost: number): boolean {
    return cost <= this.left;
  }

  /** The same for a row of losses and norms. */
  affordsRow(cost: number): boolean {
    return this.rows + cost <= Math.max(rowAllowance, rowShare * this.program);
  }

  /** Milliseconds left for kernels. */
  get left(): number {
    return Math.max(lookAllowance + this.loading, lookShare * this.program) - this.looks;
  }

  /** Share of the wall time that was spent on looking. */
  get tax(): number {
    const spent = this.looks + this.rows;
    return spent / Math.max(1, spent + this.program);
  }

  /** The program was held for so many milliseconds: neither its time nor ours. */
  held(milliseconds: number): void {
    this.begun += milliseconds;
  }

  /** Runs work that belongs to kernels and counts it; returns its milliseconds. */
  count(look: () => void): number {
    const start = performance.now();
    try {
      look();
    } finally {
      this.looks += performance.now() - start;
    }
    return performance.now() - start;
  }

  /** Runs work for a row; what it returns are milliseconds of it that belong to kernels. Returns those that do not. */
  countRow(work: () => number): number {
    const start = performance.now();
    let looking = 0;
    try {
      looking = work();
    } finally {
      this.looks += looking;
      this.rows += performance.now() - start - looking;
    }
    return performance.now() - start - looking;
  }

  private get program(): number {
    return performance.now() - this.begun - this.looks - this.rows;
  }
}
