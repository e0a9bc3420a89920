/**
 * C [4, 8] of `k` products: c = a b, or c += a b when `more`. Both operands lie in panels of eight rows, value after value
 * of all eight; `a` points at the first of the four rows.
 */
export function micro(k: i32, a: usize, b: usize, c: usize, stride: usize, more: bool): void {
  let c00 = f32x4.splat(0);
  let c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0);
  let c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0);
  let c21 = f32x4.splat(0);
  let c30 = f32x4.splat(0);
  let c31 = f32x4.splat(0);
  const end = a + ((<usize>k) << 5);
  while (a < end) {
    let b0 = v128.load(b, 0);
    let b1 = v128.load(b, 16);
    let x = v128.load32_splat(a, 0);
    c00 = f32x4.add(c00, f32x4.mul(x, b0));
    c01 = f32x4.add(c01, f32x4.mul(x, b1));
    x = v128.load32_splat(a, 4);
    c10 = f32x4.add(c10, f32x4.mul(x, b0));
    c11 = f32x4.add(c11, f32x4.mul(x, b1));
    x = v128.load32_splat(a, 8);
    c20 = f32x4.add(c20, f32x4.mul(x, b0));
    c21 = f32x4.add(c21, f32x4.mul(x, b1));
    x = v128.load32_splat(a, 12);
    c30 = f32x4.add(c30, f32x4.mul(x, b0));
    c31 = f32x4.add(c31, f32x4.mul(x, b1));
    a += 32;
    b += 32;
  }
  const c1 = c + stride;
  const c2 = c1 + stride;
  const c3 = c2 + stride;
  if (more) {
    c00 = f32x4.add(c00, v128.load(c));
    c01 = f32x4.add(c01, v128.load(c, 16));
    c10 = f32x4.add(c10, v128.load(c1));
    c11 = f32x4.add(c11, v128.load(c1, 16));
    c20 = f32x4.add(c20, v128.load(c2));
    c21 = f32x4.add(c21, v128.load(c2, 16));
    c30 = f32x4.add(c30, v128.load(c3));
    c31 = f32x4.add(c31, v128.load(c3, 16));
  }
  v128.store(c, c00);
  v128.store(c, c01, 16);
  v128.store(c1, c10);
  v128.store(c1, c11, 16);
  v128.store(c2, c20);
  v128.store(c2, c21, 16);
  v128.store(c3, c30);
  v128.store(c3, c31, 16);
}

/** Values of an operand that are multiplied at once: two panels of them stay in the first cache. */
const depth: i32 = 256;

/**
 * C = A B^T of `rows` and `columns` panels of eight rows of k values each. `triangle`: what lies below the diagonal is
 * left undefined.
 */
export function multiply(
  a: usize,
  b: usize,
  k: i32,
  rows: i32,
  columns: i32,
  c: usize,
  stride: usize,
  triangle: bool,
): void {
  const panel = (<usize>k) << 5;
  for (let from = 0; from < k; from += depth) {
    const length = min(depth, k - from);
    const offset = (<usize>from) << 5;
    for (let j = 0; j < columns; j++) {
      const right = b + <usize>j * panel + offset;
      const last = triangle ? j + 1 : rows;
      for (let i = 0; i < last; i++) {
        const left = a + <usize>i * panel + offset;
        const to = c + (<usize>i << 3) * stride + (<usize>j << 5);
        micro(length, left, right, to, stride, from > 0);
        micro(length, left + 16, right, to + (stride << 2), stride, from > 0);
      }
    }
  }
}
