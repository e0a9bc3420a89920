import { nativeOperation } from '../../backends/raw.js';
import { activations } from '../../models/activations.js';
import type { ActivationName } from '../../models/spec.js';
import * as tf from '../../tf.js';

/** Whether phi(c h) = c phi(h) for every c > 0: then a constant passes through, and phi' does not see it. */
export const isHomogeneous = (activation: ActivationName): boolean =>
  ['identity', 'relu', 'leakyRelu', 'abs'].includes(activation);

/** TensorFlow's own products of a cotangent and a slope that the values phi(h) tell: one pass over the memory, not three. */
const fused: Partial<Record<ActivationName, (d: tf.Tensor, phi: tf.Tensor) => tf.Tensor>> = {
  relu: (d, phi) => nativeOperation('ReluGrad', [d, phi]),
  tanh: (d, phi) => nativeOperation('TanhGrad', [phi, d]),
};

/** Cotangents d, [N, n] or one row [1, n] for all samples, times the slopes phi'(h) of `phi` = phi(h), [N, n]. */
export function timesSlope(
  activation: ActivationName,
  d: tf.Tensor2D,
  h: tf.Tensor2D,
  phi: tf.Tensor2D,
): tf.Tensor2D {
  const own = tf.getBackend() === 'tensorflow' ? fused[activation] : undefined;
  if (own) return own(d.shape[0] === phi.shape[0] ? d : tf.broadcastTo(d, phi.shape), phi) as tf.Tensor2D;
  return tf.mul(slopeOf(activation, h, phi), d);
}

export const slopeOf = (activation: ActivationName, h: tf.Tensor2D, phi: tf.Tensor2D): tf.Tensor2D =>
  activations[activation].derivative(h, phi) as tf.Tensor2D;
