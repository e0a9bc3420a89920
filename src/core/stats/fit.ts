import { studentQuantile } from './special.js';

export interface LineFit {
  readonly slope: number;
  readonly intercept: number;
  /** Confidence interval of the slope (Student t, n - 2 degrees of freedom); infinite for two points. */
  readonly interval: readonly [number, number];
  /** Standard error of the slope; NaN for two points. */
  readonly standardError: number;
  /** Share of the variance of y that the line explains. */
  readonly r2: number;
  readonly points: number;
}

/**
 * Least-squares line y = intercept + slope x with a confidence interval of the slope. Pairs that are not finite are left
 * out. Throws a RangeError with fewer than two different x.
 */
export function linearFit(x: ArrayLike<number>, y: ArrayLike<number>, level = 0.95): LineFit {
  if (x.length !== y.length)
    throw new RangeError(`A line needs as many x as y, but there are ${x.length} and ${y.length}.`);
  let n = 0;
  let mx = 0;
  let my = 0;
  for (let i = 0; i < x.length; i++) {
    if (!Number.isFinite(x[i]) || !Number.isFinite(y[i])) continue;
    n++;
    mx += (x[i] - mx) / n;
    my += (y[i] - my) / n;
  }
  let sxx = 0;
  let sxy = 0;
  let syy = 0;
  for (let i = 0; i < x.length; i++) {
    if (!Number.isFinite(x[i]) || !Number.isFinite(y[i])) continue;
    sxx += (x[i] - mx) ** 2;
    sxy += (x[i] - mx) * (y[i] - my);
    syy += (y[i] - my) ** 2;
  }
  if (!(sxx > 0))
    throw new RangeError(`A line needs at least two different finite x, but there are ${n} usable points.`);
  const slope = sxy / sxx;
  const rest = Math.max(0, syy - slope * sxy);
  const standardError = n > 2 ? Math.sqrt(rest / (n - 2) / sxx) : Number.NaN;
  const half = n > 2 ? studentQuantile(level, n - 2) * standardError : Number.POSITIVE_INFINITY;
  return {
    slope,
    intercept: my - slope * mx,
    interval: [slope - half, slope + half],
    standardError,
    r2: syy > 0 ? 1 - rest / syy : 1,
    points: n,
  };
}

/**
 * The power law y = e^intercept x^slope: a line through (log x, log y). Pairs with a value that is not positive are left
 * out. Errors as in `linearFit`.
 */
export function logLogFit(x: ArrayLike<number>, y: ArrayLike<number>, level = 0.95): LineFit {
  const log = (value: number) => (value > 0 ? Math.log(value) : Number.NaN);
  return linearFit(Array.from(x, log), Array.from(y, log), level);
}

/**
 * One slope for several series y = intercept_g + slope x, each [points] with an intercept of its own (analysis of
 * covariance): what differs between series as a whole does not widen the interval (Student t, N - G - 1 degrees of
 * freedom). The line goes through the mean of all points. Errors as in `linearFit`.
 */
export function commonSlopeFit(
  x: ArrayLike<number>,
  series: readonly ArrayLike<number>[],
  level = 0.95,
): LineFit {
  const groups = series
    .map((y) => Array.from(y, (value, i) => [x[i], value]).filter((pair) => pair.every(Number.isFinite)))
    .filter((points) => points.length > 0);
  const meanOf = (points: readonly number[][], c: number) =>
    points.reduce((sum, point) => sum + point[c], 0) / points.length;
  const centre = [0, 1].map((c) => meanOf(groups.flat(), c));
  const within = groups.flatMap((points) => {
    const own = [0, 1].map((c) => meanOf(points, c));
    return points.map((point) => point.map((value, c) => value - own[c] + centre[c]));
  });
  const fit = linearFit(
    within.map(([at]) => at),
    within.map(([, value]) => value),
    level,
  );
  const degrees = fit.points - groups.length - 1;
  if (groups.length < 2 || degrees < 1) return fit;
  const standardError = fit.standardError * Math.sqrt((fit.points - 2) / degrees);
  const half = studentQuantile(level, degrees) * standardError;
  return { ...fit, standardError, interval: [fit.slope - half, fit.slope + half] };
}
