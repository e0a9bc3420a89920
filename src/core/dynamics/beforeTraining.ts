import { momentumShare } from './squaredLoss.js';

export interface PredictedCurve {
  /** Log-spaced steps, 0 first. */
  readonly step: Float64Array;
  readonly loss: Float64Array;
  /** Steps to a half, a tenth and a hundredth of the initial loss; null when more than `horizon` steps are needed. */
  readonly stepsTo: {
    readonly half: number | null;
    readonly tenth: number | null;
    readonly hundredth: number | null;
  };
}

export interface CurveOptions {
  /** Step size divided by n O (squared loss), so that a mode shrinks by 1 - rate * lambda a step. */
  readonly rate: number;
  readonly momentum?: number;
  readonly steps: number;
  /** Loss is scale * sum_k r_k^2. */
  readonly scale: number;
  /** Longest training that is looked at. Default 10^9 steps. */
  readonly horizon?: number;
}

/**
 * Loss curve of gradient descent with a fixed kernel under squared loss: sum_k r_k^2 (1 - rate lambda_k)^(2t) (Jacot et
 * al. 2018, section 5), from the residual of each mode [P] and the eigenvalues [P].
 */
export function predictedCurve(
  residual: ArrayLike<number>,
  eigenvalues: ArrayLike<number>,
  options: CurveOptions,
): PredictedCurve {
  const { horizon = 1e9 } = options;
  const loss = lossAt(residual, eigenvalues, options);
  const points = 80;
  const steps = new Set<number>([0]);
  for (let i = 0; i <= points; i++) steps.add(Math.round((options.steps + 1) ** (i / points)) - 1);
  const step = Float64Array.from([...steps].sort((a, b) => a - b));
  const start = loss(0);
  return {
    step,
    loss: step.map(loss),
    stepsTo: {
      half: firstBelow(loss, 0.5 * start, horizon),
      tenth: firstBelow(loss, 0.1 * start, horizon),
      hundredth: firstBelow(loss, 0.01 * start, horizon),
    },
  };
}

type LossOptions = Pick<CurveOptions, 'rate' | 'momentum' | 'scale'>;

function lossAt(residual: ArrayLike<number>, eigenvalues: ArrayLike<number>, options: LossOptions) {
  const { rate, momentum = 0, scale } = options;
  const share = (lambda: number, t: number) =>
    momentum > 0 ? momentumShare(lambda, rate, momentum, t) : (1 - rate * lambda) ** t;
  return (t: number): number => {
    let sum = 0;
    for (let k = 0; k < residual.length; k++) sum += (residual[k] * share(eigenvalues[k], t)) ** 2;
    return scale * sum;
  };
}

/**
 * Steps after which the loss of `predictedCurve` is at most `loss`, from the same residuals and eigenvalues; null when
 * more than `horizon` are needed.
 */
export function stepsToLoss(
  residual: ArrayLike<number>,
  eigenvalues: ArrayLike<number>,
  loss: number,
  options: LossOptions & Pick<CurveOptions, 'horizon'>,
): number | null {
  return firstBelow(lossAt(residual, eigenvalues, options), loss, options.horizon ?? 1e9);
}

/** First step at which a (in the end decreasing) loss is at most `bar`, by doubling and bisection. */
function firstBelow(loss: (t: number) => number, bar: number, horizon: number): number | null {
  if (loss(0) <= bar) return 0;
  let high = 1;
  while (!(loss(high) <= bar)) {
    high *= 2;
    if (high > horizon) return null;
  }
  let low = high / 2;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (loss(middle) <= bar) high = middle;
    else low = middle;
  }
  return high;
}
