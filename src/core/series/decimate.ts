export interface Window {
  /** Left and right end of what is drawn, in units of x. Default: all of it. */
  readonly from?: number;
  readonly to?: number;
  /** Width of the plot in pixels. */
  readonly pixels: number;
  /** Logarithmic x axis: pixels are equal ratios, and points with x <= 0 are left out. */
  readonly logX?: boolean;
  /** Logarithmic y axis: values that are not positive count as missing. */
  readonly logY?: boolean;
  /** Whether a pixel in which every value is missing yields a NaN, which breaks the line. Default false. */
  readonly gaps?: boolean;
}

export interface Points {
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/** First position in the ascending x whose value is at least `value`. */
export function lowerBound(x: ArrayLike<number>, value: number): number {
  let low = 0;
  let high = x.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (x[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * At most two points a pixel, the smallest and the largest value of each pixel in their order, plus the nearest point
 * beyond either end so that lines run to the edge. `x` ascends (it holds no NaN); values of y that are not finite are missing. One pass over
 * the points inside the window, no logarithm per point.
 */
export function decimate(x: ArrayLike<number>, y: ArrayLike<number>, window: Window): Points {
  const n = Math.min(x.length, y.length);
  const { logX = false, logY = false, gaps = false } = window;
  const pixels = Math.max(1, Math.floor(window.pixels));
  const floor = logY ? 0 : Number.NEGATIVE_INFINITY;
  const shown = (i: number) => y[i] > floor && y[i] < Number.POSITIVE_INFINITY;
  const first = logX ? lowerBound(x, Number.MIN_VALUE) : 0;
  const outX = new Float64Array(2 * pixels + 2);
  const outY = new Float64Array(2 * pixels + 2);
  if (n <= first) return { x: outX.subarray(0, 0), y: outY.subarray(0, 0) };
  const left = Math.max(window.from ?? x[first], logX ? x[first] : Number.NEGATIVE_INFINITY);
  const right = window.to ?? x[n - 1];
  const begin = Math.max(first, Math.min(n, lowerBound(x, left)));
  let count = 0;
  const put = (i: number) => {
    outX[count] = x[i];
    outY[count++] = y[i];
  };
  let before = begin - 1;
  while (before >= first && !shown(before)) before--;
  if (before >= first) put(before);
  const ratio = logX ? Math.log(right / left) : 0;
  let i = begin;
  for (let pixel = 1; pixel <= pixels && i < n && x[i] <= right; pixel++) {
    const share = pixel / pixels;
    const edge =
      pixel === pixels ? right : logX ? left * Math.exp(ratio * share) : left + (right - left) * share;
    const start = i;
    let low = -1;
    let high = -1;
    let least = Number.POSITIVE_INFINITY;
    let most = floor;
    for (; i < n && (x[i] < edge || (pixel === pixels && x[i] <= edge)); i++) {
      const value = y[i];
      if (value < least && value > floor) {
        least = value;
        low = i;
      }
      if (value > most && value < Number.POSITIVE_INFINITY) {
        most = value;
        high = i;
      }
    }
    if (low < 0) low = high;
    if (high < 0) high = low;
    if (low >= 0) {
      put(Math.min(low, high));
      if (low !== high) put(Math.max(low, high));
    } else if (gaps && i > start) {
      outX[count] = x[start];
      outY[count++] = Number.NaN;
    }
  }
  while (i < n && !shown(i)) i++;
  if (i < n) put(i);
  return { x: outX.slice(0, count), y: outY.slice(0, count) };
}
