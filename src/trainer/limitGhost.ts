import { dualMap } from '../core/kernels/activations.js';
import { eigenvalues } from '../core/linalg/eigen.js';
import { matrixFrom } from '../core/linalg/matrix.js';
import type { Dataset } from '../network/data/index.js';
import { alphaOf, type BuiltModel } from '../network/models/build.js';

/**
 * Eigenvalues of the infinite-width kernel of a two-layer network on the probe inputs, at its own scale:
 * (alpha^2 / m) [E phi phi + E[u^2] E phi' phi' x . x'] with theta ~ N(0, s^2 I). Other models say why there is none.
 */
export function limitSpectrum(
  built: BuiltModel,
  data: Dataset,
  rows: ArrayLike<number>,
): { limitEigenvalues?: Float64Array; limitNote?: string } {
  const spec = built.spec;
  if (spec?.kind !== 'twoLayer' || spec.scale === 'standard' || data.outputs !== 1)
    return {
      limitNote:
        'The infinite-width ghost is drawn for two-layer networks with one output; for other architectures use "kernelscope limit".',
    };
  const d = data.inputShape[0];
  const variance = spec.thetaStart === 'unit' ? 1 : 1 / d;
  const P = rows.length;
  const row = (i: number) => data.train.x.subarray(rows[i] * d, (rows[i] + 1) * d);
  const gram = new Float64Array(P * P);
  for (let i = 0; i < P; i++)
    for (let j = i; j < P; j++) {
      const [a, b] = [row(i), row(j)];
      let dot = 0;
      for (let k = 0; k < d; k++) dot += a[k] * b[k];
      gram[i * P + j] = gram[j * P + i] = dot;
    }
  const bias = spec.bias ? 1 : 0;
  const map = dualMap(spec.activation);
  if (!map) return { limitNote: `There is no infinite-width kernel for the activation ${spec.activation}.` };
  const scale = alphaOf(spec.scale, spec.width) ** 2 / spec.width;
  const out = new Float64Array(2);
  const kernel = new Float64Array(P * P);
  const k = (i: number, j: number) => variance * (gram[i * P + j] + bias);
  for (let i = 0; i < P; i++)
    for (let j = i; j < P; j++) {
      map(k(i, i), k(i, j), k(j, j), out);
      const features = spec.train === 'readout' ? 0 : out[1] * (gram[i * P + j] + bias);
      kernel[i * P + j] = kernel[j * P + i] = scale * (out[0] + features);
    }
  return { limitEigenvalues: eigenvalues(matrixFrom(P, P, kernel)) };
}
