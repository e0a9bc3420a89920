import { Random } from '../random.js';
import { krylovSpace, type SymmetricProduct } from './krylov.js';

export interface Estimate {
  readonly value: number;
  /** Standard error of the mean over probes; NaN for a single one. */
  readonly error: number;
}

/** A measure on the line: point masses that sum to 1. */
export interface SpectralMeasure {
  /** Ascending. */
  readonly nodes: Float64Array;
  readonly weights: Float64Array;
}

/** Random signs: of all probes with independent entries those of the least variance. */
function signs(random: Random, n: number): Float64Array {
  return Float64Array.from({ length: n }, () => (random.bits() & 1 ? 1 : -1));
}

/** tr(A) of an operator of size n by products with `probes` random vectors (Hutchinson 1990). Deterministic for a seed. */
export function stochasticTrace(
  matvec: SymmetricProduct,
  n: number,
  probes: number,
  seed: number | string = 0,
): Estimate {
  if (!(probes >= 1)) throw new RangeError(`A trace needs at least 1 probe, got ${probes}.`);
  const random = new Random(seed).fork('trace');
  const values = Array.from({ length: probes }, () => {
    const z = signs(random, n);
    const product = matvec(z.slice());
    let sum = 0;
    for (let i = 0; i < n; i++) sum += z[i] * product[i];
    return sum;
  });
  const value = values.reduce((a, b) => a + b, 0) / probes;
  const spread = values.reduce((a, b) => a + (b - value) ** 2, 0) / (probes - 1);
  return { value, error: Math.sqrt(spread / probes) };
}

/**
 * Density of the eigenvalues of an operator of size n by stochastic Lanczos quadrature (Ubaru, Chen and Saad 2017): for
 * each of `probes` random vectors the Gauss rule of `steps` Lanczos steps, averaged. Its moments up to 2 `steps` - 1 are
 * exact for those vectors. Fewer nodes where the basis closes. Deterministic for a seed.
 */
export function spectralDensity(
  matvec: SymmetricProduct,
  n: number,
  options: { readonly probes?: number; readonly steps?: number; readonly seed?: number | string } = {},
): SpectralMeasure {
  const probes = options.probes ?? 4;
  const steps = Math.min(n, options.steps ?? 40);
  const random = new Random(options.seed ?? 0).fork('density');
  const points: [number, number][] = [];
  for (let probe = 0; probe < probes; probe++)
    for (const [node, weight] of gaussRule(matvec, signs(random, n), steps))
      points.push([node, weight / probes]);
  points.sort((a, b) => a[0] - b[0]);
  return {
    nodes: Float64Array.from(points, (p) => p[0]),
    weights: Float64Array.from(points, (p) => p[1]),
  };
}

/** Nodes and weights of the measure of A seen from a start vector. */
function gaussRule(matvec: SymmetricProduct, start: Float64Array, steps: number): [number, number][] {
  const { values, vectors } = krylovSpace(matvec, start, steps, 1e-10);
  return Array.from(values, (value, k) => [value, vectors.data[k * values.length] ** 2]);
}

/** The measure blurred by normals of deviation `width`, at the points of a grid. */
export function smoothed(
  { nodes, weights }: SpectralMeasure,
  grid: ArrayLike<number>,
  width: number,
): Float64Array {
  const height = 1 / (width * Math.sqrt(2 * Math.PI));
  return Float64Array.from(grid, (at) => {
    let sum = 0;
    for (let k = 0; k < nodes.length; k++)
      sum += weights[k] * height * Math.exp(-0.5 * ((at - nodes[k]) / width) ** 2);
    return sum;
  });
}
