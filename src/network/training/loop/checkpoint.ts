import { InputError } from '../../../core/errors.js';
import * as tf from '../../tf.js';
import type { LinearisedTwin } from '../twin/twin.js';
import type { RecorderState } from './recorderState.js';
import type { Stepper } from './stepper.js';

/** Everything a run needs to go on as if it had not been interrupted. */
export interface Checkpoint {
  readonly step: number;
  readonly time: number;
  /** In the order of `model.getWeights()`. */
  readonly weights: readonly { readonly shape: readonly number[]; readonly values: Float32Array }[];
  readonly optimizer: ReturnType<Stepper['state']>;
  /** Displacements of the linearised twin, where there is one. */
  readonly twin?: readonly Float32Array[];
  /** Absent in checkpoints of earlier versions. */
  readonly recorder?: RecorderState;
}

export function takeCheckpoint(
  model: tf.LayersModel,
  stepper: Stepper,
  step: number,
  time: number,
  twin: LinearisedTwin | null = null,
): Checkpoint {
  const weights = model
    .getWeights()
    .map((w) => ({ shape: w.shape, values: (w.dataSync() as Float32Array).slice() }));
  return { step, time, weights, optimizer: stepper.state(), ...(twin ? { twin: twin.state() } : {}) };
}

/** Throws an InputError when the checkpoint is of another network. */
export function readCheckpoint(model: tf.LayersModel, stepper: Stepper, checkpoint: Checkpoint): void {
  const own = model.getWeights().map((w) => w.shape.join('×'));
  const saved = checkpoint.weights.map((w) => w.shape.join('×'));
  if (own.join() !== saved.join())
    throw new InputError(
      `The checkpoint of step ${checkpoint.step} holds ${saved.length} weights that do not fit the network's ${own.length}, so the run cannot go on with it. Restore the model file, or start a new run.`,
    );
  // `setWeights` would project weights onto their constraints, which training does not.
  for (const [i, { values, shape }] of checkpoint.weights.entries())
    tf.tidy(() => (model.weights[i].read() as tf.Variable).assign(tf.tensor(values, [...shape])));
  stepper.restore(checkpoint.optimizer);
}
