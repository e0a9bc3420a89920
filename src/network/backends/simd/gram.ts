import { type Operand, pack, panelsOf } from './operand.js';
import { operations, type Threads } from './threads.js';

export type Range = readonly [start: number, size: number];

/** factor (A A'^T + shift) o (D D'^T), or without cotangents factor (A A'^T + shift). */
export interface GramPart {
  readonly input: Operand;
  readonly cotangent: Operand | null;
  readonly factor: number;
  readonly shift: number;
}

/** Values of a row that are multiplied at once, where the sum may be taken in pieces. */
const piece = 4096;

/**
 * Sums of Gram matrices of samples i against samples j, [i, j], a and b being the same parts for the two sets of samples.
 * With `symmetric` (a is b) and i equal to j, what lies below the diagonal is left undefined. The result is gone with the
 * next product.
 */
export function gramOf(
  threads: Threads,
  a: readonly GramPart[],
  b: readonly GramPart[],
  i: Range,
  j: Range,
  symmetric: boolean,
): { readonly values: Float32Array; readonly stride: number } {
  threads.clear();
  const [rows, columns] = [panelsOf(i[1]), panelsOf(j[1])];
  const stride = 8 * columns;
  const out = threads.allocate(32 * rows * stride);
  threads.values(out, 8 * rows * stride).fill(0);
  const same = symmetric && i[0] === j[0] && i[1] === j[1];
  const size = tileOf(rows, columns, same, threads.count);
  const across = Math.ceil(columns / size);
  const scratchBytes = 2 * 4 * (8 * size) ** 2;
  const scratch = threads.allocate(threads.count * scratchBytes);
  const tasks = Math.ceil(rows / size) * across;
  const mark = threads.mark;
  const both = (left: Operand, right: Operand, values?: Range): [number, number] => {
    const packed = pack(threads, left, i, values).at;
    return [packed, same ? packed : pack(threads, right, j, values).at];
  };
  for (const [p, part] of a.entries()) {
    const other = b[p];
    const gram = (values: Range, shift: number) => {
      const inputs = both(part.input, other.input, values);
      const cotangents = part.cotangent && other.cotangent ? both(part.cotangent, other.cotangent) : [0, 0];
      const where = [...inputs, values[1], ...cotangents, part.cotangent?.k ?? 0, out, 4 * stride];
      const shape = [rows, columns, size, same ? 1 : 0, scratch, scratchBytes];
      threads.do(operations.gram, tasks, [...where, ...shape], [part.factor, shift]);
      threads.back(mark);
    };
    const { k } = part.input;
    if (part.cotangent || k === 0) gram([0, k], part.shift);
    else
      for (let from = 0; from < k; from += piece)
        gram([from, Math.min(piece, k - from)], from === 0 ? part.shift : 0);
  }
  return { values: threads.values(out, i[1] * stride), stride };
}

/** Panels in the side of a tile: eight, or fewer where there would be too few tiles for all threads. */
function tileOf(rows: number, columns: number, triangle: boolean, count: number): number {
  let size = 8;
  const tiles = () => Math.ceil(rows / size) * Math.ceil(columns / size) * (triangle ? 0.5 : 1);
  while (size > 2 && tiles() < 6 * count) size /= 2;
  return size;
}
