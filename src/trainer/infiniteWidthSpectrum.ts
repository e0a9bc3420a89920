import { InputError } from '../core/errors.js';
import type { Layer } from '../core/kernels/architecture.js';
import { limitKernel } from '../core/kernels/limit.js';
import { eigenvalues } from '../core/linalg/eigen.js';
import type { Dataset } from '../network/data/index.js';
import { architectureOfBuilt } from '../network/limit/builtArchitecture.js';
import type { BuiltModel } from '../network/models/build.js';
import type { StepFactors } from '../network/training/loop/rates.js';

/** Most evaluations of a layer on a pair of inputs or positions; about a second. */
const mostWork = 4e6;

const pools = (layer: Layer): boolean =>
  layer.type === 'globalAveragePool' ||
  layer.type === 'averagePool' ||
  (layer.type === 'residual' && [...layer.branch, ...layer.shortcut].some(pools));

const depth = (layers: readonly Layer[]): number =>
  layers.reduce((n, l) => n + (l.type === 'residual' ? depth(l.branch) + depth(l.shortcut) : 1), 0);

/**
 * Eigenvalues [P] of the infinite-width kernel on the probe inputs, descending, at the scale of the measured one: the
 * mean over outputs, trained weights only, each layer's part times its step factor. Notes why there is none.
 */
export function limitSpectrum(
  built: BuiltModel,
  data: Dataset,
  rows: ArrayLike<number>,
  factors: StepFactors,
): { limitEigenvalues?: Float64Array; limitNote?: string } {
  try {
    const arch = architectureOfBuilt(built, factors);
    const P = rows.length;
    const shape = data.inputShape;
    const positions = shape.slice(0, -1).reduce((a, b) => a * b, 1);
    const work = ((P * (P + 1)) / 2) * positions ** (arch.layers.some(pools) ? 2 : 1) * depth(arch.layers);
    if (work > mostWork)
      return {
        limitNote: `The infinite-width kernel of ${P} inputs with ${positions} positions each takes too long to draw beside the measured one; use fewer probe inputs, smaller images, or "kernelscope limit".`,
      };
    const size = shape.reduce((a, b) => a * b, 1);
    const x = new Float64Array(P * size);
    for (let i = 0; i < P; i++) x.set(data.train.x.subarray(rows[i] * size, (rows[i] + 1) * size), i * size);
    return {
      limitEigenvalues: eigenvalues(
        limitKernel(arch, { shape: [P, ...shape], data: x }, null, { kind: 'ntk' }),
      ),
    };
  } catch (error) {
    if (error instanceof InputError) return { limitNote: error.message };
    throw error;
  }
}
