import { lanczos } from '../../core/linalg/lanczos.js';
import {
  type Estimate,
  type SpectralMeasure,
  spectralDensity,
  stochasticTrace,
} from '../../core/linalg/stochastic.js';
import type { LossHessian } from './lossHessian.js';

/** Numbers a Lanczos basis may hold: 256 MiB. */
const basisNumbers = 2 ** 25;

export interface CurvatureOptions {
  /** Largest eigenvalues to find. Default 1. */
  readonly eigenvalues?: number;
  /** Residual of an eigenpair relative to the largest eigenvalue. Default 1e-3: float32 products allow about 1e-5. */
  readonly tolerance?: number;
  /** Step size eta that the stability is stated for. */
  readonly learningRate?: number;
  /** Random vectors of the trace; none when absent. */
  readonly traceProbes?: number;
  /** Asks for the density of all eigenvalues. */
  readonly density?: { readonly probes?: number; readonly steps?: number };
  readonly seed?: number | string;
}

export interface Curvature {
  /** Largest eigenvalue of the Hessian. */
  readonly sharpness: number;
  /** Descending. */
  readonly eigenvalues: Float64Array;
  /** Whether every eigenvalue met the tolerance. */
  readonly converged: boolean;
  /** sharpness * eta / 2: descent with full batches is stable below 1, and hovers there at the edge (Cohen et al. 2021). */
  readonly stability: number | null;
  readonly trace: Estimate | null;
  readonly density: SpectralMeasure | null;
}

/** Measures the curvature of the training loss at the weights the model has now. Deterministic for a seed. */
export function curvatureOf(hessian: LossHessian, options: CurvatureOptions = {}): Curvature {
  const { size } = hessian;
  const seed = options.seed ?? 0;
  const wanted = Math.min(size, options.eigenvalues ?? 1);
  const times = (v: Float64Array) => hessian.times(v);
  const afforded = Math.max(wanted + 4, Math.floor(basisNumbers / size));
  const { values, converged } = lanczos(times, size, wanted, {
    tolerance: options.tolerance ?? 1e-3,
    // Convergence is looked at when the basis is full, so a small one stops earlier.
    basis: Math.min(3 * wanted + 12, afforded),
    seed,
  });
  const { learningRate, traceProbes, density } = options;
  return {
    sharpness: values[0],
    eigenvalues: values,
    converged,
    stability: learningRate === undefined ? null : (values[0] * learningRate) / 2,
    trace: traceProbes ? stochasticTrace(times, size, traceProbes, seed) : null,
    density: density ? spectralDensity(times, size, { ...density, seed }) : null,
  };
}
