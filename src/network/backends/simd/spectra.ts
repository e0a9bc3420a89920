import { type Tridiagonalisation, tridiagonaliseWith } from '../../../core/linalg/wasm/engine.js';
import { OutOfMemoryError } from '../memory.js';
import { operations, type Threads, threads } from './threads.js';

/** Parts of a job: more than threads, so that none waits for long, and always as many, so that sums are the same. */
const parts = 8;
/** Rows that are left below which a job ends sooner than other threads wake up. */
const worthwhile = 448;

const partsFor = (rows: number): number => (rows > worthwhile ? parts : 1);

/**
 * Brings a symmetric float64 matrix to tridiagonal form on our threads, by the steps of `tridiagonalise` in core: its
 * products with reflectors and its updates in parts, everything between them on this thread.
 */
export function tridiagonaliseOn(threads: Threads, job: Tridiagonalisation): void {
  const { matrix, leading, n, width, diagonal, offDiagonal, tau } = job;
  const { exports } = threads;
  const padded = matrix.length / leading;
  const stride = 8 * leading;
  threads.clear();
  const a = threads.allocate(8 * matrix.length);
  const [d, e, t] = [padded, padded, padded].map((length) => threads.allocate(8 * length));
  const panel = threads.allocate(width * stride);
  const pack = threads.allocate((padded / 4) * width * 64);
  const partial = threads.allocate(parts * stride);
  threads.doubles(a, matrix.length).set(matrix);
  for (const at of [d, e, t]) threads.doubles(at, padded).fill(0);
  threads.doubles(panel, width * leading).fill(0);
  const last = n - 1;
  for (let start = 0; start < last; start += width) {
    const stop = Math.min(start + width, last);
    for (let j = start; j < stop; j++) {
      exports.beginColumn(a, stride, j, start, padded, d, e, t, panel);
      const first = (j + 1) & ~3;
      const w = panel + (j - start) * stride;
      const count = partsFor(padded - first);
      const operands = [a, stride, a + j * stride, partial, stride, j + 1, padded, count];
      threads.do(operations.symmetricProduct, count, operands);
      exports.gather(partial, stride, count, w, first, padded);
      exports.endColumn(a, stride, j, start, padded, t, panel, pack);
    }
    if (stop < last) {
      exports.packPanel(a + start * stride, panel, stride, width, stop, padded, pack);
      const count = partsFor(padded - stop);
      threads.do(operations.rankTwoUpdate, count, [a, stride, pack, width, stop, padded, count]);
    } else exports.finishCorner(a, stride, start, stop, last, d, panel);
  }
  matrix.set(threads.doubles(a, matrix.length));
  diagonal.set(threads.doubles(d, n));
  offDiagonal.set(threads.doubles(e, n));
  tau.set(threads.doubles(t, n));
}

/** From now on the spectra of large kernels take all threads of this process, which start with the first one. */
export function spectraOnThreads(): void {
  tridiagonaliseWith((job) => {
    const pool = threads();
    if (!pool || pool.count === 1) return false;
    try {
      tridiagonaliseOn(pool, job);
      return true;
    } catch (error) {
      if (error instanceof OutOfMemoryError) return false;
      throw error;
    }
  });
}
