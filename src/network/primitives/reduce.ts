import type { GraphNode } from '../graph/graph.js';
import * as tf from '../tf.js';
import { axisOf, inputOf, outputOf, type Primitive, shapeOf } from './primitive.js';

const name = (node: GraphNode): string => ('x' in node.inputs ? 'x' : 'logits');

function reducedAxes(node: GraphNode): readonly number[] {
  const { axis, reductionIndices } = node.attrs as {
    axis?: number | number[];
    reductionIndices?: number | number[];
  };
  const { length } = shapeOf(node, name(node));
  const given = axis ?? reductionIndices;
  return given === undefined || given === null
    ? Array.from({ length }, (_, k) => k)
    : [given].flat().map((one) => axisOf(one, length));
}

/** [..., ...out] with the axes that were summed put back at length 1. */
function withAxes(d: tf.Tensor, node: GraphNode, lead: number): tf.Tensor {
  const axes = reducedAxes(node);
  const { shape } = node.outputs[0];
  const input = shapeOf(node, name(node));
  if (shape.length === input.length) return d;
  const own = [...d.shape.slice(lead)];
  const whole = input.map((_, axis) => (axes.includes(axis) ? 1 : (own.shift() as number)));
  return tf.reshape(d, [...d.shape.slice(0, lead), ...whole]);
}

const count = (node: GraphNode): number =>
  reducedAxes(node).reduce((product, axis) => product * shapeOf(node, name(node))[axis], 1);

const total = (t: tf.Tensor, node: GraphNode): tf.Tensor =>
  tf.reshape(tf.sum(t, [...reducedAxes(node)]), [...node.outputs[0].shape]);

export const sum: Primitive = {
  kernels: ['Sum'],
  pull: ([d], node) => withAxes(d as tf.Tensor, node, 1),
  push: ({ x }, node) => [total(x as tf.Tensor, node)],
};

export const mean: Primitive = {
  kernels: ['Mean'],
  pull: ([d], node) => withAxes(tf.div(d as tf.Tensor, count(node)), node, 1),
  push: ({ x }, node) => [tf.div(total(x as tf.Tensor, node), count(node))],
};

/** Where the greatest or least number stands; places that tie share, as in Keras. */
function shares(node: GraphNode): tf.Tensor {
  const x = inputOf(node, 'x');
  const at = tf.cast(tf.equal(x, withAxes(outputOf(node), node, 0)), 'float32');
  return tf.div(at, tf.sum(at, [...reducedAxes(node)], true));
}

/** TensorFlow.js gives every place that ties the whole cotangent. */
export const extremum: Primitive = {
  kernels: ['Max', 'Min'],
  pull: ([d], node) => tf.mul(withAxes(d as tf.Tensor, node, 1), shares(node)),
  push: ({ x }, node) => [total(tf.mul(x as tf.Tensor, shares(node)), node)],
};

/** y (d - <d, y>), symmetric. */
function throughSoftmax(d: tf.Tensor, node: GraphNode): tf.Tensor {
  const y = outputOf(node);
  const weighted = tf.mul(d, y);
  return tf.sub(weighted, tf.mul(tf.sum(weighted, -1, true), y));
}

export const softmax: Primitive = {
  kernels: ['Softmax'],
  pull: ([d], node) => throughSoftmax(d as tf.Tensor, node),
  push: ({ logits }, node) => [throughSoftmax(logits as tf.Tensor, node)],
};
