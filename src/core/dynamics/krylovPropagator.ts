import { eigh } from '../linalg/eigen.js';
import { type Matrix, matrix } from '../linalg/matrix.js';
import { plainEngine } from '../linalg/plain.js';

/**
 * p(A) r of polynomials p that grow by one factor after another, for a symmetric operator A given by its products: r is
 * written in the Krylov space of A and r, where A is a small matrix (Lanczos with full reorthogonalisation), so that no
 * factor needs another product.
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
    const length = norm(r);
    const small = matrix(most, most);
    const basis = length > 0 ? [Float64Array.from(r, (v) => v / length)] : [];
    let count = 0;
    while (count < basis.length) {
      const next = Float64Array.from(times(basis[count]));
      const size = norm(next);
      for (let pass = 0; pass < 2; pass++)
        for (const [j, b] of basis.entries()) {
          let s = 0;
          for (let i = 0; i < next.length; i++) s += next[i] * b[i];
          for (let i = 0; i < next.length; i++) next[i] -= s * b[i];
          if (j === count) small.data[j * most + j] += s;
        }
      const beta = norm(next);
      count++;
      if (count === most || !(beta > resolution * size)) break;
      small.data[(count - 1) * most + count] = beta;
      small.data[count * most + count - 1] = beta;
      basis.push(next.map((v) => v / beta));
    }
    const corner = matrix(count, count);
    for (let i = 0; i < count; i++)
      for (let j = 0; j < count; j++) corner.data[i * count + j] = small.data[i * most + j];
    const modes = eigh(corner, { engine: plainEngine });
    this.basis = basis;
    this.values = modes.values;
    this.vectors = modes.vectors;
    this.parts = Float64Array.from({ length: count }, (_, k) => length * modes.vectors.data[k * count]);
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

function norm(x: ArrayLike<number>): number {
  let s = 0;
  for (let i = 0; i < x.length; i++) s += x[i] * x[i];
  return Math.sqrt(s);
}
