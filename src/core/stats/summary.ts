import { normalCdf, studentQuantile } from './special.js';

/** Sorted finite values. */
function sorted(values: ArrayLike<number>): Float64Array {
  return Float64Array.from(Array.from(values).filter((v) => Number.isFinite(v))).sort();
}

/** Quantiles by linear interpolation (NumPy's default); values that are not finite are left out; NaN for none. */
export function quantiles(values: ArrayLike<number>, levels: readonly number[]): number[] {
  const s = sorted(values);
  return levels.map((level) => {
    if (s.length === 0) return Number.NaN;
    const at = Math.min(1, Math.max(0, level)) * (s.length - 1);
    const low = Math.floor(at);
    const high = Math.min(s.length - 1, low + 1);
    return s[low] + (at - low) * (s[high] - s[low]);
  });
}

/** The median; NaN for no finite value. */
export function median(values: ArrayLike<number>): number {
  return quantiles(values, [0.5])[0];
}

/** The mean; NaN for no value. */
export function mean(values: ArrayLike<number>): number {
  let s = 0;
  for (let i = 0; i < values.length; i++) s += values[i];
  return s / values.length;
}

/** Standard deviation; `ddof` 0 for the population's, 1 for the sample's (Bessel). */
export function standardDeviation(values: ArrayLike<number>, ddof = 0): number {
  const m = mean(values);
  let s = 0;
  for (let i = 0; i < values.length; i++) s += (values[i] - m) ** 2;
  return Math.sqrt(s / (values.length - ddof));
}

/** Confidence interval of the mean of independent values (Student t); infinite for a single one, NaN for none. */
export function meanInterval(values: ArrayLike<number>, level = 0.95): readonly [number, number] {
  const n = values.length;
  const half =
    n > 1
      ? (studentQuantile(level, n - 1) * standardDeviation(values, 1)) / Math.sqrt(n)
      : Number.POSITIVE_INFINITY;
  return [mean(values) - half, mean(values) + half];
}

/** Pearson's correlation; NaN when one side is constant. */
export function pearson(x: ArrayLike<number>, y: ArrayLike<number>): number {
  if (x.length !== y.length)
    throw new RangeError(`A correlation needs as many x as y, but there are ${x.length} and ${y.length}.`);
  const mx = mean(x);
  const my = mean(y);
  let sxx = 0;
  let sxy = 0;
  let syy = 0;
  for (let i = 0; i < x.length; i++) {
    sxx += (x[i] - mx) ** 2;
    sxy += (x[i] - mx) * (y[i] - my);
    syy += (y[i] - my) ** 2;
  }
  return sxy / Math.sqrt(sxx * syy);
}

export interface KsTest {
  /** Largest distance between the empirical and the assumed distribution function. */
  readonly statistic: number;
  readonly pValue: number;
}

/**
 * Two-sided Kolmogorov-Smirnov test of a sample against N(mean, deviation^2), both given beforehand (not fitted to the
 * sample). Exact p-value up to 2000 values (Marsaglia, Tsang and Wang 2003), the limiting law with Stephens' correction
 * beyond. Throws a RangeError for an empty sample or a deviation that is not positive.
 */
export function ksNormal(values: ArrayLike<number>, average = 0, deviation = 1): KsTest {
  const n = values.length;
  if (n === 0) throw new RangeError('The Kolmogorov-Smirnov test needs at least one value.');
  if (!(deviation > 0)) throw new RangeError(`The standard deviation is ${deviation}; it must be positive.`);
  const s = Float64Array.from(Array.from(values)).sort();
  let statistic = 0;
  for (let i = 0; i < n; i++) {
    const p = normalCdf((s[i] - average) / deviation);
    statistic = Math.max(statistic, p - i / n, (i + 1) / n - p);
  }
  return { statistic, pValue: Math.min(1, Math.max(0, kolmogorovTail(statistic, n))) };
}

/** P(D_n >= d). */
export function kolmogorovTail(d: number, n: number): number {
  const s = d * d * n;
  if (n <= 2000 && s < 7.24) return 1 - exactKolmogorov(d, n);
  const root = Math.sqrt(n);
  const t = (root + 0.12 + 0.11 / root) * d;
  let p = 0;
  for (let j = 1; j < 200; j++) {
    const term = Math.exp(-2 * j * j * t * t);
    p += j % 2 === 1 ? term : -term;
    if (term < 1e-18) break;
  }
  return t < 0.2 ? 1 : 2 * p;
}

/** P(D_n < d): n! / n^n times an entry of the n-th power of a small band matrix (Marsaglia, Tsang and Wang 2003). */
function exactKolmogorov(d: number, n: number): number {
  const k = Math.floor(n * d) + 1;
  const m = 2 * k - 1;
  const h = k - n * d;
  const base = new Float64Array(m * m);
  for (let i = 0; i < m; i++) for (let j = 0; j < m; j++) base[i * m + j] = i - j + 1 < 0 ? 0 : 1;
  for (let i = 0; i < m; i++) {
    base[i * m] -= h ** (i + 1);
    base[(m - 1) * m + i] -= h ** (m - i);
  }
  base[(m - 1) * m] += 2 * h - 1 > 0 ? (2 * h - 1) ** m : 0;
  for (let i = 0; i < m; i++)
    for (let j = 0; j < m; j++) for (let g = 2; g <= i - j + 1; g++) base[i * m + j] /= g;
  // Square and multiply; a power of 1e140 is kept apart, since entries outgrow float64.
  let power: Float64Array = base;
  let powerExponent = 0;
  let result: Float64Array | undefined;
  let exponent = 0;
  for (let bits = n; bits > 0; bits >>= 1) {
    if (bits & 1) {
      result = result ? product(result, power, m) : power.slice();
      exponent += powerExponent;
      exponent += rescale(result, k, m);
    }
    if (bits > 1) {
      power = product(power, power, m);
      powerExponent = 2 * powerExponent + rescale(power, k, m);
    }
  }
  let s = (result as Float64Array)[(k - 1) * m + k - 1];
  for (let i = 1; i <= n; i++) {
    s = (s * i) / n;
    if (s < 1e-140) {
      s *= 1e140;
      exponent -= 140;
    }
  }
  return s * 10 ** exponent;
}

function rescale(a: Float64Array, k: number, m: number): number {
  if (a[(k - 1) * m + k - 1] <= 1e140) return 0;
  for (let i = 0; i < a.length; i++) a[i] *= 1e-140;
  return 140;
}

function product(a: Float64Array, b: Float64Array, m: number): Float64Array {
  const out = new Float64Array(m * m);
  for (let i = 0; i < m; i++)
    for (let k = 0; k < m; k++) {
      const f = a[i * m + k];
      if (f !== 0) for (let j = 0; j < m; j++) out[i * m + j] += f * b[k * m + j];
    }
  return out;
}
