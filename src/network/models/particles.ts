import { type Matrix, matrix, matrixFrom } from '../../core/linalg/matrix.js';
import { principalComponents } from '../../core/measures/pca.js';
import * as tf from '../tf.js';
import type { BuiltModel } from './build.js';

/** Neurons of a two-layer network: theta [m, d], row-major, and u [m, k]. */
export interface Particles {
  readonly width: number;
  readonly dimension: number;
  readonly outputs: number;
  readonly theta: Float64Array;
  readonly u: Float64Array;
}

/** The neurons as they are now. Throws when the model is not a two-layer network. */
export function particlesOf(built: BuiltModel): Particles {
  if (!built.twoLayer)
    throw new Error('Particles are the neurons of a two-layer network; this model is not one.');
  const kernel = built.model.getLayer(built.twoLayer.features).getWeights()[0];
  const readout = built.model.getLayer(built.twoLayer.readout).getWeights()[0];
  const [d, m] = kernel.shape as [number, number];
  const values = kernel.dataSync();
  const theta = new Float64Array(m * d);
  for (let i = 0; i < d; i++) for (let j = 0; j < m; j++) theta[j * d + i] = values[i * m + j];
  return {
    width: m,
    dimension: d,
    outputs: readout.shape[1] as number,
    theta,
    u: Float64Array.from(readout.dataSync()),
  };
}

/** Puts the neurons where they are told to be. Throws when the model is not a two-layer network of this size. */
export function placeParticles(built: BuiltModel, { width, dimension, outputs, theta, u }: Particles): void {
  const now = particlesOf(built);
  if (now.width !== width || now.dimension !== dimension || now.outputs !== outputs)
    throw new RangeError(
      `The network has ${now.width} neurons of ${now.dimension} inputs and ${now.outputs} outputs, not ${width} of ${dimension} and ${outputs}.`,
    );
  const { features, readout } = built.twoLayer as NonNullable<BuiltModel['twoLayer']>;
  tf.tidy(() => {
    const [, ...biases] = built.model.getLayer(features).getWeights();
    const columns = tf.transpose(tf.tensor2d(Float32Array.from(theta), [width, dimension]));
    built.model.getLayer(features).setWeights([columns, ...biases]);
    built.model.getLayer(readout).setWeights([tf.tensor2d(Float32Array.from(u), [width, outputs])]);
  });
}

/** The neurons as points (u, theta), [m, k + d]: what distances and entropies of distributions are taken over. */
export function cloudOf({ width, dimension, outputs, theta, u }: Particles): Matrix {
  const cloud = matrix(width, outputs + dimension);
  for (let j = 0; j < width; j++) {
    cloud.data.set(u.subarray(j * outputs, (j + 1) * outputs), j * cloud.cols);
    cloud.data.set(theta.subarray(j * dimension, (j + 1) * dimension), j * cloud.cols + outputs);
  }
  return cloud;
}

/**
 * A function that gives the neurons on two directions fixed at the start (the axes for two inputs, else the largest
 * principal components), then the first u: [m, 3].
 */
export function principalPlane(built: BuiltModel): () => Float32Array {
  const { width, dimension, theta } = particlesOf(built);
  const axes =
    dimension <= 2
      ? Float64Array.from({ length: 2 * dimension }, (_, i) =>
          i % dimension === Math.floor(i / dimension) ? 1 : 0,
        )
      : principalComponents(matrixFrom(width, dimension, theta), 2).components.data;
  return () => {
    const now = particlesOf(built);
    const out = new Float32Array(3 * now.width);
    for (let j = 0; j < now.width; j++) {
      for (let a = 0; a < 2; a++)
        for (let i = 0; i < dimension; i++)
          out[3 * j + a] += axes[a * dimension + i] * now.theta[j * dimension + i];
      out[3 * j + 2] = now.u[j * now.outputs];
    }
    return out;
  };
}
