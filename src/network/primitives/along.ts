import * as tf from '../tf.js';

/** A matrix [from, to] applied along one axis of any tensor: that axis is `to` long afterwards. */
export function along(t: tf.Tensor, axis: number, matrix: tf.Tensor2D): tf.Tensor {
  const order = Array.from({ length: t.rank }, (_, k) => k);
  [order[axis], order[t.rank - 1]] = [t.rank - 1, axis];
  const last = axis === t.rank - 1;
  const turned = last ? t : tf.transpose(t, order);
  const rows = tf.matMul(tf.reshape(turned, [-1, t.shape[axis]]) as tf.Tensor2D, matrix);
  const shaped = tf.reshape(rows, [...turned.shape.slice(0, -1), matrix.shape[1]]);
  return last ? shaped : tf.transpose(shaped, order);
}
