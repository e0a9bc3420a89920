import { type Matrix, matrix } from './matrix.js';
import { requireFinite, requireSquare } from './ops.js';

export interface RidgeOptions {
  /** Added to the diagonal as it is. Default 0. */
  readonly ridge?: number;
  /** Added to the diagonal in units of the mean diagonal tr(K)/n; both ridges add up. Default 0. */
  readonly relativeRidge?: number;
}

export interface Factor {
  /** Lower triangular L with L L^T = K + ridge I; zero above the diagonal. */
  readonly lower: Matrix;
  /** What was added to the diagonal, so that a result can state it. */
  readonly ridge: number;
}

/** The ridge in absolute units. Throws a RangeError when it is negative or not finite. */
export function ridgeOf(k: Matrix, options: RidgeOptions = {}): number {
  let mean = 0;
  for (let i = 0; i < k.rows; i++) mean += k.data[i * k.cols + i] / k.rows;
  const ridge = (options.ridge ?? 0) + (options.relativeRidge ?? 0) * mean;
  if (!(ridge >= 0) || !Number.isFinite(ridge))
    throw new RangeError(`The ridge is ${ridge}; it must be a finite number of at least 0.`);
  return ridge;
}

/**
 * Cholesky factor of a symmetric positive definite K (only the lower triangle is read), after adding the ridge.
 * Throws a RangeError that names the pivot and a ridge that helps when K is not numerically positive definite.
 */
export function cholesky(k: Matrix, options: RidgeOptions = {}): Factor {
  requireSquare(k, 'The matrix to factorise');
  requireFinite(k, 'The matrix to factorise');
  const n = k.rows;
  const ridge = ridgeOf(k, options);
  const lower = matrix(n, n);
  const l = lower.data;
  let largest = 0;
  for (let i = 0; i < n; i++) largest = Math.max(largest, k.data[i * n + i] + ridge);
  for (let i = 0; i < n; i++) {
    const at = i * n;
    for (let j = 0; j <= i; j++) {
      const bt = j * n;
      let s = k.data[at + j] + (i === j ? ridge : 0);
      for (let p = 0; p < j; p++) s -= l[at + p] * l[bt + p];
      if (i !== j) {
        l[at + j] = s / l[bt + j];
        continue;
      }
      if (!(s > 0))
        throw new RangeError(
          `The matrix is not positive definite: pivot ${i} is ${s.toExponential(2)}. ` +
            `Add a ridge, for example ${(1e-10 * (largest || 1)).toExponential(1)}.`,
        );
      l[at + i] = Math.sqrt(s);
    }
  }
  return { lower, ridge };
}

/** X with L L^T X = B for a factor of `cholesky`; B is [n, c]. */
export function choleskySolve(factor: Factor, b: Matrix): Matrix {
  const n = factor.lower.rows;
  if (b.rows !== n) throw new RangeError(`The right-hand side has ${b.rows} rows, but the matrix has ${n}.`);
  const l = factor.lower.data;
  const c = b.cols;
  const x = Float64Array.from(b.data);
  for (let i = 0; i < n; i++) {
    for (let p = 0; p < i; p++) {
      const f = l[i * n + p];
      for (let j = 0; j < c; j++) x[i * c + j] -= f * x[p * c + j];
    }
    for (let j = 0; j < c; j++) x[i * c + j] /= l[i * n + i];
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let j = 0; j < c; j++) x[i * c + j] /= l[i * n + i];
    for (let p = 0; p < i; p++) {
      const f = l[i * n + p];
      for (let j = 0; j < c; j++) x[p * c + j] -= f * x[i * c + j];
    }
  }
  return matrix(n, c, x);
}

/** (K + ridge I)^-1 B for a symmetric positive definite K [n, n] and B [n, c]. Errors as in `cholesky`. */
export function solveSpd(k: Matrix, b: Matrix, options: RidgeOptions = {}): Matrix {
  return choleskySolve(cholesky(k, options), b);
}

/** log det (K + ridge I). */
export function logDeterminant(k: Matrix, options: RidgeOptions = {}): number {
  const { lower } = cholesky(k, options);
  let s = 0;
  for (let i = 0; i < lower.rows; i++) s += 2 * Math.log(lower.data[i * lower.cols + i]);
  return s;
}
