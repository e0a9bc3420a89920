import type { Matrix } from '../linalg/matrix.js';
import { requireFinite } from '../linalg/ops.js';
import { Random } from '../random.js';

export interface SlicedOptions {
  /** Nonnegative weights of the particles of each cloud, of any positive sum; default equal. */
  readonly weightsA?: ArrayLike<number>;
  readonly weightsB?: ArrayLike<number>;
  /** Random directions; default 128. In one dimension a single one is exact. */
  readonly directions?: number;
  readonly seed?: number | string;
}

interface Projected {
  readonly positions: Float64Array;
  readonly weights: Float64Array;
}

function normalised(weights: ArrayLike<number> | undefined, n: number, name: string): Float64Array {
  if (!weights) return new Float64Array(n).fill(1 / n);
  if (weights.length !== n)
    throw new RangeError(`${name} has ${n} particles, but ${weights.length} weights were given.`);
  let total = 0;
  for (let i = 0; i < n; i++) {
    if (!(weights[i] >= 0))
      throw new RangeError(`${name} has the weight ${weights[i]}; weights are at least 0.`);
    total += weights[i];
  }
  if (!(total > 0) || !Number.isFinite(total))
    throw new RangeError(`The weights of ${name} add up to ${total}.`);
  return Float64Array.from(weights, (w) => w / total);
}

/** Positions along a direction in order, with their weights; `equal` weights need not follow, and sort far faster. */
function project(cloud: Matrix, weights: Float64Array, direction: Float64Array, equal: boolean): Projected {
  const n = cloud.rows;
  const raw = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let s = 0;
    for (let k = 0; k < cloud.cols; k++) s += cloud.data[i * cloud.cols + k] * direction[k];
    raw[i] = s;
  }
  if (equal) return { positions: raw.sort(), weights };
  const order = Uint32Array.from(raw, (_, i) => i).sort((a, b) => raw[a] - raw[b]);
  return {
    positions: Float64Array.from(order, (i) => raw[i]),
    weights: Float64Array.from(order, (i) => weights[i]),
  };
}

/** Squared Wasserstein-2 distance of two weighted point sets on a line: mass is matched in order. */
function squaredOnLine(a: Projected, b: Projected): number {
  let i = 0;
  let j = 0;
  let left = a.weights[0];
  let right = b.weights[0];
  let s = 0;
  for (;;) {
    const mass = Math.min(left, right);
    s += mass * (a.positions[i] - b.positions[j]) ** 2;
    left -= mass;
    right -= mass;
    if (left <= 0) {
      if (++i === a.positions.length) return s;
      left = a.weights[i];
    }
    if (right <= 0) {
      if (++j === b.positions.length) return s;
      right = b.weights[j];
    }
  }
}

/**
 * Sliced Wasserstein-2 distance between two clouds [m, d] and [m', d] (Rabin et al. 2011): the root of the mean, over
 * random unit directions, of the squared distances of the projections. In units of the coordinates. The same seed uses
 * the same directions. Throws a RangeError for empty clouds, different dimensions or weights that do not fit.
 */
export function slicedWasserstein(a: Matrix, b: Matrix, options: SlicedOptions = {}): number {
  if (a.cols !== b.cols)
    throw new RangeError(
      `The clouds have ${a.cols} and ${b.cols} coordinates; they must have the same number.`,
    );
  if (a.rows === 0 || b.rows === 0)
    throw new RangeError('A cloud without particles has no distance to another.');
  requireFinite(a, 'The first cloud');
  requireFinite(b, 'The second cloud');
  const wa = normalised(options.weightsA, a.rows, 'The first cloud');
  const wb = normalised(options.weightsB, b.rows, 'The second cloud');
  const d = a.cols;
  const directions = d === 1 ? 1 : (options.directions ?? 128);
  const random = new Random(options.seed ?? 0).fork('sliced wasserstein');
  let s = 0;
  for (let k = 0; k < directions; k++) {
    const direction = random.normals(d);
    let length = 0;
    for (const x of direction) length += x * x;
    for (let i = 0; i < d; i++) direction[i] /= Math.sqrt(length);
    const onLineA = project(a, wa, direction, !options.weightsA);
    const onLineB = project(b, wb, direction, !options.weightsB);
    s += squaredOnLine(onLineA, onLineB);
  }
  return Math.sqrt(s / directions);
}
