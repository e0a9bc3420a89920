import type { GraphNode, Value } from '../graph/graph.js';
import { averagePool } from '../primitives/averagePool.js';
import { elementwise } from '../primitives/elementwise.js';
import { localResponse } from '../primitives/localResponse.js';
import { tile } from '../primitives/pieces.js';
import type { Primitive } from '../primitives/primitive.js';
import { rearrangement } from '../primitives/rearrange.js';
import { extremum } from '../primitives/reduce.js';
import { cumulativeSum } from '../primitives/reshape.js';
import { resize } from '../primitives/resize.js';
import * as tf from '../tf.js';

const asValue = (tensor: tf.Tensor): Value => ({
  id: -1,
  shape: tensor.shape,
  dtype: tensor.dtype,
  tensor,
  variable: null,
  input: -1,
  node: null,
});

/**
 * Makes a rule's `pull` the gradient of a kernel, so that training and kernels are derived by the same rule. `unsaved` inputs
 * are not needed by value: they have the shape of another one.
 */
function registerRule(
  primitive: Primitive,
  kernelName: string,
  names: readonly string[],
  output = false,
  unsaved: Readonly<Record<string, string>> = {},
): void {
  if (tf.getGradient(kernelName)) tf.unregisterGradient(kernelName);
  tf.registerGradient({
    kernelName,
    inputsToSave: [...names],
    outputsToSave: [output],
    gradFunc: (dy, saved, attrs) => {
      const d = tf.expandDims(dy as tf.Tensor, 0);
      const outputs = [asValue(output ? saved[names.length] : (dy as tf.Tensor))];
      const kept = Object.fromEntries(names.map((name, k) => [name, asValue(saved[k])]));
      const others = Object.entries(unsaved).map(([name, like]) => [name, kept[like]]);
      const inputs: Record<string, Value> = { ...kept, ...Object.fromEntries(others) };
      const node: GraphNode = {
        kernel: kernelName,
        inputs,
        isList: false,
        attrs: attrs as unknown as Record<string, unknown>,
        outputs,
        custom: null,
      };
      const gradient = (name: string) => (): tf.Tensor => {
        const { shape } = inputs[name];
        const own = primitive.pull?.([d], node, name) as tf.Tensor;
        return tf.reshape(tf.broadcastTo(own, [1, ...shape]), [...shape]);
      };
      return Object.fromEntries(Object.keys(inputs).map((name) => [name, gradient(name)]));
    },
  });
}

/**
 * Gradients that TensorFlow.js 4.22 computes wrongly or lacks, by the rules that kernels are made with. A maximum gives
 * every place that ties the whole gradient (Keras shares it); resizing errs for more than one image on plain JavaScript;
 * cumulative sums have another shape off the last axis; batch normalisation errs off the last axis; averages over volumes
 * count margins; mirrored margins are left out; strided slices have no gradient; that of Tile takes two operations a copy; the
 * greater or lesser of two numbers, and squared differences, forget to sum over what was repeated.
 */
export function patchByRules(): void {
  for (const kernel of ['Max', 'Min']) registerRule(extremum, kernel, ['x'], true);
  for (const kernel of resize.kernels) registerRule(resize, kernel, ['images']);
  registerRule(cumulativeSum, 'Cumsum', ['x']);
  registerRule(tile, 'Tile', ['x']);
  registerRule(averagePool, 'AvgPool3D', ['x']);
  registerRule(localResponse, 'LRN', ['x']);
  for (const kernel of ['StridedSlice', 'MirrorPad', 'DepthToSpace'])
    registerRule(rearrangement, kernel, ['x']);
  for (const kernel of ['Maximum', 'Minimum', 'SquaredDifference'])
    registerRule(elementwise, kernel, ['a', 'b']);
  registerRule(elementwise, 'FusedBatchNorm', ['x', 'mean', 'variance', 'scale'], false, { offset: 'mean' });
}
