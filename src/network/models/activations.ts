import { device } from '../devices/index.js';
import * as tf from '../tf.js';
import type { ActivationName } from './spec.js';

/** An activation and its derivative, elementwise on tensors of any shape. Call inside `tf.tidy`. */
export interface Activation {
  readonly forward: (h: tf.Tensor) => tf.Tensor;
  /** phi'(h) from the pre-activation h and phi(h). */
  readonly derivative: (h: tf.Tensor, phi: tf.Tensor) => tf.Tensor;
}

const normalDensity = (h: tf.Tensor): tf.Tensor =>
  tf.mul(tf.exp(tf.mul(tf.square(h), -0.5)), 1 / Math.sqrt(2 * Math.PI));
const normalDistribution = (h: tf.Tensor): tf.Tensor =>
  tf.mul(tf.add(tf.erf(tf.mul(h, Math.SQRT1_2)), 1), 0.5);

/** Slope of leaky relu for negative inputs. */
export const leakySlope = 0.2;

export const activations: Readonly<Record<ActivationName, Activation>> = {
  identity: { forward: (h) => tf.clone(h), derivative: (h) => tf.onesLike(h) },
  relu: {
    forward: (h) => tf.relu(h),
    derivative: (h, phi) => device().reluSlope(h, phi),
  },
  leakyRelu: {
    forward: (h) => tf.leakyRelu(h, leakySlope),
    derivative: (h) => tf.add(tf.mul(device().step(h), 1 - leakySlope), leakySlope),
  },
  abs: { forward: (h) => tf.abs(h), derivative: (h) => tf.sign(h) },
  erf: {
    forward: (h) => tf.erf(h),
    derivative: (h) => tf.mul(tf.exp(tf.neg(tf.square(h))), 2 / Math.sqrt(Math.PI)),
  },
  sin: { forward: (h) => tf.sin(h), derivative: (h) => tf.cos(h) },
  cos: { forward: (h) => tf.cos(h), derivative: (h) => tf.neg(tf.sin(h)) },
  gelu: {
    forward: (h) => tf.mul(h, normalDistribution(h)),
    derivative: (h) => tf.add(normalDistribution(h), tf.mul(h, normalDensity(h))),
  },
  tanh: { forward: (h) => tf.tanh(h), derivative: (_h, phi) => tf.sub(1, tf.square(phi)) },
  sigmoid: { forward: (h) => tf.sigmoid(h), derivative: (_h, phi) => tf.mul(phi, tf.sub(1, phi)) },
  softplus: { forward: (h) => tf.softplus(h), derivative: (h) => tf.sigmoid(h) },
  silu: {
    forward: (h) => tf.mul(h, tf.sigmoid(h)),
    derivative: (h) => {
      const s = tf.sigmoid(h);
      return tf.mul(s, tf.add(1, tf.mul(h, tf.sub(1, s))));
    },
  },
  exp: { forward: (h) => tf.exp(h), derivative: (_h, phi) => phi },
};
