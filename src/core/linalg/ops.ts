import { type Matrix, matrix } from './matrix.js';

/** Throws a RangeError with a whole sentence when a value of the matrix is not finite. */
export function requireFinite(a: Matrix, name: string): void {
  for (let i = 0; i < a.data.length; i++) {
    if (Number.isFinite(a.data[i])) continue;
    const row = Math.floor(i / a.cols);
    throw new RangeError(
      `${name} has the entry ${a.data[i]} at row ${row}, column ${i - row * a.cols}; every entry must be a finite number. ` +
        'Check the inputs and the step size that led to it.',
    );
  }
}

/** Throws a RangeError unless the matrix is square. */
export function requireSquare(a: Matrix, name: string): void {
  if (a.rows !== a.cols)
    throw new RangeError(`${name} must be square, but it has ${a.rows} rows and ${a.cols} columns.`);
}

/** (A + A^T) / 2, a new matrix. */
export function symmetrize(a: Matrix): Matrix {
  requireSquare(a, 'The matrix to symmetrize');
  const n = a.rows;
  const out = matrix(n, n);
  for (let i = 0; i < n; i++) {
    out.data[i * n + i] = a.data[i * n + i];
    for (let j = 0; j < i; j++) {
      const value = 0.5 * (a.data[i * n + j] + a.data[j * n + i]);
      out.data[i * n + j] = value;
      out.data[j * n + i] = value;
    }
  }
  return out;
}

/** A^T, a new matrix. */
export function transpose(a: Matrix): Matrix {
  const out = matrix(a.cols, a.rows);
  for (let i = 0; i < a.rows; i++)
    for (let j = 0; j < a.cols; j++) out.data[j * a.rows + i] = a.data[i * a.cols + j];
  return out;
}

/** A B. Throws a RangeError when the inner sizes differ. */
export function matmul(a: Matrix, b: Matrix): Matrix {
  if (a.cols !== b.rows)
    throw new RangeError(
      `Cannot multiply ${a.rows} x ${a.cols} by ${b.rows} x ${b.cols}: inner sizes differ.`,
    );
  const out = matrix(a.rows, b.cols);
  const p = b.cols;
  // Row times scalar: both inner streams are contiguous.
  for (let i = 0; i < a.rows; i++) {
    const row = out.data.subarray(i * p, (i + 1) * p);
    for (let k = 0; k < a.cols; k++) {
      const f = a.data[i * a.cols + k];
      if (f === 0) continue;
      const at = k * p;
      for (let j = 0; j < p; j++) row[j] += f * b.data[at + j];
    }
  }
  return out;
}

/** A A^T, the Gram matrix of the rows of A; exactly symmetric. */
export function gram(a: Matrix): Matrix {
  const out = matrix(a.rows, a.rows);
  const d = a.cols;
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j <= i; j++) {
      let s = 0;
      for (let k = 0; k < d; k++) s += a.data[i * d + k] * a.data[j * d + k];
      out.data[i * a.rows + j] = s;
      out.data[j * a.rows + i] = s;
    }
  }
  return out;
}

/** A x for a vector x of length A.cols. */
export function multiplyVector(a: Matrix, x: ArrayLike<number>): Float64Array {
  if (a.cols !== x.length)
    throw new RangeError(`Cannot multiply ${a.rows} x ${a.cols} by a vector of length ${x.length}.`);
  const out = new Float64Array(a.rows);
  for (let i = 0; i < a.rows; i++) {
    let s = 0;
    const at = i * a.cols;
    for (let j = 0; j < a.cols; j++) s += a.data[at + j] * x[j];
    out[i] = s;
  }
  return out;
}

/** x . y over the length of x. */
export function dot(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let s = 0;
  for (let i = 0; i < x.length; i++) s += x[i] * y[i];
  return s;
}

/** |A|_F, safe against overflow. */
export function frobeniusNorm(a: Matrix): number {
  let scale = 0;
  for (const value of a.data) scale = Math.max(scale, Math.abs(value));
  if (scale === 0 || !Number.isFinite(scale)) return scale;
  let s = 0;
  for (const value of a.data) s += (value / scale) ** 2;
  return scale * Math.sqrt(s);
}

/** tr(A). */
export function trace(a: Matrix): number {
  requireSquare(a, 'The matrix');
  let s = 0;
  for (let i = 0; i < a.rows; i++) s += a.data[i * a.cols + i];
  return s;
}

/** The identity of size n. */
export function identity(n: number): Matrix {
  const out = matrix(n, n);
  for (let i = 0; i < n; i++) out.data[i * n + i] = 1;
  return out;
}
