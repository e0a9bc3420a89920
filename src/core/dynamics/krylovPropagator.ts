import { krylovSpace } from '../linalg/krylov.js';
import type { Matrix } from '../linalg/matrix.js';

/**
 * p(A) r of polynomials p that grow by one factor after another, for a symmetric operator A given by its products: r is
 * written in the Krylov space of A and r, where A is a small matrix, so that no factor needs another product.
 */
export class KrylovPropagator {
  /** Ritz values, [q] descending. */
  readonly values: Float64Array;
  /** Parts of p(A) r along the Ritz vectors. */
  private readonly parts: Float64Array;
  private readonly vectors: Matrix;
  private readonly basis: readonly Float64Array[];

  /**
   * `times` must not keep its vector; at most `most` products are taken. What is left of a product below `resolution` of
   * it is rounding and no direction: by default that of float32 products.
   */
  constructor(
    times: (x: Float64Array) => ArrayLike<number>,
    private readonly r: ArrayLike<number>,
    most: number,
    resolution = 1e-6,
  ) {
    const { basis, length, values, vectors } = krylovSpace(times, r, most, resolution);
    this.basis = basis;
    this.values = values;
    this.vectors = vectors;
    this.parts = values.map((_, k) => length * vectors.data[k * values.length]);
  }

  /** Applies a factor, a polynomial in A given by its values. */
  take(factor: (value: number) => number): void {
    for (let k = 0; k < this.parts.length; k++) this.parts[k] *= factor(this.values[k]);
  }

  /** p(A) r. */
  vector(): Float64Array {
    return this.at(Array.from(this.r, (_, i) => i));
  }

  /** p(A) r at some of its places. */
  at(places: ArrayLike<number>): Float64Array {
    const q = this.values.length;
    const out = new Float64Array(places.length);
    for (let j = 0; j < q; j++) {
      let weight = 0;
      for (let k = 0; k < q; k++) weight += this.parts[k] * this.vectors.data[k * q + j];
      for (let i = 0; i < places.length; i++) out[i] += weight * this.basis[j][places[i]];
    }
    return out;
  }
}
