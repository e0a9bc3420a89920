import { eigh } from './eigen.js';
import { type Matrix, matrix } from './matrix.js';
import { plainEngine } from './plain.js';

/** A symmetric operator given by its products with vectors; it must not keep its vector. */
export type SymmetricProduct = (x: Float64Array) => ArrayLike<number>;

/** The space spanned by r, A r, A^2 r, ... of a symmetric operator A, and A in it. */
export interface KrylovSpace {
  /** Orthonormal, [q] of [n]; the first is r / |r|. */
  readonly basis: readonly Float64Array[];
  /** |r| */
  readonly length: number;
  /** Ritz values, [q] descending, and their vectors in the basis, rows of [q, q]. */
  readonly values: Float64Array;
  readonly vectors: Matrix;
}

export function norm(x: ArrayLike<number>): number {
  let s = 0;
  for (let i = 0; i < x.length; i++) s += x[i] * x[i];
  return Math.sqrt(s);
}

/** x -= sum over the first `count` of `row` of (x . row) row, twice, which is enough (Giraud et al. 2005); returns the coefficients. */
export function orthogonalise(
  x: Float64Array,
  row: (p: number) => Float64Array,
  count: number,
): Float64Array {
  const coefficients = new Float64Array(count);
  for (let pass = 0; pass < 2; pass++)
    for (let p = 0; p < count; p++) {
      const b = row(p);
      let s = 0;
      for (let i = 0; i < x.length; i++) s += x[i] * b[i];
      for (let i = 0; i < x.length; i++) x[i] -= s * b[i];
      coefficients[p] += s;
    }
  return coefficients;
}

/**
 * The Krylov space of A and r by Lanczos with full reorthogonalisation, of at most `most` dimensions; fewer where the space
 * closes: what a product adds below `resolution` of its size is rounding and no direction. Empty for r = 0. Throws a
 * RangeError when a product is not finite.
 */
export function krylovSpace(
  times: SymmetricProduct,
  r: ArrayLike<number>,
  most: number,
  resolution: number,
): KrylovSpace {
  const length = norm(r);
  const basis = length > 0 ? [Float64Array.from(r, (v) => v / length)] : [];
  const diagonal: number[] = [];
  const off: number[] = [];
  while (diagonal.length < basis.length) {
    const j = diagonal.length;
    const next = Float64Array.from(times(basis[j].slice()));
    const size = norm(next);
    if (!Number.isFinite(size))
      throw new RangeError('A product of the operator is not finite; check the weights it stands for.');
    diagonal.push(orthogonalise(next, (p) => basis[p], j + 1)[j]);
    const beta = norm(next);
    if (j + 1 >= most || !(beta > resolution * size)) break;
    off.push(beta);
    basis.push(next.map((v) => v / beta));
  }
  const q = diagonal.length;
  const small = matrix(q, q);
  for (let j = 0; j < q; j++) {
    small.data[j * q + j] = diagonal[j];
    if (j + 1 < q) {
      small.data[j * q + j + 1] = off[j];
      small.data[(j + 1) * q + j] = off[j];
    }
  }
  return { basis, length, ...eigh(small, { engine: plainEngine }) };
}
