import { eigh } from '../linalg/eigen.js';
import { type Matrix, matrix } from '../linalg/matrix.js';
import { matmul, requireSquare, transpose } from '../linalg/ops.js';

/** Largest stable step 2 (1 + momentum) n O / lambda_max for the loss sum |f - y|^2 / (2 n O); lambda_max of the full kernel. */
export function largestStableStep(lambdaMax: number, samples: number, outputs: number, momentum = 0): number {
  return (2 * (1 + momentum) * samples * outputs) / lambdaMax;
}

/** Share of a mode's residual left after `steps` of gradient descent, (1 - eta lambda / (n O))^steps; `rate` = eta / (n O). */
export function descentShare(lambda: number, rate: number, steps: number): number {
  return (1 - rate * lambda) ** steps;
}

/** The same under gradient flow at time t, exp(-rate lambda t); negative eigenvalues count as zero. */
export function flowShare(lambda: number, rate: number, time: number): number {
  return Math.exp(-rate * Math.max(0, lambda) * time);
}

/**
 * The same under heavy-ball momentum from rest: r_(t+1) = (1 + m - rate lambda) r_t - m r_(t-1), r_(-1) = r_0, by repeated
 * squaring of the 2 x 2 recursion, so that equal eigenvalues need no case of their own. `steps` is a whole number.
 */
export function momentumShare(lambda: number, rate: number, momentum: number, steps: number): number {
  let [a, b, c, d] = [1 + momentum - rate * lambda, -momentum, 1, 0];
  let [x, y] = [1, 1];
  for (let left = steps; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) [x, y] = [a * x + b * y, c * x + d * y];
    [a, b, c, d] = [a * a + b * c, a * b + b * d, c * a + d * c, c * b + d * d];
  }
  return x;
}

/** Adds a ridge: `ridge` times the mean of the diagonal, or `ridge` itself when `absolute`. */
export function regularised(k: Matrix, ridge: number, absolute = false): Matrix {
  requireSquare(k, 'The kernel');
  let mean = 0;
  for (let i = 0; i < k.rows; i++) mean += k.data[i * k.cols + i] / k.rows;
  const out = matrix(k.rows, k.cols, k.data.slice());
  for (let i = 0; i < k.rows; i++) out.data[i * k.cols + i] += absolute ? ridge : ridge * mean;
  return out;
}

export interface Modes {
  /** [N] descending. */
  readonly values: Float64Array;
  /** [N, N], rows are eigenvectors. */
  readonly vectors: Matrix;
}

/** Eigen-decomposition that the predictions below share. */
export function modesOf(kernel: Matrix): Modes {
  return eigh(kernel);
}

/** g(K) b for a function g of the eigenvalues; b is [N, C]. */
export function applyFunction(modes: Modes, g: (lambda: number) => number, b: Matrix): Matrix {
  const inside = matmul(modes.vectors, b);
  for (let k = 0; k < inside.rows; k++) {
    const factor = g(modes.values[k]);
    for (let c = 0; c < inside.cols; c++) inside.data[k * inside.cols + c] *= factor;
  }
  return matmul(transpose(modes.vectors), inside);
}

/** Eigenvalues up to here are rounding errors of zero: N eps lambda_max, as in numpy.linalg.matrix_rank. */
const nullFloor = ({ values }: Modes): number =>
  values.length * Number.EPSILON * values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/**
 * (1 - share(lambda)) / lambda of gradient flow with its limit at zero: how far a unit of residual has been learnt. At time
 * Infinity directions that the kernel does not reach are left out, which is the limit of large times.
 */
function learnt(modes: Modes, rate: number, time: number): (lambda: number) => number {
  const floor = nullFloor(modes);
  return (lambda) => {
    if (time === Infinity) return lambda <= floor ? 0 : 1 / lambda;
    return lambda <= 0 ? rate * time : -Math.expm1(-rate * lambda * time) / lambda;
  };
}

export interface Outputs {
  /** [N, O] */
  readonly train: Matrix;
  /** [M, O] */
  readonly test: Matrix;
}

function combine(a: Matrix, b: Matrix, sign: number): Matrix {
  return matrix(
    a.rows,
    a.cols,
    a.data.map((v, i) => v + sign * b.data[i]),
  );
}

/**
 * Outputs under gradient flow at time t (Infinity allowed) on sum |f - y|^2 / (2 n O): f0 + K (1 - e^(-eta t K/(n O))) K^-1
 * (y - f0) on the training inputs and K_test in the place of the first K on test inputs. `testTrain` is [M, N]. Under a
 * singular kernel, as equal inputs make it, time Infinity is the limit of large times: what it does not reach stays.
 */
export function flowOutputs(
  modes: Modes,
  testTrain: Matrix,
  start: Outputs,
  targets: Matrix,
  learningRate: number,
  time: number,
): Outputs {
  const rate = learningRate / (targets.rows * targets.cols);
  const missing = combine(targets, start.train, -1);
  const gain = applyFunction(modes, learnt(modes, rate, time), missing);
  const floor = nullFloor(modes);
  const reached = (l: number): number => {
    if (time === Infinity) return l <= floor ? 0 : 1;
    return -Math.expm1(-rate * Math.max(0, l) * time);
  };
  const moved = applyFunction(modes, reached, missing);
  return {
    train: combine(start.train, moved, 1),
    test: combine(start.test, matmul(testTrain, gain), 1),
  };
}

export interface EnsembleKernels {
  /** NNGP: [N, N], [M, N], [M, M]. */
  readonly nngp: { readonly train: Matrix; readonly testTrain: Matrix; readonly test: Matrix };
  /** NTK [N, N] through its modes (with its ridge, if any), and [M, N]. */
  readonly ntk: Modes;
  readonly ntkTestTrain: Matrix;
}

/**
 * Mean [M, O] and covariance [M, M] per output over centred starts of networks trained for time t (Lee et al. 2019, eq. 14
 * to 16); time Infinity is the trained ensemble.
 */
export function ensemble(
  kernels: EnsembleKernels,
  targets: Matrix,
  learningRate: number,
  time: number,
): { readonly mean: Matrix; readonly covariance: Matrix } {
  const { nngp, ntk, ntkTestTrain } = kernels;
  const g = learnt(ntk, learningRate / (targets.rows * targets.cols), time);
  const mean = matmul(ntkTestTrain, applyFunction(ntk, g, targets));
  // [N, M]: the weights that training gives the initial training outputs.
  const weights = applyFunction(ntk, g, transpose(ntkTestTrain));
  const middle = matmul(transpose(weights), matmul(nngp.train, weights));
  const cross = matmul(nngp.testTrain, weights);
  const covariance = combine(combine(combine(nngp.test, middle, 1), cross, -1), transpose(cross), -1);
  return { mean, covariance };
}

/**
 * Mean and covariance of the Gaussian process with kernel K: K_st K^-1 y and K_ss - K_st K^-1 K_ts. Of a singular K, as equal
 * inputs make it, the pseudo-inverse: equal inputs share the mean of their targets.
 */
export function gaussianPosterior(
  modes: Modes,
  testTrain: Matrix,
  test: Matrix,
  targets: Matrix,
): { readonly mean: Matrix; readonly covariance: Matrix } {
  const floor = nullFloor(modes);
  const inverse = (l: number): number => (l > floor ? 1 / l : 0);
  return {
    mean: matmul(testTrain, applyFunction(modes, inverse, targets)),
    covariance: combine(test, matmul(testTrain, applyFunction(modes, inverse, transpose(testTrain))), -1),
  };
}
