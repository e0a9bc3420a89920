import { FailureError } from '../errors.js';
import { type Matrix, matrix } from '../linalg/matrix.js';
import { matmul, requireSquare } from '../linalg/ops.js';
import type { Outputs } from './squaredLoss.js';

/** Rows of exp(f) / sum exp(f), for f [N, O]. */
export function softmax(f: Matrix): Matrix {
  const out = matrix(f.rows, f.cols);
  for (let i = 0; i < f.rows; i++) {
    const row = f.data.subarray(i * f.cols, (i + 1) * f.cols);
    const top = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    let sum = 0;
    for (let o = 0; o < f.cols; o++) {
      const e = Math.exp(row[o] - top);
      out.data[i * f.cols + o] = e;
      sum += e;
    }
    for (let o = 0; o < f.cols; o++) out.data[i * f.cols + o] /= sum;
  }
  return out;
}

/** Mean over samples of -sum_o y_o log softmax(f)_o, f and y [N, O]. */
export function crossEntropy(f: Matrix, y: Matrix): number {
  let loss = 0;
  for (let i = 0; i < f.rows; i++) {
    const row = f.data.subarray(i * f.cols, (i + 1) * f.cols);
    const top = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const log = top + Math.log(row.reduce((sum, v) => sum + Math.exp(v - top), 0));
    for (let o = 0; o < f.cols; o++) loss += y.data[i * f.cols + o] * (log - row[o]);
  }
  return loss / f.rows;
}

// Dormand and Prince (1980), order 5 with an error of order 4; the last row of `stages` is the step itself.
const stages: readonly (readonly number[])[] = [
  [1 / 5],
  [3 / 40, 9 / 40],
  [44 / 45, -56 / 15, 32 / 9],
  [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
  [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
  [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
];
const errorWeights = [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40];

export interface CrossEntropyOptions {
  /** Largest error a step may add to an output, relative to 1 + |f|. Default 1e-8. */
  readonly tolerance?: number;
  /** Default 100,000. */
  readonly mostSteps?: number;
}

export interface CrossEntropyPoint extends Outputs {
  readonly time: number;
}

/** base + h sum_s weights[s] slopes[s] */
function advance(
  base: Float64Array,
  slopes: readonly Float64Array[],
  weights: readonly number[],
  h: number,
): Float64Array {
  const out = base.slice();
  weights.forEach((weight, s) => {
    if (weight !== 0) for (let i = 0; i < out.length; i++) out[i] += h * weight * slopes[s][i];
  });
  return out;
}

function requireTimes(times: readonly number[]): void {
  times.forEach((t, i) => {
    if (!(t >= (times[i - 1] ?? 0)) || t === Infinity)
      throw new RangeError(
        `Time ${t} is out of order; times must be finite, ascending and at least 0 (under cross-entropy nothing converges).`,
      );
  });
}

/** Largest sum of absolute values of a row: no eigenvalue is larger. */
function rowBound(k: Matrix): number {
  let most = 0;
  for (let i = 0; i < k.rows; i++) {
    let sum = 0;
    for (let j = 0; j < k.cols; j++) sum += Math.abs(k.data[i * k.cols + j]);
    most = Math.max(most, sum);
  }
  return most;
}

/**
 * Outputs under gradient flow on the mean cross-entropy with a fixed kernel K [N, N], the same for every output:
 *
 *   df/dt = -(eta / n) K (softmax(f) - y),   df_test/dt = -(eta / n) K_test (softmax(f) - y)
 *
 * (Jacot et al. 2018, section 4; Lee et al. 2019, section 2.3), at each of `times` (ascending, in steps of descent with
 * learning rate eta). `testTrain` is [M, N], targets [N, O] with rows of sum 1. What is integrated is da/dt = (eta / n)
 * (softmax(f0 - K a) - y), from which f = f0 - K a and f_test = f0_test - K_test a, by an adaptive Runge-Kutta method. It
 * is explicit: its steps stay below about 6 n / (eta lambda_max), so the cost is about that of descent at its largest
 * stable step. Throws FailureError when `mostSteps`, or steps above
 * rounding, do not reach the last time.
 */
export function crossEntropyFlow(
  kernel: Matrix,
  testTrain: Matrix,
  start: Outputs,
  targets: Matrix,
  learningRate: number,
  times: readonly number[],
  options: CrossEntropyOptions = {},
): CrossEntropyPoint[] {
  requireSquare(kernel, 'The kernel');
  requireTimes(times);
  const { tolerance = 1e-8, mostSteps = 100_000 } = options;
  const { rows, cols } = targets;
  const rate = learningRate / rows;
  const outputsAt = (a: Float64Array, k: Matrix, from: Matrix): Matrix => {
    const moved = matmul(k, matrix(rows, cols, a)).data;
    return matrix(
      from.rows,
      cols,
      from.data.map((v, i) => v - moved[i]),
    );
  };
  const slopeAt = (f: Matrix): Float64Array => softmax(f).data.map((p, i) => rate * (p - targets.data[i]));
  const points: CrossEntropyPoint[] = [];
  let a: Float64Array = new Float64Array(rows * cols);
  let f = start.train;
  let first = slopeAt(f);
  let t = 0;
  let h = 1 / (rate * rowBound(kernel) || 1);
  let taken = 0;
  for (const time of times) {
    while (t < time) {
      if (taken++ >= mostSteps || !(h > 1e-14 * time))
        throw new FailureError(
          `The flow reached time ${t.toPrecision(4)} of ${time} in ${taken - 1} steps; ask for earlier times, or allow more steps or a larger tolerance.`,
        );
      const left = time - t;
      const used = Math.min(h, left);
      const slopes = [first];
      let nextA = a;
      let nextF = f;
      for (const weights of stages) {
        nextA = advance(a, slopes, weights, used);
        nextF = outputsAt(nextA, kernel, start.train);
        slopes.push(slopeAt(nextF));
      }
      const off = matmul(
        kernel,
        matrix(rows, cols, advance(new Float64Array(rows * cols), slopes, errorWeights, used)),
      );
      let error = 0;
      for (let i = 0; i < off.data.length; i++)
        error = Math.max(error, Math.abs(off.data[i]) / (tolerance * (1 + Math.abs(nextF.data[i]))));
      const factor = Number.isFinite(error) ? Math.min(5, Math.max(0.2, 0.9 * error ** -0.2)) : 0.2;
      const proposed = used * factor;
      if (!(error <= 1)) {
        h = proposed;
        continue;
      }
      // A step cut short by a point in time says nothing against a longer one.
      h = used < h ? Math.max(h, proposed) : proposed;
      t = used === left ? time : t + used;
      a = nextA;
      f = nextF;
      first = slopes[slopes.length - 1];
    }
    points.push({ time, train: f, test: outputsAt(a, testTrain, start.test) });
  }
  return points;
}
