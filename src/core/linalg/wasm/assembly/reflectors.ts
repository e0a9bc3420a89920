import { sum2 } from './vectors';

/** Four rows at once: each -= tau (v . row) v over the bytes [from, to). */
function reflect4(v: usize, tau: f64, r0: usize, stride: usize, from: usize, to: usize): void {
  const r1 = r0 + stride;
  const r2 = r1 + stride;
  const r3 = r2 + stride;
  let s0 = f64x2.splat(0);
  let s1 = f64x2.splat(0);
  let s2 = f64x2.splat(0);
  let s3 = f64x2.splat(0);
  for (let o = from; o < to; o += 16) {
    const x = v128.load(v + o);
    s0 = f64x2.add(s0, f64x2.mul(x, v128.load(r0 + o)));
    s1 = f64x2.add(s1, f64x2.mul(x, v128.load(r1 + o)));
    s2 = f64x2.add(s2, f64x2.mul(x, v128.load(r2 + o)));
    s3 = f64x2.add(s3, f64x2.mul(x, v128.load(r3 + o)));
  }
  const f0 = f64x2.splat(tau * sum2(s0));
  const f1 = f64x2.splat(tau * sum2(s1));
  const f2 = f64x2.splat(tau * sum2(s2));
  const f3 = f64x2.splat(tau * sum2(s3));
  for (let o = from; o < to; o += 16) {
    const x = v128.load(v + o);
    v128.store(r0 + o, f64x2.sub(v128.load(r0 + o), f64x2.mul(f0, x)));
    v128.store(r1 + o, f64x2.sub(v128.load(r1 + o), f64x2.mul(f1, x)));
    v128.store(r2 + o, f64x2.sub(v128.load(r2 + o), f64x2.mul(f2, x)));
    v128.store(r3 + o, f64x2.sub(v128.load(r3 + o), f64x2.mul(f3, x)));
  }
}

/**
 * Applies Q (or its transpose) of `tridiagonalise` to `count` rows (a multiple of 4) of padded length n, `stride` bytes
 * apart like the reflectors.
 */
export function applyReflectors(
  a: usize,
  stride: usize,
  n: i32,
  tau: usize,
  rows: usize,
  count: i32,
  transposed: i32,
): void {
  const end = (<usize>((n + 3) & ~3)) << 3;
  const steps = n - 1;
  for (let step = 0; step < steps; step++) {
    const j = transposed ? step : steps - 1 - step;
    const t = load<f64>(tau + ((<usize>j) << 3));
    if (t == 0) continue;
    const from = ((<usize>(j + 1)) << 3) & ~31;
    const v = a + <usize>j * stride;
    for (let r = 0; r < count; r += 4) reflect4(v, t, rows + <usize>r * stride, stride, from, end);
  }
}
