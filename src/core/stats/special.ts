/** Special functions to about 1e-14 relative, by series and continued fractions (Abramowitz and Stegun, ch. 6, 7, 26). */

const lanczos = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/** log Gamma(x) for x > 0. */
export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const z = x - 1;
  let s = lanczos[0];
  for (let i = 1; i < lanczos.length; i++) s += lanczos[i] / (z + i);
  const t = z + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(s);
}

/** psi(x) = d log Gamma(x) / dx for x > 0. */
export function digamma(x: number): number {
  let shift = 0;
  let z = x;
  while (z < 8) {
    shift -= 1 / z;
    z += 1;
  }
  const u = 1 / (z * z);
  const series =
    u * (1 / 12 - u * (1 / 120 - u * (1 / 252 - u * (1 / 240 - u * (1 / 132 - (u * 691) / 32760)))));
  return shift + Math.log(z) - 0.5 / z - series;
}

/** Complementary error function. */
export function erfc(x: number): number {
  if (x < 0) return 2 - erfc(-x);
  if (x > 27) return 0;
  if (x < 2) {
    // erf by its series, all terms positive.
    let term = x;
    let s = x;
    for (let n = 1; Math.abs(term) > 1e-17 * s; n++) {
      term *= (2 * x * x) / (2 * n + 1);
      s += term;
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * s;
  }
  // Continued fraction from the far end.
  let f = 0;
  for (let n = 120; n > 0; n--) f = n / 2 / (x + f);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + f);
}

/** P(Z <= x) of the standard normal distribution. */
export function normalCdf(x: number): number {
  return 0.5 * erfc(-x / Math.SQRT2);
}

/** Regularised incomplete beta function I_x(a, b) by Lentz's continued fraction. */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front =
    Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x)) / a;
  const tiny = 1e-300;
  let c = 1;
  let d = 1 / (1 - ((a + b) * x) / (a + 1) || tiny);
  let f = d;
  for (let m = 1; m < 1000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / (1 + even * d || tiny);
    c = 1 + even / c || tiny;
    f *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / (1 + odd * d || tiny);
    c = 1 + odd / c || tiny;
    f *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return front * f;
}

/** P(T <= t) of Student's distribution. */
export function studentCdf(t: number, degrees: number): number {
  const tail = 0.5 * incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5);
  return t > 0 ? 1 - tail : tail;
}

/** t with P(|T| <= t) = level for Student's distribution with `degrees` >= 1 degrees of freedom. */
export function studentQuantile(level: number, degrees: number): number {
  let low = 0;
  let high = 2;
  const inside = (t: number) => 1 - incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5);
  while (inside(high) < level && high < 1e12) high *= 2;
  for (let i = 0; i < 200 && high - low > 1e-15 * high; i++) {
    const middle = 0.5 * (low + high);
    if (inside(middle) < level) low = middle;
    else high = middle;
  }
  return 0.5 * (low + high);
}
