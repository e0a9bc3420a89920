import { device } from './devices/index.js';
import * as tf from './tf.js';

/** A B^T of [n, k] and [m, k]. */
export const timesTransposed = (a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor2D => tf.matMul(a, b, false, true);

/** A^T B of [n, k] and [n, m]. A flag, as turning A first costs up to three times the product. */
export const transposedTimes = (a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor2D => tf.matMul(a, b, true, false);

/** A^T B of every sample: [N, S, k] and [N, S, c] to [N, k, c]. */
export const sampleOuter = (a: tf.Tensor3D, b: tf.Tensor3D): tf.Tensor3D => device().sampleOuter(a, b);
