import { cholesky, choleskySolve, type RidgeOptions } from '../linalg/cholesky.js';
import { type Matrix, matrix } from '../linalg/matrix.js';
import { dot, frobeniusNorm, requireSquare, trace } from '../linalg/ops.js';

function requireSameSize(a: Matrix, b: Matrix): void {
  if (a.rows !== b.rows || a.cols !== b.cols)
    throw new RangeError(
      `The kernels have sizes ${a.rows} x ${a.cols} and ${b.rows} x ${b.cols}; they must agree.`,
    );
}

/** Kernel alignment <K, L>_F / (|K|_F |L|_F) (Cristianini et al. 2001); NaN when one of them is zero. */
export function alignment(k: Matrix, l: Matrix): number {
  requireSameSize(k, l);
  const a = frobeniusNorm(k);
  const b = frobeniusNorm(l);
  let s = 0;
  for (let i = 0; i < k.data.length; i++) s += (k.data[i] / a) * (l.data[i] / b);
  return s;
}

/** H K H with H = I - 11'/n. */
export function centre(k: Matrix): Matrix {
  requireSquare(k, 'The kernel');
  const n = k.rows;
  const rows = new Float64Array(n);
  const columns = new Float64Array(n);
  let all = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      const value = k.data[i * n + j] / n;
      rows[i] += value;
      columns[j] += value;
      all += value / n;
    }
  const out = matrix(n, n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) out.data[i * n + j] = k.data[i * n + j] - rows[i] - columns[j] + all;
  return out;
}

/** Alignment of the centred kernels (Cortes, Mohri and Rostamizadeh 2012). */
export function centredAlignment(k: Matrix, l: Matrix): number {
  return alignment(centre(k), centre(l));
}

/** Alignment of K [n, n] with Y Y' of the targets Y [n, c]; 1 for K = Y Y'. `centred` as in `centredAlignment`. */
export function targetAlignment(k: Matrix, y: Matrix, centred = false): number {
  requireSquare(k, 'The kernel');
  if (y.rows !== k.rows)
    throw new RangeError(`The targets have ${y.rows} rows, but the kernel has ${k.rows}.`);
  const n = k.rows;
  const outer = matrix(n, n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      for (let c = 0; c < y.cols; c++)
        outer.data[i * n + j] += y.data[i * y.cols + c] * y.data[j * y.cols + c];
  return centred ? centredAlignment(k, outer) : alignment(k, outer);
}

/** Kernel drift |K - K0|_F / |K0|_F. */
export function relativeDrift(k: Matrix, initial: Matrix): number {
  requireSameSize(k, initial);
  const difference = matrix(
    k.rows,
    k.cols,
    k.data.map((value, i) => value - initial.data[i]),
  );
  return frobeniusNorm(difference) / frobeniusNorm(initial);
}

/** Kernel velocity (Fort et al. 2020): (1 - alignment of two kernels) / time between them, in 1/time. */
export function kernelVelocity(earlier: Matrix, later: Matrix, time: number): number {
  if (!(time > 0)) throw new RangeError(`The time between two kernels is ${time}; it must be positive.`);
  return (1 - alignment(earlier, later)) / time;
}

/** A number that rests on the inverse of a kernel, with the ridge it was computed with (absolute units). */
export interface Ridged {
  readonly value: number;
  readonly ridge: number;
}

/**
 * tr(Y' (K + ridge)^-1 Y) for K [n, n] and Y [n, c], by Cholesky in float64. Throws a RangeError that proposes a ridge
 * when K is not positive definite.
 */
export function inverseForm(k: Matrix, y: Matrix, options: RidgeOptions = {}): Ridged {
  const factor = cholesky(k, options);
  return { value: dot(y.data, choleskySolve(factor, y).data), ridge: factor.ridge };
}

/** The same from eigenvalues [n] and label energies [n, c]: sum energy / (lambda + ridge). */
export function inverseFormFromSpectrum(values: ArrayLike<number>, energy: Matrix, ridge: number): number {
  let s = 0;
  for (let i = 0; i < energy.rows; i++)
    for (let c = 0; c < energy.cols; c++) s += energy.data[i * energy.cols + c] / (values[i] + ridge);
  return s;
}

/**
 * C(y) = tr(K)/n * y'K^-1 y / |y|^2: how dear the targets Y [n, c] are to this kernel, free of its scale; at least
 * lambda_mean / lambda_max, 1 for the identity.
 */
export function targetCost(k: Matrix, y: Matrix, options: RidgeOptions = {}): Ridged {
  const { value, ridge } = inverseForm(k, y, options);
  return { value: ((trace(k) / k.rows) * value) / dot(y.data, y.data), ridge };
}

export interface ComplexityOptions extends RidgeOptions {
  /** Divide K by tr(K)/n first, so that kernels of different scale compare. The ridge then counts in those units. */
  readonly traceNormalised?: boolean;
}

/** Label complexity sqrt(2 y'K^-1 y / n) (Arora et al. 2019) for K [n, n], Y [n, c]. */
export function labelComplexity(k: Matrix, y: Matrix, options: ComplexityOptions = {}): Ridged {
  const n = k.rows;
  const mean = trace(k) / n;
  const used = options.traceNormalised
    ? matrix(
        n,
        n,
        k.data.map((value) => value / mean),
      )
    : k;
  const { value, ridge } = inverseForm(used, y, options);
  return { value: Math.sqrt((2 * value) / n), ridge };
}
