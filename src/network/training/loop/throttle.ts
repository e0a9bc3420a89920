export interface ThrottleOptions {
  /** Most time of the whole run with diagnostics over the time without. Default 1.1. */
  readonly bar?: number;
  /** Milliseconds that diagnostics may always take: a run of seconds is not worth saving on. Default 2000. */
  readonly allowance?: number;
}

/** Where a run stands when a measurement is due. Times in milliseconds. */
export interface ThrottleState {
  /** Time spent on diagnostics and on training so far. */
  readonly spent: number;
  readonly trained: number;
  /** What the last measurement took. */
  readonly cost: number;
  readonly step: number;
  readonly steps: number;
  /** Measurements still due, this one included. */
  readonly due: number;
}

/**
 * Thins out measurements so that the whole run keeps to the bar, as far as can be told from its speed until now. It
 * decides about looking only: weights, metrics at the fixed cadence and checkpoints are the same with and without.
 */
export class Throttle {
  private readonly bar: number;
  private readonly allowance: number;
  private credit = 1;
  /** Measurements left out. */
  skipped = 0;

  constructor({ bar = 1.1, allowance = 2000 }: ThrottleOptions = {}) {
    this.bar = bar;
    this.allowance = allowance;
  }

  /** Whether the measurement that is due is taken; those that are left out are spread evenly over what is due. */
  allows({ spent, trained, cost, step, steps, due }: ThrottleState): boolean {
    const whole = step > 0 ? (trained * steps) / step : 0;
    const left = Math.max(this.allowance, (this.bar - 1) * whole) - spent;
    const affordable = cost > 0 ? Math.max(0, left / cost) : due;
    this.credit += Math.min(1, affordable / Math.max(1, due));
    if (this.credit >= 1) {
      this.credit -= 1;
      return true;
    }
    this.skipped++;
    return false;
  }
}
