import type { GraphNode } from '../graph/graph.js';
import * as tf from '../tf.js';
import { inputOf, type Primitive } from './primitive.js';

interface Attributes {
  readonly depthRadius: number;
  readonly bias: number;
  readonly alpha: number;
  readonly beta: number;
}

/** Sums over the channels that stand at most `radius` away: a symmetric matrix. */
function overNeighbours(t: tf.Tensor, radius: number): tf.Tensor {
  const channels = t.shape[t.rank - 1];
  const places = tf.range(0, channels);
  const apart = tf.abs(tf.sub(tf.expandDims(places, 1), tf.expandDims(places, 0)));
  const near = tf.cast(tf.lessEqual(apart, radius), 'float32') as tf.Tensor2D;
  return tf.reshape(tf.matMul(tf.reshape(t, [-1, channels]) as tf.Tensor2D, near), t.shape);
}

/** s^-beta and 2 alpha beta s^(-beta - 1), s being bias + alpha times the sum of squares of a number's neighbours. */
function factors(node: GraphNode): { x: tf.Tensor; own: tf.Tensor; shared: tf.Tensor; radius: number } {
  const { depthRadius, bias, alpha, beta } = node.attrs as unknown as Attributes;
  const x = inputOf(node, 'x');
  const s = tf.add(tf.mul(overNeighbours(tf.square(x), depthRadius), alpha), bias);
  return {
    x,
    own: tf.pow(s, -beta),
    shared: tf.mul(tf.pow(s, -beta - 1), 2 * alpha * beta),
    radius: depthRadius,
  };
}

/** Local response normalisation over channels, x s^-beta. */
export const localResponse: Primitive = {
  kernels: ['LRN'],
  pull: ([d], node) => {
    const { x, own, shared, radius } = factors(node);
    const whole = d as tf.Tensor;
    const through = overNeighbours(tf.mul(tf.mul(whole, x), shared), radius);
    return tf.sub(tf.mul(whole, own), tf.mul(x, through));
  },
  push: (tangents, node) => {
    const { x, own, shared, radius } = factors(node);
    const t = tangents.x as tf.Tensor;
    return [tf.sub(tf.mul(t, own), tf.mul(tf.mul(x, shared), overNeighbours(tf.mul(x, t), radius)))];
  },
};
