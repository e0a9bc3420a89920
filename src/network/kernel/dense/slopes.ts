import { device } from '../../devices/index.js';
import { activations } from '../../models/activations.js';
import type { ActivationName } from '../../models/spec.js';
import * as tf from '../../tf.js';

/** Whether phi(c h) = c phi(h) for every c > 0: then a constant passes through, and phi' does not see it. */
export const isHomogeneous = (activation: ActivationName): boolean =>
  ['identity', 'relu', 'leakyRelu', 'abs'].includes(activation);

const isFused = (activation: ActivationName): boolean => activation === 'relu' || activation === 'tanh';

/** Cotangents d, [N, n] or one row [1, n] for all samples, times the slopes phi'(h) of `phi` = phi(h), [N, n]. */
export function mulDerivative(
  activation: ActivationName,
  d: tf.Tensor2D,
  h: tf.Tensor2D,
  phi: tf.Tensor2D,
): tf.Tensor2D {
  const whole = () => (d.shape[0] === phi.shape[0] ? d : tf.broadcastTo(d, phi.shape));
  const own = isFused(activation) ? device().mulDerivative(activation, whole(), phi) : null;
  return (own as tf.Tensor2D | null) ?? tf.mul(slopeOf(activation, h, phi), d);
}

export const slopeOf = (activation: ActivationName, h: tf.Tensor2D, phi: tf.Tensor2D): tf.Tensor2D =>
  activations[activation].derivative(h, phi) as tf.Tensor2D;
