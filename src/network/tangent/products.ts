import * as tf from '../tf.js';

/** A B^T of [n, k] and [m, k]. The wasm backend leaves its fast product for transposed operands, so it gets none. */
export function timesTransposed(a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor2D {
  return tf.getBackend() === 'wasm' ? tf.matMul(a, tf.transpose(b)) : tf.matMul(a, b, false, true);
}

/** A^T B of [n, k] and [n, m]. A flag on native, where turning A first costs up to three times the product. */
export function transposedTimes(a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor2D {
  return tf.getBackend() === 'wasm' ? tf.matMul(tf.transpose(a), b) : tf.matMul(a, b, true, false);
}

/** A^T B of every sample: [N, S, k] and [N, S, c] to [N, k, c]. */
export function sampleOuter(a: tf.Tensor3D, b: tf.Tensor3D): tf.Tensor3D {
  return tf.getBackend() === 'wasm'
    ? (tf.matMul(tf.transpose(a, [0, 2, 1]), b) as tf.Tensor3D)
    : (tf.matMul(a, b, true, false) as tf.Tensor3D);
}
