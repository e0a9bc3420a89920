import * as tf from './tf.js';

/** Outputs of a pass as [n, O]; those of a model with several outputs side by side, in order. */
export function flatOutputs(y: tf.Tensor | tf.Tensor[], samples: number): tf.Tensor2D {
  const flat = [y].flat().map((one) => tf.reshape(one, [samples, -1]) as tf.Tensor2D);
  return flat.length === 1 ? flat[0] : tf.concat2d(flat, 1);
}

/** Number of scalar outputs a sample of the model has, all of its outputs counted. */
export function outputCount(model: tf.LayersModel): number {
  return model.outputs.reduce(
    (sum, output) => sum + output.shape.slice(1).reduce<number>((product, n) => product * (n ?? 1), 1),
    0,
  );
}
