/** out = the sum of `rows` rows of `columns` float32 numbers, eight rows at a time so that rounding grows eight times less. */
export function columnSums(from: usize, to: usize, rows: i32, columns: i32): void {
  const stride = (<usize>columns) << 2;
  const whole = (<usize>(columns & ~3)) << 2;
  memory.fill(to, 0, stride);
  let row = 0;
  for (; row + 8 <= rows; row += 8) {
    const far = from + 4 * stride;
    for (let o: usize = 0; o < whole; o += 16) {
      const a = from + o;
      const b = far + o;
      const s = f32x4.add(
        f32x4.add(
          f32x4.add(v128.load(a), v128.load(a + stride)),
          f32x4.add(v128.load(a + 2 * stride), v128.load(a + 3 * stride)),
        ),
        f32x4.add(
          f32x4.add(v128.load(b), v128.load(b + stride)),
          f32x4.add(v128.load(b + 2 * stride), v128.load(b + 3 * stride)),
        ),
      );
      v128.store(to + o, f32x4.add(v128.load(to + o), s));
    }
    for (let o = whole; o < stride; o += 4) {
      const a = from + o;
      const b = far + o;
      const near = load<f32>(a) + load<f32>(a + stride) + (load<f32>(a + 2 * stride) + load<f32>(a + 3 * stride));
      const rest = load<f32>(b) + load<f32>(b + stride) + (load<f32>(b + 2 * stride) + load<f32>(b + 3 * stride));
      store<f32>(to + o, load<f32>(to + o) + (near + rest));
    }
    from += 8 * stride;
  }
  for (; row < rows; row++) {
    for (let o: usize = 0; o < whole; o += 16)
      v128.store(to + o, f32x4.add(v128.load(to + o), v128.load(from + o)));
    for (let o = whole; o < stride; o += 4) store<f32>(to + o, load<f32>(to + o) + load<f32>(from + o));
    from += stride;
  }
}
