import { descentShare, momentumShare } from '../../core/dynamics/squaredLoss.js';
import type { ExperimentDefinition } from '../../experiment/definition.js';

/** The run at its start, in the eigenbasis of the probe kernel. */
export interface PredictionStart {
  /** Residual and eigenvalue of every mode, [P]. */
  readonly residual: Float64Array;
  readonly values: Float64Array;
  /** eta / (P O). */
  readonly rate: number;
  readonly loss: number;
}

/** What a kernel that stays as it is at the start predicts for full-batch descent under squared loss (Jacot et al. 2018). */
export interface KernelPrediction {
  /** Residual left in every mode after `step` steps, [P]. */
  residual(step: number): Float64Array;
  /** Training loss, as the start's times the share of squared residual left; the probe stands for the training set. */
  loss(step: number): { readonly predictedLoss?: number };
}

/** The prediction, or null where theory is silent: cross-entropy, minibatches, noise, L2, Adam. */
export function predictionOf(
  definition: Pick<ExperimentDefinition, 'loss' | 'optimizer' | 'batch' | 'noise' | 'regularization'>,
  start: PredictionStart,
): KernelPrediction | null {
  const { loss, optimizer, batch, noise, regularization } = definition;
  if (loss !== 'mse' || batch !== 'full' || noise || regularization || optimizer.kind === 'adam') return null;
  const momentum = optimizer.kind === 'momentum' ? (optimizer.momentum ?? 0.9) : 0;
  const share = (lambda: number, step: number) =>
    momentum === 0
      ? descentShare(lambda, start.rate, step)
      : momentumShare(lambda, start.rate, momentum, step);
  const residual = (step: number) => start.residual.map((r, k) => r * share(start.values[k], step));
  const square = (values: Float64Array) => values.reduce((sum, r) => sum + r * r, 0);
  const all = square(start.residual);
  return {
    residual,
    loss: (step) => (all > 0 ? { predictedLoss: (start.loss * square(residual(step))) / all } : {}),
  };
}
