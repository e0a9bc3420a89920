import { type Operand, pack, packedBytes, panelsOf } from './operand.js';
import { operations, type Threads } from './threads.js';

/** Values of the left operand that are packed and multiplied at once. */
const atOnce = 2 ** 20;

/** A B^T of [n, k] and [m, k] into `out()`, [n, m]. */
export function multiply(threads: Threads, a: Operand, b: Operand, out: () => Float32Array): void {
  const { k } = a;
  const [n, m] = [a.rows, b.rows];
  threads.clear();
  const right = pack(threads, b);
  const width = 8 * right.panels;
  const most = Math.min(n, Math.max(64, 8 * Math.floor(atOnce / (8 * Math.max(k, width)))));
  const leftAt = threads.allocate(packedBytes(most, k));
  const c = threads.allocate(32 * panelsOf(most) * width);
  for (let i = 0; i < n; i += most) {
    const rows = Math.min(most, n - i);
    const left = pack(threads, a, [i, rows], [0, k], leftAt);
    const [high, wide] = tileOf(left.panels, right.panels, threads.count);
    const tasks = Math.ceil(left.panels / high) * Math.ceil(right.panels / wide);
    const shape = [k, left.panels, right.panels, c, 4 * width, high, wide];
    threads.do(operations.product, tasks, [left.at, right.at, ...shape]);
    const values = threads.values(c, rows * width);
    const target = out();
    if (width === m) target.set(values, i * m);
    else for (let r = 0; r < rows; r++) target.set(values.subarray(r * width, r * width + m), (i + r) * m);
  }
}

/** Panels of rows and columns in a tile: as large as the second cache likes, but enough tiles for all threads. */
function tileOf(rows: number, columns: number, count: number): [number, number] {
  let [high, wide] = [8, 16];
  const tiles = () => Math.ceil(rows / high) * Math.ceil(columns / wide);
  while (tiles() < 4 * count && high * wide > 8)
    if (wide > high) wide /= 2;
    else high /= 2;
  return [high, wide];
}
