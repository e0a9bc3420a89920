import { matrixFrom } from '../../core/linalg/matrix.js';
import { principalComponents } from '../../core/measures/pca.js';
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
