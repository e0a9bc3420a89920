import { modelProgram, type Program } from '../graph/program.js';
import { flatOutputs } from '../outputs.js';
import * as tf from '../tf.js';
import type { Contribution } from './contribution.js';
import type { KernelMode } from './request.js';

/** Gradients of every sample and output in the weights of every group, one backward pass of all of the program each. */
function explicitRows(
  program: Program,
  inputs: readonly tf.Tensor[],
  outputs: readonly number[],
): readonly { readonly group: string; readonly rows: tf.Tensor2D }[] {
  const samples = inputs[0].shape[0];
  const variables = program.weights.map(({ variable }) => variable);
  const rows: tf.Tensor1D[][] = variables.map(() => []);
  for (let i = 0; i < samples; i++)
    for (const output of outputs)
      tf.tidy(() => {
        const { grads } = tf.variableGrads(() => {
          const y = program.run(inputs.map((t) => tf.slice(t, i, 1)));
          return tf.sum(tf.slice2d(flatOutputs([...y], 1), [0, output], [1, 1]));
        }, variables);
        for (const [k, variable] of variables.entries())
          rows[k].push(
            tf.keep(tf.reshape(grads[variable.name] ?? tf.zerosLike(variable), [-1])) as tf.Tensor1D,
          );
      });
  return program.weights.map(({ group }, k) => {
    const stacked = tf.stack(rows[k]) as tf.Tensor2D;
    tf.dispose(rows[k]);
    return { group, rows: stacked };
  });
}

/** Contributions of any program whose outputs do not depend on the other samples, the plain way. The caller tidies. */
export function explicitContributions(
  program: Program,
  inputs: readonly tf.Tensor[],
  outputs: readonly number[],
  mode: KernelMode,
): readonly Contribution[] {
  return explicitRows(program, inputs, outputs).map(({ group, rows }) => {
    const [n, p] = [rows.shape[0] / outputs.length, rows.shape[1]];
    const own = mode === 'full' ? rows : (tf.reshape(rows, [n, outputs.length * p]) as tf.Tensor2D);
    return { kind: 'gradients', layer: group, rows: [own] };
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
  return tf.tidy(() => {
    const rows = explicitRows(modelProgram(model), [x].flat(), outputs);
    return tf.concat(
      rows.map((each) => each.rows),
      1,
    ) as tf.Tensor2D;
  });
}
