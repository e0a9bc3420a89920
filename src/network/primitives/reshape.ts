import * as tf from '../tf.js';
import { axisOf, multilinear, type Primitive, reshaped, shapeOf, spread } from './primitive.js';

/** The same numbers in the same order under another shape. */
export const reshape: Primitive = {
  kernels: ['Reshape', 'ExpandDims'],
  pull: ([d], node, name) => reshaped(d as tf.Tensor, node.outputs[0].shape, shapeOf(node, name)),
  push: multilinear,
};

export const transpose: Primitive = {
  kernels: ['Transpose'],
  pull: ([d], node) => {
    const perm = node.attrs.perm as number[];
    const back = perm.map((_, axis) => 1 + perm.indexOf(axis));
    return tf.transpose(d as tf.Tensor, [0, ...back]);
  },
  push: multilinear,
};

export const reverse: Primitive = {
  kernels: ['Reverse'],
  pull: ([d], node, name) => {
    const shape = shapeOf(node, name);
    const dims = [node.attrs.dims as number | number[]].flat().map((axis) => axisOf(axis, shape.length));
    // Along an axis of equal numbers nothing changes.
    const axes = dims.map((axis) => axis + 1).filter((axis) => (d as tf.Tensor).shape[axis] !== 1);
    return axes.length > 0 ? tf.reverse(d as tf.Tensor, axes) : (d as tf.Tensor);
  },
  push: multilinear,
};

/** Sums of all numbers up to each along an axis. TensorFlow.js's own gradient has the wrong shape off the last axis. */
export const cumulativeSum: Primitive = {
  kernels: ['Cumsum'],
  pull: ([d], node, name) => {
    const {
      axis,
      exclusive,
      reverse: backwards,
    } = node.attrs as { axis: number; exclusive: boolean; reverse: boolean };
    const shape = shapeOf(node, name);
    const last = shape.length;
    const at = axisOf(axis, shape.length) + 1;
    const whole = spread(d as tf.Tensor, shape);
    const order = Array.from({ length: last + 1 }, (_, k) => k);
    [order[at], order[last]] = [order[last], order[at]];
    const turned = at === last ? whole : tf.transpose(whole, order);
    const sums = tf.cumsum(turned, last, exclusive, !backwards);
    return at === last ? sums : tf.transpose(sums, order);
  },
  push: multilinear,
};
