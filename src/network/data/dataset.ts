import type { Sabotage } from '../training/sabotage.js';
import type { LossName } from './spec.js';

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
  /** What was found out, left out or replaced when it was read, in sentences. */
  readonly notes?: readonly string[];
}

export interface DataContext {
  /** Folder that relative paths start from: that of the model file. */
  readonly folder: string;
  readonly seed: number;
  readonly loss: LossName;
  /** Fault planted by a claim's self-test; those that concern the data act here. */
  readonly sabotage?: Sabotage;
}

/**
 * Targets of class labels. Squared loss: -1/+1 in one output for two classes, one-hot for more. Cross-entropy, and labels
 * that were given as one-hot rows: one-hot, always one output a class.
 */
export function targetsOf(
  labels: Int32Array,
  classes: number,
  loss: LossName,
  oneHot = false,
): { y: Float32Array; outputs: number } {
  if (loss === 'mse' && classes === 2 && !oneHot)
    return { y: Float32Array.from(labels, (c) => (c === 0 ? -1 : 1)), outputs: 1 };
  const y = new Float32Array(labels.length * classes);
  for (let i = 0; i < labels.length; i++) y[i * classes + labels[i]] = 1;
  return { y, outputs: classes };
}

/** The training targets moved on by one sample, so that every input carries those of its neighbour. */
export function withShiftedLabels(data: Dataset): Dataset {
  const { y, labels, size } = data.train;
  const shifted = <T extends Float32Array | Int32Array>(values: T, each: number): T => {
    const out = values.slice() as T;
    out.set(values.subarray(each));
    out.set(values.subarray(0, each), values.length - each);
    return out;
  };
  return {
    ...data,
    train: {
      ...data.train,
      y: shifted(y, y.length / Math.max(1, size)),
      labels: labels && shifted(labels, 1),
    },
  };
}
