import { NativeProgram } from '../backends/nativeProgram.js';
import { nativeOperation } from '../backends/raw.js';
import type * as tf from '../tf.js';
import type { Device } from './device.js';
import { plain } from './plain.js';

/** TensorFlow's own products of a cotangent and a slope that the values phi(h) tell. */
const fused: Readonly<Record<string, (d: tf.Tensor, phi: tf.Tensor) => tf.Tensor>> = {
  relu: (d, phi) => nativeOperation('ReluGrad', [d, phi]),
  tanh: (d, phi) => nativeOperation('TanhGrad', [phi, d]),
};

/** TensorFlow's library. */
export const native: Device = {
  ...plain,
  mulDerivative: (activation, d, phi) => fused[activation]?.(d, phi) ?? null,
  program: () => new NativeProgram(),
};
