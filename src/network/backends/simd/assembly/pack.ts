/** Rows [rows, k], `stride` bytes apart, to panels of eight rows, value after value of all eight; missing rows are zero. */
export function packRows(from: usize, stride: usize, rows: i32, k: i32, to: usize): void {
  for (let r = 0; r < 8; r += 4) {
    const x0 = from + <usize>r * stride;
    const out = to + (<usize>r << 2);
    const present = rows - r;
    let j = 0;
    if (present >= 4) {
      const x1 = x0 + stride;
      const x2 = x1 + stride;
      const x3 = x2 + stride;
      for (; j + 4 <= k; j += 4) {
        const o = (<usize>j) << 2;
        const a = v128.load(x0 + o);
        const b = v128.load(x1 + o);
        const c = v128.load(x2 + o);
        const d = v128.load(x3 + o);
        const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
        const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
        const AB = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
        const CD = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
        const at = out + ((<usize>j) << 5);
        v128.store(at, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5));
        v128.store(at, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7), 32);
        v128.store(at, v128.shuffle<f32>(AB, CD, 0, 1, 4, 5), 64);
        v128.store(at, v128.shuffle<f32>(AB, CD, 2, 3, 6, 7), 96);
      }
    }
    for (; j < k; j++) {
      for (let i = 0; i < 4; i++) {
        const value = i < present ? load<f32>(x0 + <usize>i * stride + ((<usize>j) << 2)) : 0;
        store<f32>(out + ((<usize>j) << 5) + ((<usize>i) << 2), value);
      }
    }
  }
}

/** Eight columns (fewer at the edge) of a matrix of k rows, `stride` bytes apart, to a panel. */
export function packColumns(from: usize, stride: usize, columns: i32, k: i32, to: usize): void {
  if (columns >= 8) {
    for (let j = 0; j < k; j++) {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
      from += stride;
      to += 32;
    }
    return;
  }
  for (let j = 0; j < k; j++) {
    for (let i = 0; i < 8; i++)
      store<f32>(to + ((<usize>i) << 2), i < columns ? load<f32>(from + ((<usize>i) << 2)) : 0);
    from += stride;
    to += 32;
  }
}
