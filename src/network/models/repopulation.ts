import { matrixFrom } from '../../core/linalg/matrix.js';
import {
  type Neurons,
  outputNorms,
  resampleByWeight,
  resampleUniformly,
  takeNeurons,
} from '../../core/measures/index.js';
import type { Random } from '../../core/random.js';
import * as tf from '../tf.js';
import { activations } from './activations.js';
import type { BuiltModel, TwoLayerFacts } from './build.js';
import { Elementwise } from './layers.js';
import { particlesOf } from './particles.js';

/** Inputs put through the features at once, so that wide networks stay within memory. */
const chunk = 256;

function factsOf(built: BuiltModel): TwoLayerFacts {
  if (!built.twoLayer)
    throw new Error('Repopulation takes the neurons of a two-layer network; this model is not one.');
  return built.twoLayer;
}

/** The neurons theta [m, d] and u [m, k] of a two-layer network as they are now. */
export function neuronsOf(built: BuiltModel): Neurons {
  const { width, dimension, outputs, theta, u } = particlesOf(built);
  return { theta: matrixFrom(width, dimension, theta), u: matrixFrom(width, outputs, u) };
}

/**
 * Puts neurons into a two-layer network of their number, without biases; with `keepReadout` theta alone, so that a
 * readout is learned from its own start. Throws a RangeError when the shapes differ.
 */
export function setNeurons(built: BuiltModel, neurons: Neurons, keepReadout = false): void {
  const { features, readout } = factsOf(built);
  const { theta, u } = neurons;
  const layer = built.model.getLayer(features);
  const [kernel, bias] = layer.getWeights();
  const [d, m] = kernel.shape as [number, number];
  if (bias) throw new RangeError('Neurons (theta, u) have no bias; build the network without one.');
  if (theta.rows !== m || theta.cols !== d)
    throw new RangeError(
      `The network has ${m} neurons over ${d} inputs, not the ${theta.rows} over ${theta.cols} that are given.`,
    );
  const values = new Float32Array(d * m);
  for (let j = 0; j < m; j++) for (let i = 0; i < d; i++) values[i * m + j] = theta.data[j * d + i];
  put(layer, values, [d, m]);
  if (!keepReadout) put(built.model.getLayer(readout), Float32Array.from(u.data), [m, u.cols]);
}

function put(layer: tf.layers.Layer, values: Float32Array, shape: [number, number]): void {
  const tensor = tf.tensor2d(values, shape);
  layer.setWeights([tensor]);
  tensor.dispose();
}

/** sd of h(theta_j, x) over the inputs x [n, d], for every neuron: [m]. */
export function featureDeviations(built: BuiltModel, x: tf.Tensor2D): Float64Array {
  const { features, width } = factsOf(built);
  const layer = built.model.getLayer(features);
  const between = built.model.layers.find((l): l is Elementwise => l instanceof Elementwise);
  const phi = activations[between?.activation ?? 'identity'].forward;
  const sum = new Float64Array(width);
  const square = new Float64Array(width);
  const n = x.shape[0];
  for (let from = 0; from < n; from += chunk) {
    const [s, q] = tf.tidy(() => {
      const h = phi(layer.apply(tf.slice(x, [from, 0], [Math.min(chunk, n - from), -1])) as tf.Tensor);
      return [tf.sum(h, 0).dataSync(), tf.sum(tf.square(h), 0).dataSync()];
    }) as unknown as [Float32Array, Float32Array];
    for (let j = 0; j < width; j++) {
      sum[j] += s[j];
      square[j] += q[j];
    }
  }
  return sum.map((total, j) => Math.sqrt(Math.max(0, square[j] / n - (total / n) ** 2)));
}

/** Importance |u_j| sd(h_j) of every neuron over the inputs x [n, d] (Fang, Dong and Zhang 2019): [m]. */
export function neuronImportance(built: BuiltModel, x: tf.Tensor2D): Float64Array {
  const norms = outputNorms(neuronsOf(built).u);
  return featureDeviations(built, x).map((deviation, j) => deviation * norms[j]);
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
  const drawn =
    by === 'importance'
      ? resampleByWeight(neuronImportance(built, x), count, random)
      : resampleUniformly(factsOf(built).width, count, random);
  return takeNeurons(neuronsOf(built), drawn);
}
