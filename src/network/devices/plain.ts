import * as tf from '../tf.js';
import type { Device } from './device.js';

/** TensorFlow.js's own operations and nothing else: the plain JavaScript backend, and any that we do not know. */
export const plain: Device = {
  passValues: 2 ** 27,
  chunkValues: 2 ** 24,
  availableBytes: () => process.availableMemory(),
  sampleOuter: (a, b) => tf.matMul(a, b, true, false) as tf.Tensor3D,
  patchesFirst: false,
  step: (h) => tf.cast(tf.greater(h, 0), 'float32'),
  reluSlope: (_h, phi) => tf.sign(phi),
  mulDerivative: () => null,
  program: () => null,
  threads: () => null,
};
