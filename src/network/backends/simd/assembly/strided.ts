/**
 * C [rows, columns] = A B of `rows` rows of k values each (lines of A, B and C lie `strideA`, `strideB` and `strideC` bytes
 * apart). Columns are a multiple of 8, k of 4; rows are rounded up to a multiple of 4, for which there must be room.
 */
export function times(
  a: usize,
  strideA: usize,
  b: usize,
  strideB: usize,
  c: usize,
  strideC: usize,
  rows: i32,
  k: i32,
  columns: i32,
): void {
  const end = (<usize>k) << 2;
  for (let j = 0; j < columns; j += 8) {
    const right = b + ((<usize>j) << 2);
    for (let i = 0; i < rows; i += 4) {
      const a0 = a + <usize>i * strideA;
      const a1 = a0 + strideA;
      const a2 = a1 + strideA;
      const a3 = a2 + strideA;
      let c00 = f32x4.splat(0);
      let c01 = f32x4.splat(0);
      let c10 = f32x4.splat(0);
      let c11 = f32x4.splat(0);
      let c20 = f32x4.splat(0);
      let c21 = f32x4.splat(0);
      let c30 = f32x4.splat(0);
      let c31 = f32x4.splat(0);
      let at = right;
      for (let o: usize = 0; o < end; o += 8) {
        let b0 = v128.load(at);
        let b1 = v128.load(at, 16);
        let x = v128.load32_splat(a0 + o);
        c00 = f32x4.add(c00, f32x4.mul(x, b0));
        c01 = f32x4.add(c01, f32x4.mul(x, b1));
        x = v128.load32_splat(a1 + o);
        c10 = f32x4.add(c10, f32x4.mul(x, b0));
        c11 = f32x4.add(c11, f32x4.mul(x, b1));
        x = v128.load32_splat(a2 + o);
        c20 = f32x4.add(c20, f32x4.mul(x, b0));
        c21 = f32x4.add(c21, f32x4.mul(x, b1));
        x = v128.load32_splat(a3 + o);
        c30 = f32x4.add(c30, f32x4.mul(x, b0));
        c31 = f32x4.add(c31, f32x4.mul(x, b1));
        at += strideB;
        b0 = v128.load(at);
        b1 = v128.load(at, 16);
        x = v128.load32_splat(a0 + o, 4);
        c00 = f32x4.add(c00, f32x4.mul(x, b0));
        c01 = f32x4.add(c01, f32x4.mul(x, b1));
        x = v128.load32_splat(a1 + o, 4);
        c10 = f32x4.add(c10, f32x4.mul(x, b0));
        c11 = f32x4.add(c11, f32x4.mul(x, b1));
        x = v128.load32_splat(a2 + o, 4);
        c20 = f32x4.add(c20, f32x4.mul(x, b0));
        c21 = f32x4.add(c21, f32x4.mul(x, b1));
        x = v128.load32_splat(a3 + o, 4);
        c30 = f32x4.add(c30, f32x4.mul(x, b0));
        c31 = f32x4.add(c31, f32x4.mul(x, b1));
        at += strideB;
      }
      const to = c + <usize>i * strideC + ((<usize>j) << 2);
      const to1 = to + strideC;
      const to2 = to1 + strideC;
      const to3 = to2 + strideC;
      v128.store(to, c00);
      v128.store(to, c01, 16);
      v128.store(to1, c10);
      v128.store(to1, c11, 16);
      v128.store(to2, c20);
      v128.store(to2, c21, 16);
      v128.store(to3, c30);
      v128.store(to3, c31, 16);
    }
  }
}

/** C [rows, columns] = A^T B of k lines; rows are a multiple of 4, columns of 8. */
export function turnedTimes(
  a: usize,
  strideA: usize,
  b: usize,
  strideB: usize,
  c: usize,
  strideC: usize,
  rows: i32,
  k: i32,
  columns: i32,
): void {
  for (let j = 0; j < columns; j += 8) {
    for (let i = 0; i < rows; i += 4) {
      let c00 = f32x4.splat(0);
      let c01 = f32x4.splat(0);
      let c10 = f32x4.splat(0);
      let c11 = f32x4.splat(0);
      let c20 = f32x4.splat(0);
      let c21 = f32x4.splat(0);
      let c30 = f32x4.splat(0);
      let c31 = f32x4.splat(0);
      let left = a + ((<usize>i) << 2);
      let right = b + ((<usize>j) << 2);
      for (let l = 0; l < k; l++) {
        const b0 = v128.load(right);
        const b1 = v128.load(right, 16);
        let x = v128.load32_splat(left);
        c00 = f32x4.add(c00, f32x4.mul(x, b0));
        c01 = f32x4.add(c01, f32x4.mul(x, b1));
        x = v128.load32_splat(left, 4);
        c10 = f32x4.add(c10, f32x4.mul(x, b0));
        c11 = f32x4.add(c11, f32x4.mul(x, b1));
        x = v128.load32_splat(left, 8);
        c20 = f32x4.add(c20, f32x4.mul(x, b0));
        c21 = f32x4.add(c21, f32x4.mul(x, b1));
        x = v128.load32_splat(left, 12);
        c30 = f32x4.add(c30, f32x4.mul(x, b0));
        c31 = f32x4.add(c31, f32x4.mul(x, b1));
        left += strideA;
        right += strideB;
      }
      const to = c + <usize>i * strideC + ((<usize>j) << 2);
      const to1 = to + strideC;
      const to2 = to1 + strideC;
      const to3 = to2 + strideC;
      v128.store(to, c00);
      v128.store(to, c01, 16);
      v128.store(to1, c10);
      v128.store(to1, c11, 16);
      v128.store(to2, c20);
      v128.store(to2, c21, 16);
      v128.store(to3, c30);
      v128.store(to3, c31, 16);
    }
  }
}
