/**
 * C = A B, each in panels of eight columns: A [rows, 8 k] and C [rows, 8 columns] with panels `panelA` and `panelC` bytes
 * apart, B [8 k, 8 columns] without gaps. Rows are rounded up to a multiple of 4, for which there must be room.
 */
export function times(
  a: usize,
  panelA: usize,
  b: usize,
  c: usize,
  panelC: usize,
  rows: i32,
  k: i32,
  columns: i32,
): void {
  const end = (<usize>k) << 8;
  for (let j = 0; j < columns; j++) {
    const first = b + <usize>j * end;
    for (let i = 0; i < rows; i += 4) {
      let left = a + ((<usize>i) << 5);
      let c00 = f32x4.splat(0);
      let c01 = f32x4.splat(0);
      let c10 = f32x4.splat(0);
      let c11 = f32x4.splat(0);
      let c20 = f32x4.splat(0);
      let c21 = f32x4.splat(0);
      let c30 = f32x4.splat(0);
      let c31 = f32x4.splat(0);
      let right = first;
      for (let l = 0; l < k; l++) {
        // Unrolled, this would need more registers than there are.
        const stop = right + 256;
        while (right < stop) {
          const b0 = v128.load(right);
          const b1 = v128.load(right, 16);
          let x = v128.load32_splat(left);
          c00 = f32x4.add(c00, f32x4.mul(x, b0));
          c01 = f32x4.add(c01, f32x4.mul(x, b1));
          x = v128.load32_splat(left, 32);
          c10 = f32x4.add(c10, f32x4.mul(x, b0));
          c11 = f32x4.add(c11, f32x4.mul(x, b1));
          x = v128.load32_splat(left, 64);
          c20 = f32x4.add(c20, f32x4.mul(x, b0));
          c21 = f32x4.add(c21, f32x4.mul(x, b1));
          x = v128.load32_splat(left, 96);
          c30 = f32x4.add(c30, f32x4.mul(x, b0));
          c31 = f32x4.add(c31, f32x4.mul(x, b1));
          left += 4;
          right += 32;
        }
        left += panelA - 32;
      }
      const to = c + <usize>j * panelC + ((<usize>i) << 5);
      v128.store(to, c00, 0);
      v128.store(to, c01, 16);
      v128.store(to, c10, 32);
      v128.store(to, c11, 48);
      v128.store(to, c20, 64);
      v128.store(to, c21, 80);
      v128.store(to, c30, 96);
      v128.store(to, c31, 112);
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
