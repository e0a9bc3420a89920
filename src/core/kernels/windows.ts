import type { Padding } from './architecture.js';

/** One axis of a sliding window: sizes before and after, zeros before the first element. */
export interface Axis {
  readonly size: number;
  readonly out: number;
  readonly window: number;
  readonly stride: number;
  readonly before: number;
}

/** Sizes and padding as TensorFlow chooses them, strided `same` included. */
export function slide(size: number, window: number, stride: number, padding: Padding): Axis {
  if (padding === 'valid')
    return { size, out: Math.max(0, Math.floor((size - window) / stride) + 1), window, stride, before: 0 };
  const out = Math.ceil(size / stride);
  const total = Math.max(0, (out - 1) * stride + window - size);
  return { size, out, window, stride, before: Math.floor(total / 2) };
}

/** Sums x [outer, a, mid, a, inner] along the shifts common to both axes: y [outer, b, mid, b, inner]. */
export function sumTogether(
  x: Float64Array,
  outer: number,
  a: Axis,
  mid: number,
  inner: number,
): Float64Array {
  const y = new Float64Array(outer * a.out * mid * a.out * inner);
  for (let o = 0; o < outer; o++)
    for (let p = 0; p < a.out; p++)
      for (let q = 0; q < a.out; q++) {
        const [first, second] = [p * a.stride - a.before, q * a.stride - a.before];
        const most = Math.min(a.window, a.size - first, a.size - second);
        for (let d = Math.max(0, -first, -second); d < most; d++) {
          const s = first + d;
          const t = second + d;
          for (let m = 0; m < mid; m++) {
            const from = (((o * a.size + s) * mid + m) * a.size + t) * inner;
            const to = (((o * a.out + p) * mid + m) * a.out + q) * inner;
            for (let i = 0; i < inner; i++) y[to + i] += x[from + i];
          }
        }
      }
  return y;
}

/** Sums, or with `mean` averages over what lies inside, x [outer, a, inner] along one axis. */
export function sumAlong(
  x: Float64Array,
  outer: number,
  a: Axis,
  inner: number,
  mean: boolean,
): Float64Array {
  const y = new Float64Array(outer * a.out * inner);
  for (let o = 0; o < outer; o++)
    for (let p = 0; p < a.out; p++) {
      const first = Math.max(0, p * a.stride - a.before);
      const last = Math.min(a.size, p * a.stride - a.before + a.window);
      const weight = mean ? 1 / (last - first) : 1;
      const to = (o * a.out + p) * inner;
      for (let s = first; s < last; s++) {
        const from = (o * a.size + s) * inner;
        for (let i = 0; i < inner; i++) y[to + i] += weight * x[from + i];
      }
    }
  return y;
}
