import { type Matrix, matrix } from '../linalg/matrix.js';
import { matmul } from '../linalg/ops.js';
import { applyFunction, modesOf } from './squaredLoss.js';

export interface RidgeCurve {
  /** Ridges tried, in units of the mean diagonal tr(K) / N. */
  readonly ridges: readonly number[];
  /** Mean square error on the test inputs (over all outputs) at each. */
  readonly errors: readonly number[];
  /** The smallest error and its ridge. */
  readonly best: { readonly ridge: number; readonly error: number };
}

/** 1e-8 .. 10 in half decades. */
const grid = Array.from({ length: 19 }, (_, i) => 10 ** (i / 2 - 8));

/**
 * Kernel ridge regression f = K_test (K + ridge I)^-1 Y at every ridge of a grid, from one eigen-decomposition in float64.
 * K is [N, N], K_test [M, N], Y [N, O], Y_test [M, O]. The best is chosen by the test error itself: no way to choose a ridge
 * does better, which is what a kernel method should be granted when something else is said to beat it.
 */
export function kernelRidge(
  kernel: Matrix,
  testTrain: Matrix,
  targets: Matrix,
  testTargets: Matrix,
  ridges: readonly number[] = grid,
): RidgeCurve {
  const modes = modesOf(kernel);
  let diagonal = 0;
  for (let i = 0; i < kernel.rows; i++) diagonal += kernel.data[i * kernel.cols + i] / kernel.rows;
  const O = targets.cols;
  // The coefficients of all ridges side by side, [N, R O]: one product with the test kernel.
  const all = matrix(targets.rows, ridges.length * O);
  for (const [r, ridge] of ridges.entries()) {
    const inverse = (value: number) => 1 / (Math.max(0, value) + ridge * diagonal);
    const coefficients = applyFunction(modes, inverse, targets);
    for (let i = 0; i < targets.rows; i++)
      for (let o = 0; o < O; o++) all.data[i * all.cols + r * O + o] = coefficients.data[i * O + o];
  }
  const predicted = matmul(testTrain, all);
  const errors = ridges.map((_, r) => {
    let sum = 0;
    for (let i = 0; i < testTargets.rows; i++)
      for (let o = 0; o < O; o++)
        sum += (predicted.data[i * all.cols + r * O + o] - testTargets.data[i * O + o]) ** 2;
    return sum / testTargets.data.length;
  });
  const at = errors.indexOf(Math.min(...errors));
  return { ridges, errors, best: { ridge: ridges[at], error: errors[at] } };
}
