// Vector kernels on raw addresses. Lengths are multiples of 4 float64; buffers are padded with zeros to make it so.

@inline
export function sum2(x: v128): f64 {
  return f64x2.extract_lane(x, 0) + f64x2.extract_lane(x, 1);
}

/** x . y over the bytes [from, to). */
export function dot(x: usize, y: usize, from: usize, to: usize): f64 {
  let s0 = f64x2.splat(0);
  let s1 = f64x2.splat(0);
  for (let o = from; o < to; o += 32) {
    s0 = f64x2.add(s0, f64x2.mul(v128.load(x + o), v128.load(y + o)));
    s1 = f64x2.add(s1, f64x2.mul(v128.load(x + o, 16), v128.load(y + o, 16)));
  }
  return sum2(f64x2.add(s0, s1));
}

/** x . z, y . z, u . z and v . z over the bytes [from, to), stored at `out`. */
export function dot4(x: usize, y: usize, u: usize, v: usize, z: usize, from: usize, to: usize, out: usize): void {
  let s0 = f64x2.splat(0);
  let s1 = f64x2.splat(0);
  let s2 = f64x2.splat(0);
  let s3 = f64x2.splat(0);
  for (let o = from; o < to; o += 16) {
    const t = v128.load(z + o);
    s0 = f64x2.add(s0, f64x2.mul(t, v128.load(x + o)));
    s1 = f64x2.add(s1, f64x2.mul(t, v128.load(y + o)));
    s2 = f64x2.add(s2, f64x2.mul(t, v128.load(u + o)));
    s3 = f64x2.add(s3, f64x2.mul(t, v128.load(v + o)));
  }
  store<f64>(out, sum2(s0));
  store<f64>(out, sum2(s1), 8);
  store<f64>(out, sum2(s2), 16);
  store<f64>(out, sum2(s3), 24);
}

/** z -= a x + b y over the bytes [from, to). */
export function subtract2(z: usize, a: f64, x: usize, b: f64, y: usize, from: usize, to: usize): void {
  const a2 = f64x2.splat(a);
  const b2 = f64x2.splat(b);
  for (let o = from; o < to; o += 32) {
    const p = f64x2.add(f64x2.mul(a2, v128.load(x + o)), f64x2.mul(b2, v128.load(y + o)));
    const q = f64x2.add(f64x2.mul(a2, v128.load(x + o, 16)), f64x2.mul(b2, v128.load(y + o, 16)));
    v128.store(z + o, f64x2.sub(v128.load(z + o), p));
    v128.store(z + o, f64x2.sub(v128.load(z + o, 16), q), 16);
  }
}

/** z -= a x + b y + c u + d v over the bytes [from, to). */
export function subtract4(
  z: usize,
  a: f64,
  x: usize,
  b: f64,
  y: usize,
  c: f64,
  u: usize,
  d: f64,
  v: usize,
  from: usize,
  to: usize,
): void {
  const a2 = f64x2.splat(a);
  const b2 = f64x2.splat(b);
  const c2 = f64x2.splat(c);
  const d2 = f64x2.splat(d);
  for (let o = from; o < to; o += 16) {
    const p = f64x2.add(f64x2.mul(a2, v128.load(x + o)), f64x2.mul(b2, v128.load(y + o)));
    const q = f64x2.add(f64x2.mul(c2, v128.load(u + o)), f64x2.mul(d2, v128.load(v + o)));
    v128.store(z + o, f64x2.sub(v128.load(z + o), f64x2.add(p, q)));
  }
}

/** x *= a over the bytes [from, to). */
export function scale(x: usize, a: f64, from: usize, to: usize): void {
  const a2 = f64x2.splat(a);
  for (let o = from; o < to; o += 16) v128.store(x + o, f64x2.mul(a2, v128.load(x + o)));
}

/** Bytes [from, to) of x become zero. */
export function clear(x: usize, from: usize, to: usize): void {
  if (to > from) memory.fill(x + from, 0, to - from);
}
