import type * as tf from '../../src/network/tf.js';

/** Largest difference relative to the largest entry. Throws for arrays of different lengths. */
export function gap(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`${a.length} numbers against ${b.length}`);
  let worst = 0;
  let scale = 0;
  for (let i = 0; i < a.length; i++) {
    worst = Math.max(worst, Math.abs(a[i] - b[i]));
    scale = Math.max(scale, Math.abs(b[i]));
  }
  return worst / scale;
}

/** Full kernel [N O, M O] in float64 from the explicit Jacobians. */
export function contracted(left: tf.Tensor2D, right: tf.Tensor2D): Float64Array {
  const [a, b] = [left.dataSync(), right.dataSync()];
  const [n, p] = left.shape;
  const m = right.shape[0];
  const out = new Float64Array(n * m);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < m; j++) {
      let sum = 0;
      for (let k = 0; k < p; k++) sum += a[i * p + k] * b[j * p + k];
      out[i * m + j] = sum;
    }
  return out;
}

/** The mean over outputs, [N, M], of a full kernel. */
export function traceOf(full: Float64Array, n: number, m: number, outputs: number): Float64Array {
  const out = new Float64Array(n * m);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < m; j++)
      for (let o = 0; o < outputs; o++)
        out[i * m + j] += full[(i * outputs + o) * m * outputs + j * outputs + o] / outputs;
  return out;
}
