import { FailureError } from '../../core/errors.js';
import type { GraphNode } from '../graph/graph.js';

import * as tf from '../tf.js';
import { inputOf, outputOf, spread, type Tangents } from './primitive.js';

/**
 * Cotangent of an input by the gradient that TensorFlow.js has registered for the kernel, or that a `tf.customGrad` brought
 * along. `dys` are those of the outputs, in full. Throws an Error that names the operation where there is no gradient.
 */
export function registeredGradient(node: GraphNode, dys: readonly tf.Tensor[], name: string): tf.Tensor {
  const { custom, kernel } = node;
  if (custom) return named(custom.backward(dys[0], [...custom.saved]), node, name);
  const config = tf.getGradient(kernel);
  if (!config) throw new NoDerivative(node, name);
  const ins = config.saveAllInputs
    ? Object.keys(node.inputs).map((key) => inputOf(node, key))
    : (config.inputsToSave ?? []).map((key) => node.inputs[key]?.tensor as tf.Tensor);
  const outs = node.outputs
    .filter((_, k) => config.outputsToSave?.[k])
    .map(({ tensor }) => tensor as tf.Tensor);
  const dy = node.outputs.length > 1 ? [...dys] : dys[0];
  return named(config.gradFunc(dy, [...ins, ...outs], node.attrs as unknown as tf.NamedAttrMap), node, name);
}

function named(
  gradients: Readonly<Record<string, () => tf.Tensor>>,
  node: GraphNode,
  name: string,
): tf.Tensor {
  const gradient = gradients[name];
  if (!gradient) throw new NoDerivative(node, name);
  return gradient();
}

/** An operation on the way from a weight to the output that cannot be differentiated. */
export class NoDerivative extends FailureError {
  constructor({ kernel }: GraphNode, name: string) {
    super(
      `TensorFlow.js has no gradient of the operation ${kernel} in its input ${name}, and it lies between a weight and the output. Put other operations in its place, or give it a gradient with tf.customGrad or tf.registerGradient.`,
    );
  }
}

/** `pull` of a primitive by the registered gradient, one of the L cotangents at a time. */
export function genericPull(d: readonly (tf.Tensor | null)[], node: GraphNode, name: string): tf.Tensor {
  const lead = (d.find((t) => t !== null) as tf.Tensor).shape[0];
  const whole = node.outputs.map((value, k) => {
    const own = d[k];
    return own ? spread(own, value.shape) : tf.zeros([lead, ...value.shape]);
  });
  const one = (l: number): tf.Tensor =>
    registeredGradient(
      node,
      whole.map((t, k) => tf.reshape(lead === 1 ? t : tf.slice(t, l, 1), [...node.outputs[k].shape])),
      name,
    );
  if (lead === 1) return tf.expandDims(one(0), 0);
  return tf.stack(Array.from({ length: lead }, (_, l) => one(l)));
}

/**
 * `push` of a primitive from its `pull`: u -> <pull(u), t> is linear in u, with gradient J t. Needs `pull` to be made of
 * operations that TensorFlow.js can differentiate.
 */
export function pushByPull(
  tangents: Tangents,
  node: GraphNode,
  pull: (d: readonly (tf.Tensor | null)[], node: GraphNode, name: string) => tf.Tensor,
): readonly tf.Tensor[] {
  return node.outputs.map((value, k) => {
    const along = tf.grad((u: tf.Tensor) => {
      const d = node.outputs.map((_, j) => (j === k ? tf.expandDims(u, 0) : null));
      const parts = Object.entries(tangents).flatMap(([name, t]) =>
        t ? [tf.sum(tf.mul(tf.reshape(pull(d, node, name), t.shape), t))] : [],
      );
      return parts.length === 1 ? parts[0] : tf.addN(parts);
    });
    return along(tf.zeros([...value.shape]));
  });
}

/** `pull` for kernels whose first axis is the samples' and whose `batched` inputs have it too: L samples' worth at once. */
export const batchedPull =
  (batched: readonly string[], kernelsLinearIn: readonly string[] = []) =>
  (d: readonly (tf.Tensor | null)[], node: GraphNode, name: string): tf.Tensor => {
    const lead = (d[0] as tf.Tensor).shape[0];
    if (lead === 1 || !batched.includes(name)) return genericPull(d, node, name);
    const [n, ...out] = node.outputs[0].shape;
    const whole = tf.reshape(spread(d[0] as tf.Tensor, node.outputs[0].shape), [lead * n, ...out]);
    const repeated = (t: tf.Tensor): tf.Tensor =>
      tf.tile(t, [lead, ...Array.from({ length: t.rank - 1 }, () => 1)]);
    const inputs = Object.fromEntries(
      Object.entries(node.inputs).map(([key, value]) => {
        if (!batched.includes(key)) return [key, value];
        const shape = [lead * n, ...value.shape.slice(1)];
        const tensor = kernelsLinearIn.includes(key) ? tf.zeros(shape) : repeated(value.tensor as tf.Tensor);
        return [key, { ...value, shape, tensor }];
      }),
    );
    const outputs = [{ ...node.outputs[0], shape: [lead * n, ...out], tensor: null as tf.Tensor | null }];
    if (tf.getGradient(node.kernel)?.outputsToSave?.[0]) outputs[0].tensor = repeated(outputOf(node));
    const dx = registeredGradient({ ...node, inputs, outputs }, [whole], name);
    return tf.reshape(dx, [lead, ...node.inputs[name].shape]);
  };
