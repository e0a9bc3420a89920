import { type Matrix, matrix } from '../linalg/matrix.js';
import { matmul, transpose } from '../linalg/ops.js';
import { type Modes, momentumShare, type Outputs } from './squaredLoss.js';

export interface DescentRule {
  /** Step size eta on the loss sum |f - y|^2 / (2 n O). */
  readonly learningRate: number;
  /** Heavy-ball momentum. Default 0. */
  readonly momentum?: number;
}

/** (1 - share) / lambda after `steps`, with its limit at zero: how far a unit of residual has moved the parameters. */
function gainOf(lambda: number, rate: number, momentum: number, steps: number): number {
  const small = rate * Math.abs(lambda) * steps < 1e-7 * (1 - momentum);
  if (momentum === 0) {
    if (small) return rate * steps;
    const left = rate * lambda;
    // log1p keeps what is lost in 1 - (1 - x)^t for small x.
    return left < 1 ? -Math.expm1(steps * Math.log1p(-left)) / lambda : (1 - (1 - left) ** steps) / lambda;
  }
  if (!small) return (1 - momentumShare(lambda, rate, momentum, steps)) / lambda;
  const summed = (momentum * (1 - momentum ** steps)) / (1 - momentum);
  return (rate * (steps - summed)) / (1 - momentum);
}

/** A fixed kernel's descent on its training inputs, ready to be asked for any number of steps. */
interface Descent {
  /** Outputs after `steps` steps; a whole number. */
  at(steps: number): Outputs;
}

/**
 * Gradient descent, or heavy-ball momentum from rest, with a fixed kernel [N, N] given by its modes and [M, N] on other
 * inputs, under squared loss (Lee et al. 2019, section 2.2, in discrete time): training residuals shrink by their mode's
 * share, other inputs follow by f_test - K_test (1 - share(K)) / K (f - y). float64; `start` and targets are [N, O] and
 * [M, O]. Asking costs N (N + M) O operations.
 */
export function closedFormDescent(
  modes: Modes,
  testTrain: Matrix,
  start: Outputs,
  targets: Matrix,
  rule: DescentRule,
): Descent {
  const { rows: n, cols: O } = targets;
  const { learningRate, momentum = 0 } = rule;
  const rate = learningRate / (n * O);
  const residual = matrix(
    n,
    O,
    start.train.data.map((f, i) => f - targets.data[i]),
  );
  const inside = matmul(modes.vectors, residual);
  const outward = transpose(modes.vectors);
  const across = matmul(testTrain, outward);
  return {
    at: (steps) => {
      const gains = modes.values.map((lambda) => gainOf(lambda, rate, momentum, steps));
      const scaled = (factor: (k: number) => number) =>
        matrix(
          n,
          O,
          inside.data.map((v, i) => v * factor(Math.floor(i / O))),
        );
      const moved = matmul(
        outward,
        scaled((k) => gains[k] * modes.values[k]),
      );
      const movedTest = matmul(
        across,
        scaled((k) => gains[k]),
      );
      const less = (from: Matrix, by: Matrix) =>
        matrix(
          from.rows,
          O,
          from.data.map((f, i) => f - by.data[i]),
        );
      return { train: less(start.train, moved), test: less(start.test, movedTest) };
    },
  };
}

export interface LearningCurve {
  readonly steps: readonly number[];
  /** sum |f - y|^2 / (2 n O) on the training and on the other inputs. */
  readonly train: Float64Array;
  readonly test: Float64Array;
}

/** Squared loss of `closedFormDescent` on training and test inputs after each of `steps`; `testTargets` is [M, O]. */
export function learningCurve(
  modes: Modes,
  testTrain: Matrix,
  start: Outputs,
  targets: Matrix,
  testTargets: Matrix,
  rule: DescentRule,
  steps: readonly number[],
): LearningCurve {
  const descent = closedFormDescent(modes, testTrain, start, targets, rule);
  const loss = (f: Matrix, y: Matrix): number =>
    f.data.reduce((sum, v, i) => sum + (v - y.data[i]) ** 2, 0) / (2 * f.data.length);
  const at = steps.map((t) => descent.at(t));
  return {
    steps,
    train: Float64Array.from(at, ({ train }) => loss(train, targets)),
    test: Float64Array.from(at, ({ test }) => loss(test, testTargets)),
  };
}
