import * as tf from '../tf.js';
import { flatOutputs } from './outputs.js';

/** Gradients of every sample and output with respect to the trainable weights of some layers, the plain way. */
export function genericGradients(
  model: tf.LayersModel,
  x: tf.Tensor | tf.Tensor[],
  outputs: readonly number[],
  layers: readonly tf.layers.Layer[],
): { readonly layer: string; readonly rows: tf.Tensor2D }[] {
  const inputs = Array.isArray(x) ? x : [x];
  const samples = inputs[0].shape[0] as number;
  const variables = layers.map((layer) => layer.trainableWeights.map((w) => w.read() as tf.Variable));
  const flat = variables.flat();
  const rows: tf.Tensor1D[][] = layers.map(() => []);
  for (let i = 0; i < samples; i++) {
    for (const output of outputs) {
      tf.tidy(() => {
        const { grads } = tf.variableGrads(() => {
          const one = inputs.map((t) =>
            tf.slice(t, [i, ...t.shape.slice(1).map(() => 0)], [1, ...t.shape.slice(1)]),
          );
          const y = model.apply(one.length === 1 ? one[0] : one, { training: false }) as
            | tf.Tensor
            | tf.Tensor[];
          return tf.sum(tf.slice2d(flatOutputs(y, 1), [0, output], [1, 1]));
        }, flat);
        for (const [l, own] of variables.entries()) {
          const parts = own.map((v) => tf.reshape(grads[v.name] ?? tf.zerosLike(v), [-1]));
          rows[l].push(tf.keep(tf.concat(parts) as tf.Tensor1D));
        }
      });
    }
  }
  return layers.map((layer, l) => {
    const stacked = tf.stack(rows[l]) as tf.Tensor2D;
    tf.dispose(rows[l]);
    return { layer: layer.name, rows: stacked };
  });
}

/**
 * The explicit Jacobian [N O, P] over all trainable weights in the order of `model.trainableWeights`: the oracle every
 * structured kernel is checked against, and what Jacobian contraction costs.
 */
export function explicitJacobian(
  model: tf.LayersModel,
  x: tf.Tensor | tf.Tensor[],
  outputs: readonly number[],
): tf.Tensor2D {
  const weights = model.trainableWeights;
  const layer = { name: 'all', trainableWeights: weights } as unknown as tf.layers.Layer;
  return genericGradients(model, x, outputs, [layer])[0].rows;
}
