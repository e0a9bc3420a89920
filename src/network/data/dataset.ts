import type { LossName } from '../../experiment/definition.js';

/** Inputs and targets of one part, row-major: x [size, ...inputShape], y [size, outputs]. */
export interface Split {
  readonly size: number;
  readonly x: Float32Array;
  readonly y: Float32Array;
  /** Class of each sample (index into `classes`), null for regression. */
  readonly labels: Int32Array | null;
}

export interface Dataset {
  readonly name: string;
  /** Shape of one input, without the batch axis. */
  readonly inputShape: readonly number[];
  readonly outputs: number;
  /** Number of classes; null for regression. */
  readonly classes: number | null;
  readonly train: Split;
  readonly test: Split;
}

export interface DataContext {
  /** Folder that relative paths start from: that of the model file. */
  readonly folder: string;
  readonly seed: number;
  readonly loss: LossName;
}

/**
 * Targets of class labels. Squared loss: -1/+1 in one output for two classes, one-hot for more. Cross-entropy:
 * one-hot, always one output a class.
 */
export function targetsOf(
  labels: Int32Array,
  classes: number,
  loss: LossName,
): { y: Float32Array; outputs: number } {
  if (loss === 'mse' && classes === 2)
    return { y: Float32Array.from(labels, (c) => (c === 0 ? -1 : 1)), outputs: 1 };
  const y = new Float32Array(labels.length * classes);
  for (let i = 0; i < labels.length; i++) y[i * classes + labels[i]] = 1;
  return { y, outputs: classes };
}
