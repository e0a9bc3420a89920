import { Random } from '../random.js';
import { eigh, signAnchor } from './eigen.js';
import { norm, orthogonalise, type SymmetricProduct } from './krylov.js';
import { type Matrix, matrix } from './matrix.js';

export interface LanczosOptions {
  /** A pair has converged when |A v - lambda v| <= tolerance * |largest Ritz value|. Default 1e-10. */
  readonly tolerance?: number;
  /** Most products with the operator. Default min(n, max(10 k, 300)). */
  readonly maxProducts?: number;
  /** Largest basis held before a restart. Default min(n, max(2 k + 20, 60)). */
  readonly basis?: number;
  readonly seed?: number | string;
}

export interface LanczosResult {
  /** [k] descending. */
  readonly values: Float64Array;
  /** [k, n]: rows are unit Ritz vectors, with the sign convention of `eigh`. */
  readonly vectors: Matrix;
  /** [k]: |A v - lambda v|, estimated from the recurrence. */
  readonly residuals: Float64Array;
  /** Whether every residual met the tolerance. */
  readonly converged: boolean;
  /** Products with the operator that were used. */
  readonly products: number;
}

/**
 * The k largest eigenpairs of a symmetric operator of size n, given only its products with vectors: thick-restart
 * Lanczos with full reorthogonalisation (Wu and Simon 2000). `matvec` returns A x and must not keep x. Deterministic for
 * a seed. Eigenvalues that coincide are found one after another, since a basis that closes on itself goes on from a
 * fresh random vector. Throws a RangeError when a product is not finite or k is not between 1 and n.
 */
export function lanczos(
  matvec: SymmetricProduct,
  n: number,
  k: number,
  options: LanczosOptions = {},
): LanczosResult {
  if (!(k >= 1 && k <= n && Number.isInteger(k)))
    throw new RangeError(`An operator of size ${n} has between 1 and ${n} eigenpairs; ${k} were asked for.`);
  const size = Math.min(n, Math.max(k + 1, options.basis ?? Math.max(2 * k + 20, 60)));
  const most = options.maxProducts ?? Math.max(size, Math.min(4 * n, Math.max(10 * k, 300)));
  const tolerance = options.tolerance ?? 1e-10;
  const random = new Random(options.seed ?? 0).fork('lanczos');
  const basis = new Float64Array((size + 1) * n);
  const row = (p: number): Float64Array => basis.subarray(p * n, (p + 1) * n);
  const projected = matrix(size, size);
  const first = row(0);
  first.set(random.normals(n));
  const start = norm(first);
  for (let i = 0; i < n; i++) first[i] /= start;
  let kept = 0;
  let products = 0;
  for (;;) {
    let beta = 0;
    let held = size;
    for (let j = kept; j < size; j++) {
      const x = row(j);
      const next = row(j + 1);
      next.set(matvec(x.slice()));
      products++;
      const length = norm(next);
      if (!Number.isFinite(length))
        throw new RangeError(
          `Product ${products} of the operator is not finite; check the kernel it stands for.`,
        );
      const coefficients = orthogonalise(next, row, j + 1);
      // The first column after a restart couples to all kept vectors, which are stored already.
      for (let p = 0; p <= j; p++) {
        projected.data[p * size + j] = coefficients[p];
        projected.data[j * size + p] = coefficients[p];
      }
      beta = norm(next);
      if (beta <= 1e-13 * length || beta === 0) {
        // An invariant subspace: go on in a random direction outside it.
        beta = 0;
        if (j + 1 >= n) {
          held = j + 1;
          break;
        }
        next.set(random.normals(n));
        orthogonalise(next, row, j + 1);
        const fresh = norm(next);
        for (let i = 0; i < n; i++) next[i] /= fresh;
        if (j + 1 < size) continue;
      } else for (let i = 0; i < n; i++) next[i] /= beta;
    }
    const small = held === size ? projected : shrink(projected, held);
    const { values, vectors } = eigh(small);
    const residuals = values.slice(0, k).map((_, i) => Math.abs(beta * vectors.data[i * held + held - 1]));
    const scale = Math.max(Math.abs(values[0]), Math.abs(values[held - 1]));
    const converged = residuals.every((r) => r <= tolerance * scale);
    if (converged || products >= most || held === n)
      return {
        values: values.slice(0, k),
        vectors: combine(basis, n, vectors, held, k),
        residuals,
        converged,
        products,
      };
    kept = Math.min(size - 1, k + Math.ceil((size - k) / 3));
    const ritz = combine(basis, n, vectors, held, kept);
    basis.set(basis.slice(size * n, (size + 1) * n), kept * n);
    basis.set(ritz.data);
    projected.data.fill(0);
    for (let p = 0; p < kept; p++) projected.data[p * size + p] = values[p];
  }
}

function shrink(a: Matrix, n: number): Matrix {
  const out = matrix(n, n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) out.data[i * n + j] = a.data[i * a.cols + j];
  return out;
}

/** The first `count` Ritz vectors: rows of `weights` [held, held] times the basis [held, n], signs as in `eigh`. */
function combine(basis: Float64Array, n: number, weights: Matrix, held: number, count: number): Matrix {
  const out = matrix(count, n);
  const anchor = signAnchor(n);
  for (let r = 0; r < count; r++) {
    const row = out.data.subarray(r * n, (r + 1) * n);
    for (let p = 0; p < held; p++) {
      const f = weights.data[r * held + p];
      for (let i = 0; i < n; i++) row[i] += f * basis[p * n + i];
    }
    let s = 0;
    for (let i = 0; i < n; i++) s += row[i] * anchor[i];
    if (s < 0) for (let i = 0; i < n; i++) row[i] = -row[i];
  }
  return out;
}
