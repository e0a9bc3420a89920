/** The symmetric eigenproblem in float64: values, label energies, vectors. NUMERICS: K symmetric, upper triangle read. */
import type { Engine, Reduction } from './engine.js';
import { tridiagonalVectors } from './inverseIteration.js';
import { type Matrix, matrix } from './matrix.js';
import { requireFinite, requireSquare } from './ops.js';
import { plainEngine } from './plain.js';
import { wasmEngine, wasmSupported } from './wasm/engine.js';

export interface EigenOptions {
  /** Default: WebAssembly where it can be had, else plain TypeScript. */
  readonly engine?: Engine;
}

export interface SpectralOptions extends EigenOptions {
  /** How many eigenvectors of the largest eigenvalues to return; default 0. */
  readonly topVectors?: number;
}

export interface Spectral {
  /** [N] descending. */
  readonly values: Float64Array;
  /** [N, C]: (v_k . y_c)^2. Each column sums to |y_c|^2 (Parseval). */
  readonly energy: Matrix;
  /** [N, C]: v_k . y_c, with the sign convention of the vectors. */
  readonly projections: Matrix;
  /** [k, N]: rows are the eigenvectors of the k largest eigenvalues. */
  readonly vectors: Matrix;
}

export interface Eigh {
  /** [N] descending. */
  readonly values: Float64Array;
  /** [N, N]: row k is the unit eigenvector of values[k]. */
  readonly vectors: Matrix;
}

/** The engine that is used by default. */
export function defaultEngine(): Engine {
  chosen ??= wasmSupported() ? wasmEngine : plainEngine;
  return chosen;
}

let chosen: Engine | undefined;

/**
 * Fixed direction that gives every eigenvector its sign: v . anchor >= 0. Pseudo-random, so that symmetric problems
 * (where sums of components vanish) are decided as well and signs stay put while a kernel evolves.
 */
export function signAnchor(n: number): Float64Array {
  const out = new Float64Array(n);
  let z = 0x2545f491;
  for (let i = 0; i < n; i++) {
    z = (Math.imul(z, 1664525) + 1013904223) | 0;
    out[i] = 0.25 + (z >>> 8) / 16777216;
  }
  return out;
}

function reduce(k: Matrix, options: EigenOptions): Reduction {
  requireSquare(k, 'The kernel');
  let largest = 0;
  for (let i = 0; i < k.data.length; i++) largest = Math.max(largest, Math.abs(k.data[i]));
  if (!Number.isFinite(largest)) requireFinite(k, 'The kernel');
  return (options.engine ?? defaultEngine()).reduce(k, largest);
}

/** Positions of the values from the largest to the smallest. */
function descending(values: Float64Array): Uint32Array {
  const order = Uint32Array.from(values, (_, i) => i);
  return order.sort((a, b) => values[b] - values[a]);
}

/** Eigenvalues of the symmetric K [N, N], descending. Throws a RangeError when K is not square or not finite. */
export function eigenvalues(k: Matrix, options: EigenOptions = {}): Float64Array {
  const reduction = reduce(k, options);
  try {
    const values = reduction.diagonalise();
    for (let i = 0; i < values.length; i++) values[i] *= reduction.scale;
    return values.sort().reverse();
  } finally {
    reduction.release();
  }
}

/** All eigenvalues and eigenvectors of the symmetric K [N, N]. Errors as in `eigenvalues`. */
export function eigh(k: Matrix, options: EigenOptions = {}): Eigh {
  const reduction = reduce(k, options);
  try {
    const n = k.rows;
    const block = new Float64Array(n * n);
    for (let i = 0; i < n; i++) block[i * n + i] = 1;
    // Row r becomes Q e_r, so the block is Q^T, and S^T Q^T has the eigenvectors as rows.
    reduction.applyQ(block, n, false);
    const raw = reduction.diagonalise(block, n);
    const order = descending(raw);
    const anchor = signAnchor(n);
    const vectors = matrix(n, n);
    for (let row = 0; row < n; row++) {
      const source = block.subarray(order[row] * n, (order[row] + 1) * n);
      vectors.data.set(source, row * n);
      orient(vectors.data.subarray(row * n, (row + 1) * n), anchor);
    }
    return { values: Float64Array.from(order, (i) => raw[i] * reduction.scale), vectors };
  } finally {
    reduction.release();
  }
}

/** Turns v so that v . anchor >= 0. */
function orient(v: Float64Array, anchor: Float64Array): void {
  let s = 0;
  for (let i = 0; i < v.length; i++) s += v[i] * anchor[i];
  if (s < 0) for (let i = 0; i < v.length; i++) v[i] = -v[i];
}

/**
 * All eigenvalues of the symmetric K [N, N], the energy of C target vectors (columns of `targets` [N, C]) in every mode
 * and the top eigenvectors, in one pass that never forms the eigenvector matrix: Q^T is applied to the targets, the QL
 * rotations run on that N x C block, top vectors come from inverse iteration. Where eigenvalues coincide only sums over
 * the common eigenspace are defined, and energies and vectors may belong to different bases of it. Errors as in
 * `eigenvalues`, and a RangeError when the targets have another number of rows or are not finite.
 */
export function spectral(k: Matrix, targets?: Matrix, options: SpectralOptions = {}): Spectral {
  const n = k.rows;
  const c = targets?.cols ?? 0;
  if (targets) {
    if (targets.rows !== n)
      throw new RangeError(
        `The targets have ${targets.rows} rows, but the kernel has ${n}; they must agree.`,
      );
    requireFinite(targets, 'The target matrix');
  }
  const count = Math.max(0, Math.min(n, Math.floor(options.topVectors ?? 0)));
  const reduction = reduce(k, options);
  try {
    const rows = new Float64Array((c + 1) * n);
    if (targets)
      for (let i = 0; i < n; i++) for (let j = 0; j < c; j++) rows[j * n + i] = targets.data[i * c + j];
    const anchor = signAnchor(n);
    rows.set(anchor, c * n);
    const width = c + 1;
    const block = new Float64Array(n * width);
    reduction.applyQ(rows, width, true);
    for (let i = 0; i < n; i++) for (let j = 0; j < width; j++) block[i * width + j] = rows[j * n + i];
    const raw = reduction.diagonalise(block, width);
    const order = descending(raw);
    const projections = matrix(n, c);
    const energy = matrix(n, c);
    for (let mode = 0; mode < n; mode++) {
      const at = order[mode] * width;
      const sign = block[at + c] < 0 ? -1 : 1;
      for (let j = 0; j < c; j++) {
        const value = sign * block[at + j];
        projections.data[mode * c + j] = value;
        energy.data[mode * c + j] = value * value;
      }
    }
    const sorted = Float64Array.from(order, (i) => raw[i]);
    const vectors = topVectors(k, reduction, sorted, count, anchor, options);
    return { values: sorted.map((x) => x * reduction.scale), energy, projections, vectors };
  } finally {
    reduction.release();
  }
}

function topVectors(
  k: Matrix,
  reduction: Reduction,
  sorted: Float64Array,
  count: number,
  anchor: Float64Array,
  options: EigenOptions,
): Matrix {
  const n = k.rows;
  if (count === 0) return matrix(0, n);
  const found = tridiagonalVectors(reduction.diagonal, reduction.offDiagonal, sorted, count);
  if (!found) return matrix(count, n, eigh(k, options).vectors.data.slice(0, count * n));
  reduction.applyQ(found, count, false);
  for (let row = 0; row < count; row++) orient(found.subarray(row * n, (row + 1) * n), anchor);
  return matrix(count, n, found);
}
