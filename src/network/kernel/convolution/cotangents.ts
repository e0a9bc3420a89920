import * as tf from '../../tf.js';

/**
 * Cotangents d f_o(x_i) / d z of a batch of n samples and O outputs, z being one sample's values of shape [...s], in the
 * form that costs least:
 * `shared`: rows [O, ...s] (1 where constant along an axis) that all samples share, times a slope [n, ...s] of each;
 * `outside`: rows [n, O, ...s]; `inside`, of images: rows [n, H, W, O, c].
 */
export type Cotangents =
  | { readonly form: 'shared'; readonly rows: tf.Tensor; readonly slope: tf.Tensor | null }
  | { readonly form: 'outside'; readonly rows: tf.Tensor }
  | { readonly form: 'inside'; readonly rows: tf.Tensor };

/** Times the derivative [n, ...s] of an elementwise activation. */
export function mulDerivative(d: Cotangents, slope: tf.Tensor): Cotangents {
  if (d.form === 'shared') return { ...d, slope: d.slope ? tf.mul(d.slope, slope) : slope };
  // A scalar a sample would also do, but the axis of the outputs is between.
  const axis = d.form === 'outside' ? 1 : slope.rank - 1;
  return { ...d, rows: tf.mul(d.rows, tf.expandDims(slope, axis)) };
}

/** As [n, O, ...s]. */
export function outside(d: Cotangents, samples: number, shape: readonly number[]): tf.Tensor {
  if (d.form === 'outside') return d.rows;
  if (d.form === 'inside') return tf.transpose(d.rows, [0, 3, 1, 2, 4]);
  const rows = tf.expandDims(d.rows, 0);
  if (d.slope) return tf.mul(tf.expandDims(d.slope, 1), rows);
  return tf.broadcastTo(rows, [samples, d.rows.shape[0], ...shape]);
}

/** Images as [n, S, O c]. */
export function inside(d: Cotangents, samples: number, shape: readonly number[]): tf.Tensor3D {
  const channels = shape[shape.length - 1];
  if (d.form === 'inside') return tf.reshape(d.rows, [samples, -1, (d.rows.shape[3] as number) * channels]);
  const rows = outside(d, samples, shape);
  const outputs = rows.shape[1] as number;
  const flat = tf.reshape(rows, [samples, outputs, -1, channels]);
  const turned = outputs === 1 ? flat : tf.transpose(flat, [0, 2, 1, 3]);
  return tf.reshape(turned, [samples, -1, outputs * channels]);
}

/** The rows [O, c] of cotangents of images that differ between positions by their slope only, or null. */
export function constantRows(d: Cotangents): tf.Tensor2D | null {
  if (d.form !== 'shared' || d.rows.rank !== 4 || d.rows.shape[1] !== 1 || d.rows.shape[2] !== 1) return null;
  return d.slope ? tf.reshape(d.rows, [d.rows.shape[0], d.rows.shape[3] as number]) : null;
}
