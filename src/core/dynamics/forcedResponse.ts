/** Network and linearisation of a run by its kernels alone: how far the two part while the kernel moves. */
import { eigh } from '../linalg/eigen.js';
import { type Matrix, matrix } from '../linalg/matrix.js';
import { plainEngine } from '../linalg/plain.js';

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

/** Sum of those shares over the steps before, times the rate: what a unit of residual in the mode pulls the weights by. */
export function pulled(rule: DescentRule, lambda: number, steps: number): number {
  const rate = rule.rate / (1 - rule.momentum);
  if (rule.momentum > 0) {
    const x = rate * Math.max(0, lambda);
    return x > 0 ? (-rate * Math.expm1(-x * steps)) / x : rate * steps;
  }
  const x = Math.min(2, rate * lambda);
  if (Math.abs(x) < 1e-14) return rate * steps;
  const gone = x < 1 ? -Math.expm1(steps * Math.log1p(-x)) : 1 - (1 - x) ** steps;
  return (rate * gone) / x;
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

/**
 * Residuals of a network and of its linearisation on P inputs, from the kernel alone: r' = -K(t) r and r_lin' = -K(0)
 * r_lin (Jacot et al. 2018; Lee et al. 2019), so that their distance answers to the change of the kernel along the
 * residual, delta' = -K(0) delta - (K(t) - K(0)) r. Between two kernels K(t) is interpolated; a substep keeps it fixed and
 * is taken in the Krylov space of the residual.
 */
export class ForcedResponse {
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

  /** The same run from here on, to be taken further apart from this one. */
  copy(): ForcedResponse {
    const other = new ForcedResponse(this.start);
    other.residual = this.residual.slice();
    other.step = this.step;
    other.gap = this.gap;
    return other;
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

  /** Goes on by one step that changed the outputs by `change`, [P, O]. */
  move(change: ArrayLike<number>): void {
    for (let i = 0; i < this.residual.length; i++) this.residual[i] += change[i];
    this.step++;
    this.compare();
  }

  /**
   * Goes on while the kernel goes from one to another; `weight(k)` is the share of the second after k steps. `grid` are
   * the ends of the substeps, ascending whole numbers of steps from here; in a substep the kernel is that of its middle,
   * a quarter of a step early.
   * Ends early when `left` falls to `until`. Returns the pull on the weights, rate * sum r, [P, O].
   */
  advance(
    from: Matrix,
    to: Matrix,
    grid: readonly number[],
    weight: (k: number) => number,
    until = 0,
  ): { readonly pull: Float64Array; readonly ended: boolean } {
    const pull = new Float64Array(this.residual.length);
    const kernel = matrix(from.rows, from.cols);
    let done = 0;
    for (const end of grid) {
      const [a, b] = [weight(done), weight(end)];
      const w = a + (b - a) * (0.5 - early / (end - done));
      for (let i = 0; i < kernel.data.length; i++)
        kernel.data[i] = from.data[i] + w * (to.data[i] - from.data[i]);
      this.substep(kernel, end - done, pull);
      this.step += end - done;
      done = end;
      this.compare();
      const { left } = this;
      if (left <= until || !(left < 1e6)) return { pull, ended: true };
    }
    return { pull, ended: false };
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

  private substep(kernel: Matrix, steps: number, pull: Float64Array): void {
    const { outputs: O } = this.start;
    const P = kernel.rows;
    const column = new Float64Array(P);
    for (let o = 0; o < O; o++) {
      for (let i = 0; i < P; i++) column[i] = this.residual[i * O + o];
      const next = course(this.start, kernel, column, steps);
      if (!next) continue;
      for (let i = 0; i < P; i++) {
        this.residual[i * O + o] = next.residual[i];
        pull[i * O + o] += next.pull[i];
      }
    }
  }
}

/** s(K) r and the pull of one column, by Lanczos with full reorthogonalisation; null for r = 0. */
function course(
  rule: DescentRule,
  kernel: Matrix,
  r: Float64Array,
  steps: number,
): { readonly residual: Float64Array; readonly pull: Float64Array } | null {
  const P = r.length;
  const length = Math.sqrt(squared(r));
  if (!(length > 0)) return null;
  // A polynomial of degree `steps` needs no larger space.
  const most = Math.min(P, mostProducts, rule.momentum > 0 ? mostProducts : steps + 1);
  const basis: Float64Array[] = [r.map((v) => v / length)];
  const small = matrix(most, most);
  let count = 0;
  for (; count < most; count++) {
    const next = product(kernel, basis[count]);
    const size = Math.sqrt(squared(next));
    for (let pass = 0; pass < 2; pass++)
      for (const [j, b] of basis.entries()) {
        let s = 0;
        for (let i = 0; i < P; i++) s += next[i] * b[i];
        for (let i = 0; i < P; i++) next[i] -= s * b[i];
        if (j === count) small.data[j * most + j] += s;
      }
    const beta = Math.sqrt(squared(next));
    if (count + 1 === most) continue;
    if (!(beta > 1e-12 * size)) {
      count++;
      break;
    }
    small.data[count * most + count + 1] = beta;
    small.data[(count + 1) * most + count] = beta;
    basis.push(next.map((v) => v / beta));
  }
  const { values, vectors } = eigh(corner(small, count), { engine: plainEngine });
  const residual = new Float64Array(P);
  const pull = new Float64Array(P);
  for (let j = 0; j < count; j++) {
    let [a, b] = [0, 0];
    for (let k = 0; k < count; k++) {
      const weight = length * vectors.data[k * count] * vectors.data[k * count + j];
      a += weight * shareLeft(rule, values[k], steps);
      b += weight * pulled(rule, values[k], steps);
    }
    const row = basis[j];
    for (let i = 0; i < P; i++) {
      residual[i] += a * row[i];
      pull[i] += b * row[i];
    }
  }
  return { residual, pull };
}

function product(k: Matrix, x: Float64Array): Float64Array {
  const out = new Float64Array(k.rows);
  for (let i = 0; i < k.rows; i++) {
    const row = i * k.cols;
    let s = 0;
    for (let j = 0; j < k.cols; j++) s += k.data[row + j] * x[j];
    out[i] = s;
  }
  return out;
}

function corner(a: Matrix, n: number): Matrix {
  if (n === a.rows) return a;
  const out = matrix(n, n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) out.data[i * n + j] = a.data[i * a.cols + j];
  return out;
}

function squared(x: ArrayLike<number>): number {
  let s = 0;
  for (let i = 0; i < x.length; i++) s += x[i] * x[i];
  return s;
}
