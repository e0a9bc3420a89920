import { KrylovPropagator } from '../../../core/dynamics/krylovPropagator.js';
import { rkcFactor, type Stage } from '../../../core/dynamics/rkc.js';

/** Products of the kernel that a linearisation under squared loss is known by, and that find its largest eigenvalue. */
const products = 48;
const productsForTop = 12;

/** The kernel at the start as an operator, [n O] to [n O], and the outputs f_0 and targets y there, [n O]. */
export interface LinearisedStart {
  readonly times: (u: Float64Array) => ArrayLike<number>;
  readonly outputs: Float64Array;
  readonly targets: ArrayLike<number>;
}

/** Outputs of the linearisation of a network on n inputs while it takes the steps that the network takes. */
export interface LinearisedOutputs {
  /** Largest eigenvalue of what drives the outputs, per unit of step size. */
  readonly top: number;
  /** One step of size h in all: plain without stages, else by the stages of a Runge-Kutta-Chebyshev step. */
  take(h: number, stages: readonly Stage[]): void;
  /** f_lin at some places of [n O]. */
  at(places: readonly number[]): Float64Array;
}

/**
 * Under squared loss: f_lin' = -K (f_lin - y) / (n O) is linear, so that its residual lives in one Krylov space and no step
 * needs another product.
 */
export class SquaredLinearisation implements LinearisedOutputs {
  readonly top: number;
  private readonly residual: KrylovPropagator;

  constructor(
    { times, outputs, targets }: LinearisedStart,
    private readonly unit = 1 / outputs.length,
    private readonly y = targets,
  ) {
    const residual = outputs.map((f, i) => f - targets[i]);
    this.residual = new KrylovPropagator(times, residual, Math.min(products, residual.length));
    this.top = unit * (this.residual.values[0] ?? 0);
  }

  take(h: number, stages: readonly Stage[]): void {
    const x = h * this.unit;
    this.residual.take((v) => (stages.length === 0 ? 1 - x * v : rkcFactor(stages, x * v)));
  }

  at(places: readonly number[]): Float64Array {
    return this.residual.at(places).map((r, i) => r + this.y[places[i]]);
  }
}

/** Under cross-entropy: f_lin' = -K (softmax f_lin - y) / n, which takes a product for every stage. */
export class EntropyLinearisation implements LinearisedOutputs {
  readonly top: number;
  private f: Float64Array;
  private readonly times: LinearisedStart['times'];
  private readonly targets: ArrayLike<number>;
  private readonly unit: number;

  constructor(
    start: LinearisedStart,
    private readonly classes: number,
  ) {
    this.times = start.times;
    this.targets = start.targets;
    this.f = start.outputs.slice();
    this.unit = classes / start.outputs.length;
    const pull = this.slope(this.f);
    const { values } = new KrylovPropagator(this.times, pull, Math.min(productsForTop, pull.length));
    // The Hessian of cross-entropy in a sample's outputs is at most 1/2.
    this.top = (this.unit * (values[0] ?? 0)) / 2;
  }

  take(h: number, stages: readonly Stage[]): void {
    const start = this.f;
    const first = this.slope(start);
    if (stages.length === 0) {
      this.f = start.map((f, i) => f + h * first[i]);
      return;
    }
    let [before, last] = [start, start];
    for (const [j, stage] of stages.entries()) {
      const slope = j === 0 ? first : this.slope(last);
      const next = start.map(
        (f, i) =>
          stage.start * f +
          (j === 0 ? 0 : stage.last * last[i] + stage.before * before[i]) +
          h * (stage.slope * slope[i] + stage.first * first[i]),
      );
      [before, last] = [last, next];
    }
    this.f = last;
  }

  at(places: readonly number[]): Float64Array {
    return Float64Array.from(places, (place) => this.f[place]);
  }

  private slope(f: Float64Array): Float64Array {
    const pull = f.slice();
    for (let i = 0; i < pull.length; i += this.classes) {
      const row = pull.subarray(i, i + this.classes);
      const most = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
      let sum = 0;
      for (let o = 0; o < row.length; o++) sum += Math.exp(row[o] - most);
      for (let o = 0; o < row.length; o++) row[o] = this.targets[i + o] - Math.exp(row[o] - most) / sum;
    }
    return Float64Array.from(this.times(pull), (v) => this.unit * v);
  }
}
