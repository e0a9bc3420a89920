import { type Matrix, matrix } from '../../core/linalg/matrix.js';
import type { Neurons } from '../../core/measures/neurons.js';
import * as tf from '../tf.js';
import type { BuiltModel } from './build.js';
import { particlesOf } from './particles.js';

/** What a readout weight holds in units of u: alpha / m where the scale sits in the weights, else 1. */
function unitOf(built: BuiltModel): number {
  const inWeights = built.spec?.kind === 'twoLayer' && built.spec.scale === 'standard';
  return inWeights && built.twoLayer ? built.twoLayer.alpha / built.twoLayer.width : 1;
}

/** The neurons (theta [m, d], u [m, k]) of a two-layer network f = (alpha / m) sum u h as they are now, copied. */
export function neuronsOf(built: BuiltModel): Neurons {
  const { width, dimension, outputs, theta, u } = particlesOf(built);
  const unit = unitOf(built);
  return {
    theta: matrix(width, dimension, theta),
    u: matrix(
      width,
      outputs,
      u.map((value) => value / unit),
    ),
  };
}

/** Activations h_j of a two-layer network on inputs [n, d]: [n, m]. */
export function activationsOf(built: BuiltModel, x: tf.Tensor): Matrix {
  const hidden = tf.tidy(() => {
    const [features, activation] = built.model.layers;
    return activation.apply(features.apply(x)) as tf.Tensor2D;
  });
  const out = matrix(hidden.shape[0], hidden.shape[1], Float64Array.from(hidden.dataSync()));
  hidden.dispose();
  return out;
}

/** Puts neurons in the place of those of a two-layer network without biases. Throws a RangeError when sizes differ. */
export function writeNeurons(built: BuiltModel, { theta, u }: Neurons): void {
  const { width, dimension, outputs } = particlesOf(built);
  const fits = theta.rows === width && u.rows === width && theta.cols === dimension && u.cols === outputs;
  if (!fits)
    throw new RangeError(
      `Neurons theta ${theta.rows} x ${theta.cols} and u ${u.rows} x ${u.cols} do not fit a network of ${width} neurons with ${dimension} inputs and ${outputs} outputs.`,
    );
  const features = built.model.getLayer(built.twoLayer?.features ?? '');
  if (features.weights.length > 1)
    throw new RangeError('Neurons of theta and u alone do not fit a network with biases.');
  const kernel = new Float32Array(dimension * width);
  for (let j = 0; j < width; j++)
    for (let i = 0; i < dimension; i++) kernel[i * width + j] = theta.data[j * dimension + i];
  const unit = unitOf(built);
  const tensors = [
    tf.tensor2d(kernel, [dimension, width]),
    tf.tensor2d(
      Float32Array.from(u.data, (value) => value * unit),
      [width, outputs],
    ),
  ];
  features.setWeights([tensors[0]]);
  built.model.getLayer(built.twoLayer?.readout ?? '').setWeights([tensors[1]]);
  tf.dispose(tensors);
}

/** The neurons at `indices`, with repetition where an index repeats; u multiplied by `factors` where given. */
export function pickNeurons(
  { theta, u }: Neurons,
  indices: ArrayLike<number>,
  factors?: ArrayLike<number>,
): Neurons {
  const rows = (from: Matrix, scale: (k: number) => number): Matrix => {
    const out = matrix(indices.length, from.cols);
    for (let k = 0; k < indices.length; k++)
      for (let c = 0; c < from.cols; c++)
        out.data[k * from.cols + c] = scale(k) * from.data[indices[k] * from.cols + c];
    return out;
  };
  return { theta: rows(theta, () => 1), u: rows(u, (k) => factors?.[k] ?? 1) };
}
