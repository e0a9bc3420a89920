import { address, integer, real } from './control';
import { multiply } from './micro';
import { packColumns, packRows } from './pack';

/** Packs some panels: from, stride, rows, k, to, panels a task, whether the operand lies turned (its rows as columns). */
export function packTask(task: i32): void {
  const from = address(0);
  const stride = address(1);
  const rows = integer(2);
  const k = integer(3);
  const to = address(4);
  const group = integer(5);
  const turned = integer(6);
  const end = min((rows + 7) >> 3, (task + 1) * group);
  for (let p = task * group; p < end; p++) {
    const at = to + <usize>p * ((<usize>k) << 5);
    if (turned) packColumns(from + ((<usize>p) << 5), stride, rows - 8 * p, k, at);
    else packRows(from + (<usize>p << 3) * stride, stride, rows - 8 * p, k, at);
  }
}

/** A tile of a product: a, b, k, panels of rows and of columns, c, its stride, panels in a tile of rows and of columns. */
export function productTask(task: i32): void {
  const k = integer(2);
  const rows = integer(3);
  const columns = integer(4);
  const stride = address(6);
  const high = integer(7);
  const wide = integer(8);
  const across = (columns + wide - 1) / wide;
  const i = (task / across) * high;
  const j = (task % across) * wide;
  const panel = (<usize>k) << 5;
  multiply(
    address(0) + <usize>i * panel,
    address(1) + <usize>j * panel,
    k,
    min(high, rows - i),
    min(wide, columns - j),
    address(5) + (<usize>i << 3) * stride + ((<usize>j) << 5),
    stride,
    false,
  );
}

/**
 * A tile of out += factor (A A'^T + shift) o (D D'^T), or without D (its k is 0) of out += factor (A A'^T + shift):
 * a, a', k, d, d', k of d, out, its stride, panels of rows and of columns, panels in a tile, whether only what is not
 * below the diagonal is wanted, scratch and its size for a thread, factor, shift.
 */
export function gramTask(task: i32, thread: i32): void {
  const k = integer(2);
  const kd = integer(5);
  const stride = address(7);
  const rows = integer(8);
  const columns = integer(9);
  const size = integer(10);
  const symmetric = integer(11) != 0;
  const across = (columns + size - 1) / size;
  const i = (task / across) * size;
  const j = (task % across) * size;
  if (symmetric && j < i) return;
  const high = min(size, rows - i);
  const wide = min(size, columns - j);
  const triangle = symmetric && i == j;
  const t = address(12) + <usize>thread * address(13);
  const line = (<usize>wide) << 5;
  const panel = (<usize>k) << 5;
  multiply(address(0) + <usize>i * panel, address(1) + <usize>j * panel, k, high, wide, t, line, triangle);
  const u = t + (<usize>high << 3) * line;
  const panelD = (<usize>kd) << 5;
  if (kd > 0)
    multiply(address(3) + <usize>i * panelD, address(4) + <usize>j * panelD, kd, high, wide, u, line, triangle);
  const factor = f32x4.splat(real(14));
  const shift = f32x4.splat(real(15));
  const out = address(6) + (<usize>i << 3) * stride + ((<usize>j) << 5);
  for (let r = 0; r < high << 3; r++) {
    // Of a tile on the diagonal, only the panels that `multiply` has filled.
    const first = triangle ? (<usize>(r & ~7)) << 2 : 0;
    const to = out + <usize>r * stride;
    const x = t + <usize>r * line;
    const y = u + <usize>r * line;
    for (let o = first; o < line; o += 16) {
      let value = f32x4.mul(factor, f32x4.add(v128.load(x + o), shift));
      if (kd > 0) value = f32x4.mul(value, v128.load(y + o));
      v128.store(to + o, f32x4.add(v128.load(to + o), value));
    }
  }
}
