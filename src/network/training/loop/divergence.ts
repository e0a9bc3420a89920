import { DivergedError } from '../../../core/errors.js';

/** Growth of the loss over max(1, initial loss) that counts as divergence before float32 overflows. */
const growth = 1e9;

export interface LossContext {
  readonly step: number;
  readonly rate: number;
  readonly initialLoss: number;
  /** Largest stable step by the kernel at the start; NaN when not measured. */
  readonly maxStep: number;
}

/** Throws a DivergedError that names step, step size and the way out when the loss has left the finite numbers. */
export function requireBounded(loss: number, { step, rate, initialLoss, maxStep }: LossContext): void {
  if (Number.isFinite(loss) && loss <= growth * Math.max(1, initialLoss)) return;
  const short = (v: number, digits: number) => Number(v.toPrecision(digits));
  throw new DivergedError(
    `Training diverged at step ${step}: the loss is ${loss} with step size ${short(rate, 4)}.${Number.isFinite(maxStep) ? ` The kernel at the start allows at most ${short(maxStep, 3)}.` : ''} Take a smaller optimizer.learningRate, or 'auto'.`,
    step,
  );
}
