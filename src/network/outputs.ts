import { InputError } from '../core/errors.js';
import type { Inputs } from './inputs.js';
import * as tf from './tf.js';

/** Outputs of a pass as [n, O]; those of a model with several outputs side by side, in order. */
export function flatOutputs(y: tf.Tensor | tf.Tensor[], samples: number): tf.Tensor2D {
  const flat = [y].flat().map((one) => tf.reshape(one, [samples, -1]) as tf.Tensor2D);
  return flat.length === 1 ? flat[0] : tf.concat2d(flat, 1);
}

/**
 * Number of scalar outputs a sample of the model has, all of its outputs counted: as its shapes say, or where lengths are
 * open, as it has on the inputs `x`. Throws an InputError for open lengths without inputs.
 */
export function outputCount(model: tf.LayersModel, x?: Inputs): number {
  const shapes = model.outputs.map((output) => output.shape.slice(1));
  if (shapes.every((shape) => shape.every((n) => n !== null)))
    return shapes.reduce((sum, shape) => sum + (shape as number[]).reduce((product, n) => product * n, 1), 0);
  if (!x)
    throw new InputError(
      `The model's outputs have no fixed length ([${shapes.map((shape) => shape.map((n) => n ?? 'null').join(', ')).join('], [')}]), so they cannot be counted. Build it for inputs of a fixed shape.`,
      { field: 'model' },
    );
  return tf.tidy(() => {
    const one = [x].flat().map((t) => tf.slice(t, 0, 1));
    return flatOutputs(model.apply(one.length === 1 ? one[0] : one) as tf.Tensor | tf.Tensor[], 1).size;
  });
}
