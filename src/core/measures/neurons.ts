import { type Matrix, matrix } from '../linalg/matrix.js';
import { participationRatio } from '../linalg/spectrum.js';
import type { Random } from '../random.js';

/** A layer of m neurons: f(x) = (1/m) sum_j u_j h(theta_j, x). */
export interface Neurons {
  /** [m, d] */
  readonly theta: Matrix;
  /** [m, k] */
  readonly u: Matrix;
}

/** |u_j| of every neuron: the Euclidean norm of its row of u [m, k]. */
export function outputNorms(u: Matrix): Float64Array {
  const out = new Float64Array(u.rows);
  for (let j = 0; j < u.rows; j++) {
    let s = 0;
    for (let o = 0; o < u.cols; o++) s += u.data[j * u.cols + o] ** 2;
    out[j] = Math.sqrt(s);
  }
  return out;
}

/** Participation ratio (sum w)^2 / sum w^2 of |u| or of importances: m when all are equal, 1 when one stands alone. */
export function effectiveNeurons(weights: ArrayLike<number>): number {
  return participationRatio(weights);
}

/**
 * Importance |u_j| sd(h_j) of every neuron: u [m, k], activations [n, m] over n inputs, sd of the population. Throws a
 * RangeError when the numbers of neurons differ.
 */
export function importance(u: Matrix, activations: Matrix): Float64Array {
  const m = u.rows;
  if (activations.cols !== m)
    throw new RangeError(`There are ${m} output weights, but activations of ${activations.cols} neurons.`);
  const mean = new Float64Array(m);
  const square = new Float64Array(m);
  for (let i = 0; i < activations.rows; i++)
    for (let j = 0; j < m; j++) {
      const value = activations.data[i * m + j];
      const delta = value - mean[j];
      mean[j] += delta / (i + 1);
      square[j] += delta * (value - mean[j]);
    }
  const norms = outputNorms(u);
  return norms.map((norm, j) => norm * Math.sqrt(square[j] / Math.max(1, activations.rows)));
}

/**
 * Mean over n inputs of the variance over neurons of u_j h_j, summed over outputs; u [m, k], activations [n, m]. A
 * network of m' neurons drawn independently differs from (1/m) sum u h by this over m' in mean square. Throws a
 * RangeError when the numbers of neurons differ.
 */
export function neuronVariance(u: Matrix, activations: Matrix): number {
  const { rows: m, cols: k } = u;
  if (activations.cols !== m)
    throw new RangeError(`There are ${m} output weights, but activations of ${activations.cols} neurons.`);
  let total = 0;
  for (let i = 0; i < activations.rows; i++)
    for (let o = 0; o < k; o++) {
      let mean = 0;
      let square = 0;
      for (let j = 0; j < m; j++) {
        const value = u.data[j * k + o] * activations.data[i * m + j];
        const delta = value - mean;
        mean += delta / (j + 1);
        square += delta * (value - mean);
      }
      total += square / m;
    }
  return total / Math.max(1, activations.rows);
}

export interface Resampled {
  /** [count] positions of the drawn neurons, with repetition. */
  readonly indices: Uint32Array;
  /**
   * [count]: 1 / (m p_j). Multiplying the drawn u_j by it keeps (1/count) sum u h an unbiased estimate of (1/m) sum u h.
   */
  readonly factors: Float64Array;
}

/**
 * Draws `count` of m neurons with probability proportional to `weights` (importances), independently. Throws a
 * RangeError when no weight is positive.
 */
export function resampleByWeight(weights: ArrayLike<number>, count: number, random: Random): Resampled {
  const m = weights.length;
  const cumulative = new Float64Array(m);
  let total = 0;
  for (let j = 0; j < m; j++) {
    if (!(weights[j] >= 0))
      throw new RangeError(`Neuron ${j} has the weight ${weights[j]}; weights are at least 0.`);
    total += weights[j];
    cumulative[j] = total;
  }
  if (!(total > 0) || !Number.isFinite(total))
    throw new RangeError(`The ${m} weights add up to ${total}; at least one must be positive.`);
  const indices = new Uint32Array(count);
  const factors = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const target = random.uniform() * total;
    let low = 0;
    let high = m - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (cumulative[middle] > target) high = middle;
      else low = middle + 1;
    }
    indices[i] = low;
    factors[i] = total / (m * weights[low]);
  }
  return { indices, factors };
}

/** Draws `count` of m neurons uniformly, without repetition while count <= m; all factors are 1. */
export function resampleUniformly(m: number, count: number, random: Random): Resampled {
  if (m < 1) throw new RangeError('There is no neuron to draw from.');
  const indices =
    count <= m
      ? random.permutation(m).slice(0, count)
      : Uint32Array.from({ length: count }, () => random.integer(m));
  return { indices, factors: new Float64Array(count).fill(1) };
}

function requireSameKind(a: Neurons, b: Neurons): void {
  if (a.theta.cols !== b.theta.cols || a.u.cols !== b.u.cols)
    throw new RangeError(
      `The networks take ${a.theta.cols} and ${b.theta.cols} inputs and give ${a.u.cols} and ${b.u.cols} outputs; ` +
        'they must agree.',
    );
}

/**
 * The mixture (1 - t) rho_a + t rho_b of two distributions of neurons: all neurons of both, u rescaled so that the mean
 * over m_a + m_b neurons equals (1 - t) f_a + t f_b exactly.
 */
export function mixNeurons(a: Neurons, b: Neurons, t: number): Neurons {
  requireSameKind(a, b);
  const ma = a.u.rows;
  const mb = b.u.rows;
  const m = ma + mb;
  const theta = matrix(m, a.theta.cols);
  theta.data.set(a.theta.data);
  theta.data.set(b.theta.data, a.theta.data.length);
  const u = matrix(m, a.u.cols);
  const scaleA = ((1 - t) * m) / ma;
  const scaleB = (t * m) / mb;
  u.data.set(a.u.data.map((x) => x * scaleA));
  u.data.set(
    b.u.data.map((x) => x * scaleB),
    a.u.data.length,
  );
  return { theta, u };
}

/** The point (1 - t) a + t b of the straight path between the parameters of two networks of equal width. */
export function interpolateNeurons(a: Neurons, b: Neurons, t: number): Neurons {
  requireSameKind(a, b);
  if (a.u.rows !== b.u.rows)
    throw new RangeError(`A parameter path needs equal widths, not ${a.u.rows} and ${b.u.rows}.`);
  const between = (x: Matrix, y: Matrix) =>
    matrix(
      x.rows,
      x.cols,
      x.data.map((value, i) => (1 - t) * value + t * y.data[i]),
    );
  return { theta: between(a.theta, b.theta), u: between(a.u, b.u) };
}

export interface RayAngles {
  /** [m] angle to the nearest ray, radians in [0, pi]; pi / 2 for a neuron at the origin. */
  readonly angle: Float64Array;
  /** [m] which ray that is. */
  readonly nearest: Uint32Array;
}

/** Angles between the neurons theta [m, d] and their nearest of the rays [r, d] from the origin, r >= 1. */
export function anglesToRays(theta: Matrix, rays: Matrix): RayAngles {
  const d = theta.cols;
  if (rays.cols !== d || rays.rows === 0)
    throw new RangeError(`Neurons in ${d} dimensions need at least one ray in ${d} dimensions.`);
  const angle = new Float64Array(theta.rows).fill(Number.POSITIVE_INFINITY);
  const nearest = new Uint32Array(theta.rows);
  for (let j = 0; j < theta.rows; j++) {
    const v = theta.data.subarray(j * d, (j + 1) * d);
    const norm = Math.hypot(...v);
    for (let r = 0; r < rays.rows; r++) {
      const ray = rays.data.subarray(r * d, (r + 1) * d);
      const length = Math.hypot(...ray);
      let along = 0;
      let across = 0;
      // 2 atan2(|a - b|, |a + b|) for unit vectors: exact at small angles, where acos of a cosine is not.
      for (let c = 0; c < d; c++) {
        along += (v[c] / norm + ray[c] / length) ** 2;
        across += (v[c] / norm - ray[c] / length) ** 2;
      }
      const value =
        norm > 0 && length > 0 ? 2 * Math.atan2(Math.sqrt(across), Math.sqrt(along)) : Math.PI / 2;
      if (value >= angle[j]) continue;
      angle[j] = value;
      nearest[j] = r;
    }
  }
  return { angle, nearest };
}
