import { type Neurons, outputNorms, resampleByWeight, resampleUniformly } from '../../core/measures/index.js';
import type { Random } from '../../core/random.js';
import * as tf from '../tf.js';
import type { BuiltModel } from './build.js';
import { neuronsOf, pickNeurons, writeNeurons } from './neurons.js';

/** Inputs put through the features at once, so that wide networks stay within memory. */
const chunk = 256;

/** sd of h(theta_j, x) over the inputs x [n, d], for every neuron of a two-layer network: [m]. */
export function featureDeviations(built: BuiltModel, x: tf.Tensor2D): Float64Array {
  if (!built.twoLayer)
    throw new Error('Repopulation takes the neurons of a two-layer network; this model is not one.');
  const [features, activation] = built.model.layers;
  const sum = new Float64Array(built.twoLayer.width);
  const square = new Float64Array(built.twoLayer.width);
  const n = x.shape[0];
  for (let from = 0; from < n; from += chunk) {
    const [s, q] = tf.tidy(() => {
      const part = tf.slice(x, [from, 0], [Math.min(chunk, n - from), -1]);
      const h = activation.apply(features.apply(part)) as tf.Tensor2D;
      return [tf.sum(h, 0).dataSync(), tf.sum(tf.square(h), 0).dataSync()];
    }) as unknown as [Float32Array, Float32Array];
    for (let j = 0; j < sum.length; j++) {
      sum[j] += s[j];
      square[j] += q[j];
    }
  }
  return sum.map((total, j) => Math.sqrt(Math.max(0, square[j] / n - (total / n) ** 2)));
}

/**
 * Importance |u_j| sd(h_j) of every neuron over the inputs x [n, d]: [m] (Fang, Dong and Zhang 2019). The same as
 * `importance` of the core, in pieces that fit ten thousand neurons.
 */
export function neuronImportance(built: BuiltModel, x: tf.Tensor2D): Float64Array {
  const deviations = featureDeviations(built, x);
  return outputNorms(neuronsOf(built).u).map((norm, j) => norm * deviations[j]);
}

/** What neurons are drawn in proportion to. */
export type Drawing = 'importance' | 'uniform';

/**
 * `count` neurons drawn from a trained network: by importance over the inputs x [n, d], with repetition, or uniformly.
 * u carries the factors that keep (alpha / count) sum u h an unbiased estimate of the network, alpha unchanged.
 */
export function drawNeurons(
  built: BuiltModel,
  count: number,
  by: Drawing,
  x: tf.Tensor2D,
  random: Random,
): Neurons {
  const { indices, factors } =
    by === 'importance'
      ? resampleByWeight(neuronImportance(built, x), count, random)
      : resampleUniformly(built.twoLayer?.width ?? 0, count, random);
  return pickNeurons(neuronsOf(built), indices, factors);
}

/** Gives a two-layer network of their number the features theta of the neurons; its readout stays as it started. */
export function writeFeatures(built: BuiltModel, { theta }: Pick<Neurons, 'theta'>): void {
  writeNeurons(built, { theta, u: neuronsOf(built).u });
}
