/** Network and linearisation of a run by its kernels alone: how far the two part while the kernel moves. */
import { type Matrix, matrix } from '../linalg/matrix.js';
import { multiplyVector } from '../linalg/ops.js';
import { KrylovPropagator } from './krylovPropagator.js';

/** Largest Krylov space in which a substep is taken. */
const mostProducts = 16;

/**
 * A step from theta_0 to theta_1 changes f by the mean of J(theta) J(theta_0)' between them, which to first order is the
 * kernel a quarter of the way, not half of it.
 */
const early = 0.25;

/** Descent on sum |f - y|^2 / (2 n O) with a kernel. */
export interface DescentRule {
  /** eta / (n O). */
  readonly rate: number;
  /** Heavy ball; taken as the flow that is 1 / (1 - momentum) times as fast. 0 is plain descent, step by step. */
  readonly momentum: number;
}

/** Share of a mode's residual that `steps` steps leave; a mode above the stable step keeps its size instead of growing. */
export function shareLeft({ rate, momentum }: DescentRule, lambda: number, steps: number): number {
  if (momentum > 0) return Math.exp((-rate / (1 - momentum)) * Math.max(0, lambda) * steps);
  return Math.max(-1, 1 - rate * lambda) ** steps;
}

export interface ResponseStart extends DescentRule {
  /** Modes of the kernel at the start: rows are eigenvectors, [P, P]. */
  readonly vectors: Matrix;
  readonly values: Float64Array;
  /** v_k . (f_0 - y)_o, [P, O] row-major. */
  readonly coefficients: Float64Array;
  /** y, [P, O]. */
  readonly targets: ArrayLike<number>;
  readonly outputs: number;
}

export interface ResidualState {
  /** f - y, [P, O]. */
  readonly residual: Float64Array;
  readonly step: number;
  readonly gap: number;
}

/**
 * Residuals of a network and of its linearisation on P inputs, from the kernel alone: r' = -K(t) r and r_lin' = -K(0)
 * r_lin (Jacot et al. 2018; Lee et al. 2019), so that their distance answers to the change of the kernel along the
 * residual, delta' = -K(0) delta - (K(t) - K(0)) r. Between two kernels K(t) is interpolated; a substep keeps it fixed and
 * is taken in the Krylov space of the residual.
 */
export class ResidualDynamics {
  /** f - y, [P, O]. */
  residual: Float64Array;
  step = 0;
  /** Largest |f - f_lin| / |f_lin| so far. */
  gap = 0;
  private readonly whole: number;

  constructor(private readonly start: ResponseStart) {
    this.residual = this.linearised(0);
    this.whole = squared(this.residual) || 1;
  }

  get rule(): DescentRule {
    return this.start;
  }

  get outputs(): number {
    return this.start.outputs;
  }

  /** Share of the squared residual that is left. */
  get left(): number {
    return squared(this.residual) / this.whole;
  }

  /** Where it has come to, for `restore` of one with the same start. */
  state(): ResidualState {
    return { residual: this.residual.slice(), step: this.step, gap: this.gap };
  }

  restore({ residual, step, gap }: ResidualState): void {
    this.residual = residual.slice();
    this.step = step;
    this.gap = gap;
  }

  /** Residual f_lin - y of the linearisation after `step` steps, [P, O]. */
  linearised(step: number): Float64Array {
    const { vectors, values, coefficients, outputs } = this.start;
    const P = vectors.cols;
    const out = new Float64Array(P * outputs);
    for (let k = 0; k < values.length; k++) {
      const share = shareLeft(this.start, values[k], step);
      for (let o = 0; o < outputs; o++) {
        const c = share * coefficients[k * outputs + o];
        if (c === 0) continue;
        for (let i = 0; i < P; i++) out[i * outputs + o] += c * vectors.data[k * P + i];
      }
    }
    return out;
  }

  /** Takes measured residuals [P, O] of the network in the place of those that its kernels gave. */
  settle(measured: ArrayLike<number>): void {
    this.residual = Float64Array.from(measured);
    this.compare();
  }

  /**
   * Goes on while the kernel goes from one to another; `weight(k)` is the share of the second after k steps. `grid` are
   * the ends of the substeps, ascending whole numbers of steps from here; in a substep the kernel is that of its middle,
   * a quarter of a step early.
   */
  advance(from: Matrix, to: Matrix, grid: readonly number[], weight: (k: number) => number): void {
    const kernel = matrix(from.rows, from.cols);
    let done = 0;
    for (const end of grid) {
      const [a, b] = [weight(done), weight(end)];
      const w = a + (b - a) * (0.5 - early / (end - done));
      for (let i = 0; i < kernel.data.length; i++)
        kernel.data[i] = from.data[i] + w * (to.data[i] - from.data[i]);
      this.substep(kernel, end - done);
      this.step += end - done;
      done = end;
      this.compare();
      if (!(this.left < 1e6)) return;
    }
  }

  private compare(): void {
    const linear = this.linearised(this.step);
    const { targets } = this.start;
    let apart = 0;
    let size = 0;
    for (let i = 0; i < linear.length; i++) {
      apart += (this.residual[i] - linear[i]) ** 2;
      size += (linear[i] + targets[i]) ** 2;
    }
    if (this.step > 0 && size > 0) this.gap = Math.max(this.gap, Math.sqrt(apart / size));
  }

  private substep(kernel: Matrix, steps: number): void {
    const { outputs: O } = this.start;
    const P = kernel.rows;
    const column = new Float64Array(P);
    for (let o = 0; o < O; o++) {
      for (let i = 0; i < P; i++) column[i] = this.residual[i * O + o];
      const next = propagated(this.start, kernel, column, steps);
      for (let i = 0; i < P; i++) this.residual[i * O + o] = next[i];
    }
  }
}

/** s(K) r of one column, in its Krylov space. */
function propagated(rule: DescentRule, kernel: Matrix, r: Float64Array, steps: number): Float64Array {
  // A polynomial of degree `steps` needs no larger space.
  const most = Math.min(r.length, mostProducts, rule.momentum > 0 ? mostProducts : steps + 1);
  const propagator = new KrylovPropagator((x) => multiplyVector(kernel, x), r, most, 1e-12);
  propagator.take((lambda) => shareLeft(rule, lambda, steps));
  return propagator.vector();
}

/** Ends of substeps over `steps` steps from step `from` on; each is at most 1 / `parts` of the steps before it. */
export function substeps(steps: number, from: number, parts: number): number[] {
  const out: number[] = [];
  for (let k = 0; k < steps; ) {
    k = Math.min(steps, k + Math.max(1, Math.floor((from + k) / parts)));
    out.push(k);
  }
  return out;
}

function squared(x: ArrayLike<number>): number {
  let s = 0;
  for (let i = 0; i < x.length; i++) s += x[i] * x[i];
  return s;
}
