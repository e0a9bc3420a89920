import { operations, type Threads } from './threads.js';

/** A float32 matrix of `rows` rows of k values. */
export interface Operand {
  /** Its values, at the moment they are read. */
  readonly values: () => Float32Array;
  readonly rows: number;
  readonly k: number;
  /** The values lie as [k, rows]. */
  readonly turned: boolean;
}

export interface Packed {
  readonly at: number;
  readonly panels: number;
  readonly k: number;
}

export const panelsOf = (rows: number): number => Math.ceil(rows / 8);

/** Values that are copied into the shared memory at once. */
const stagingBytes = 2 ** 20;

/**
 * Brings some rows of an operand, and of these the values from `first` on, into the form of panels that products read,
 * at an address with room for them.
 */
export function pack(
  threads: Threads,
  operand: Operand,
  [start, rows]: readonly [number, number] = [0, operand.rows],
  [first, k]: readonly [number, number] = [0, operand.k],
  at = threads.allocate(packedBytes(rows, k)),
): Packed {
  const panels = panelsOf(rows);
  const mark = threads.mark;
  if (operand.turned) {
    const buffer = threads.allocate(4 * k * rows);
    const values = operand.values();
    copyBox(values, operand.rows, [first, k], [start, rows], threads.values(buffer, k * rows));
    const group = Math.max(1, Math.ceil(panels / (4 * threads.count)));
    threads.do(operations.pack, Math.ceil(panels / group), [buffer, 4 * rows, rows, k, at, group, 1]);
  } else {
    const most = Math.max(1, Math.floor(stagingBytes / (8 * k)));
    const buffer = threads.allocate(4 * k * Math.min(rows, 8 * most));
    const values = operand.values();
    for (let p = 0; p < panels; p += most) {
      const some = Math.min(rows - 8 * p, 8 * most);
      copyBox(values, operand.k, [start + 8 * p, some], [first, k], threads.values(buffer, k * some));
      const group = Math.max(1, Math.ceil(panelsOf(some) / (4 * threads.count)));
      const to = at + 32 * k * p;
      const tasks = Math.ceil(panelsOf(some) / group);
      threads.do(operations.pack, tasks, [buffer, 4 * k, some, k, to, group, 0]);
    }
  }
  threads.back(mark);
  return { at, panels, k };
}

export const packedBytes = (rows: number, k: number): number => 32 * panelsOf(rows) * k;

/** Some rows and columns of a matrix of `width` columns. */
function copyBox(
  from: Float32Array,
  width: number,
  [top, rows]: readonly [number, number],
  [left, columns]: readonly [number, number],
  to: Float32Array,
): void {
  if (columns === width) to.set(from.subarray(top * width, (top + rows) * width));
  else
    for (let r = 0; r < rows; r++) {
      const at = (top + r) * width + left;
      to.set(from.subarray(at, at + columns), r * columns);
    }
}
