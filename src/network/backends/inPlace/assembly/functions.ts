// Elementary functions of four float32 numbers at once. Polynomials are minimax fits of ours over the stated ranges, by
// relative error unless said otherwise; what remains is a few units in the last place (test/unit/elementwise.test.ts).

@inline
function splat(x: f32): v128 {
  return f32x4.splat(x);
}

/** a x + b. */
@inline
function fma(a: v128, x: v128, b: f32): v128 {
  return f32x4.add(f32x4.mul(a, x), splat(b));
}

@inline
function either(mask: v128, yes: v128, no: v128): v128 {
  return v128.bitselect(yes, no, mask);
}

/** e^x by x = n ln 2 + r (ln 2 in two parts, n times the first being exact) and 1 + r + r^2 P(r), |r| <= ln(2) / 2: 3e-9. */
@inline
export function exp(x: v128): v128 {
  const clamped = f32x4.max(f32x4.min(x, splat(89)), splat(-104));
  const n = f32x4.nearest(f32x4.mul(clamped, splat(1.44269504)));
  const rough = f32x4.sub(clamped, f32x4.mul(n, splat(0.693359375)));
  const r = f32x4.add(rough, f32x4.mul(n, splat(2.12194440e-4)));
  let p = fma(splat(1.38144332e-3), r, 8.36879668e-3);
  p = fma(p, r, 4.16683958e-2);
  p = fma(p, r, 0.1666652);
  p = fma(p, r, 0.499999934);
  p = f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(p, r), r), r), splat(1));
  // Two powers of two, as one alone would leave the range before the product does.
  const i = i32x4.trunc_sat_f32x4_s(n);
  const half = i32x4.shr_s(i, 1);
  const rest = i32x4.sub(i, half);
  const power = i32x4.shl(i32x4.add(half, i32x4.splat(127)), 23);
  const other = i32x4.shl(i32x4.add(rest, i32x4.splat(127)), 23);
  return f32x4.mul(f32x4.mul(p, power), other);
}

/** x + x^3 P(x^2) for |x| <= .625: 1.5e-10; beyond, 1 - 2 / (e^(2 |x|) + 1) with the sign of x. */
@inline
export function tanh(x: v128): v128 {
  const size = f32x4.abs(x);
  const t = f32x4.mul(x, x);
  let p = fma(splat(2.14754014e-3), t, -8.18267773e-3);
  p = fma(p, t, 2.17029688e-2);
  p = fma(p, t, -5.39472046e-2);
  p = fma(p, t, 0.133332098);
  p = fma(p, t, -0.333333309);
  const near = f32x4.add(x, f32x4.mul(f32x4.mul(x, t), p));
  const e = exp(f32x4.add(size, size));
  const far = f32x4.sub(splat(1), f32x4.div(splat(2), f32x4.add(e, splat(1))));
  const signed = v128.or(far, v128.and(x, splat(-0.0)));
  return either(f32x4.le(size, splat(0.625)), near, signed);
}

/** x P(x^2) for |x| <= 1: 4e-11; beyond, 1 - e^(-Q(|x| - 1)) with the sign of x: 1e-9 of 1 up to 4, where erf is 1. */
@inline
export function erf(x: v128): v128 {
  const size = f32x4.abs(x);
  const t = f32x4.mul(x, x);
  let p = fma(splat(-9.64153348e-6), t, 1.12569543e-4);
  p = fma(p, t, -8.48282979e-4);
  p = fma(p, t, 5.2209455e-3);
  p = fma(p, t, -2.68654001e-2);
  p = fma(p, t, 0.11283782);
  p = fma(p, t, -0.376126384);
  p = fma(p, t, 1.12837917);
  const near = f32x4.mul(x, p);
  const u = f32x4.sub(f32x4.min(size, splat(4)), splat(1));
  let q = fma(splat(-1.85574009e-4), u, 1.82616324e-3);
  q = fma(q, u, -9.89089195e-3);
  q = fma(q, u, 4.15006883e-2);
  q = fma(q, u, 0.843118336);
  q = fma(q, u, 2.63896682);
  q = fma(q, u, 1.84960552);
  const far = f32x4.sub(splat(1), exp(f32x4.neg(q)));
  const signed = v128.or(far, v128.and(x, splat(-0.0)));
  return either(f32x4.le(size, splat(1)), near, signed);
}

/** max(x, 0) + log(1 + s), s = e^(-|x|); the logarithm is z (2 + z^2 P(z^2)) with z = s / (2 + s) <= 1 / 3: 5e-9. */
@inline
export function softplus(x: v128): v128 {
  const s = exp(f32x4.neg(f32x4.abs(x)));
  const z = f32x4.div(s, f32x4.add(s, splat(2)));
  const t = f32x4.mul(z, z);
  let p = fma(splat(0.28024458), t, 0.279991413);
  p = fma(p, t, 0.40021699);
  p = fma(p, t, 0.666664131);
  const log = f32x4.mul(z, fma(p, t, 2));
  return f32x4.add(f32x4.max(x, splat(0)), log);
}

/** Largest |x| whose remainder by pi / 2 is taken in float32. */
export const mostAngle: f32 = 8192;

/**
 * sin(x + quarters pi / 2) by x = n pi / 2 + r (pi / 2 in three parts, n times the first two being exact up to
 * `mostAngle`): r + r^3 P(r^2) or 1 - r^2 / 2 + r^4 P(r^2), |r| <= pi / 4: 4e-9.
 */
@inline
export function sine(x: v128, quarters: i32): v128 {
  const n = f32x4.nearest(f32x4.mul(x, splat(0.636619772)));
  let r = f32x4.sub(x, f32x4.mul(n, splat(1.5703125)));
  r = f32x4.sub(r, f32x4.mul(n, splat(4.83751297e-4)));
  r = f32x4.sub(r, f32x4.mul(n, splat(7.54978942e-8)));
  const t = f32x4.mul(r, r);
  let p = fma(splat(-1.9517299e-4), t, 8.33217815e-3);
  p = fma(p, t, -0.166666549);
  const sin = f32x4.add(r, f32x4.mul(f32x4.mul(r, t), p));
  let c = fma(splat(2.44384516e-5), t, -1.38873675e-3);
  c = fma(c, t, 4.16666469e-2);
  const cos = f32x4.add(fma(splat(-0.5), t, 1), f32x4.mul(f32x4.mul(t, t), c));
  const quarter = i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(quarters));
  const odd = i32x4.eq(v128.and(quarter, i32x4.splat(1)), i32x4.splat(1));
  const sign = i32x4.shl(v128.and(quarter, i32x4.splat(2)), 30);
  return v128.xor(either(odd, cos, sin), sign);
}
