import type { Matrix } from './matrix.js';

/**
 * A symmetric matrix brought to tridiagonal form, K = scale Q T Q^T, by Householder reflectors. Implemented twice: in
 * WebAssembly for speed and in plain TypeScript, where there is no WebAssembly SIMD and as its oracle.
 */
export interface Reduction {
  readonly n: number;
  /** Power of two that was divided out, so that squares neither overflow nor vanish. 0 for the zero matrix. */
  readonly scale: number;
  /** Diagonal of T [n]. */
  readonly diagonal: Float64Array;
  /** Off-diagonal of T [n], the last entry 0. */
  readonly offDiagonal: Float64Array;
  /** Replaces each of the `count` rows (length n) of `rows` by Q times it, or Q^T times it when `transposed`. */
  applyQ(rows: Float64Array, count: number, transposed: boolean): void;
  /**
   * Diagonalises T = S diag(values) S^T by implicit QL and replaces `block` [n, width], when given, by S^T times it.
   * Values are in no particular order, in units of `scale`.
   */
  diagonalise(block?: Float64Array, width?: number): Float64Array;
  /** Gives the memory back; nothing else may be called afterwards. */
  release(): void;
}

export interface Engine {
  readonly name: 'wasm' | 'plain';
  /** Reads the upper triangle of K, whose entries are finite and at most `largest` in absolute value. */
  reduce(k: Matrix, largest: number): Reduction;
}

/**
 * What a matrix with largest entry x is divided by: 0 for 0, 1 where squares of its entries are safe, else the power of
 * two just above x, so that dividing is exact.
 */
export function powerOfTwoScale(x: number): number {
  if (x === 0) return 0;
  if (x > 1e-100 && x < 1e100) return 1;
  const exponent = Math.max(-1020, Math.min(1020, Math.ceil(Math.log2(x))));
  return 2 ** exponent;
}

/** QL works best from small to large; a kernel's reduction runs the other way. True when T should be reversed. */
export function runsDownward(diagonal: Float64Array): boolean {
  return diagonal.length > 1 && Math.abs(diagonal[0]) > Math.abs(diagonal[diagonal.length - 1]);
}

/** Reverses the diagonal, the off-diagonal (n - 1 used entries) and the rows of the block in place. */
export function reverseInPlace(d: Float64Array, e: Float64Array, block?: Float64Array, width = 0): void {
  const n = d.length;
  d.reverse();
  e.subarray(0, Math.max(0, n - 1)).reverse();
  if (!block) return;
  const row = new Float64Array(width);
  for (let i = 0, j = n - 1; i < j; i++, j--) {
    row.set(block.subarray(i * width, (i + 1) * width));
    block.copyWithin(i * width, j * width, (j + 1) * width);
    block.set(row, j * width);
  }
}

/** More sweeps than this for one eigenvalue never happen with finite input. */
export const maximumSweeps = 60;
