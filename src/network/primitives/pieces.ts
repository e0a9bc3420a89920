import type { GraphNode } from '../graph/graph.js';
import * as tf from '../tf.js';
import { addAll, axisOf, multilinear, type Primitive, shapeOf, spread, type Tangents } from './primitive.js';

/** Cotangents [L, ...] in full along one axis of the value behind L, the others as they are. */
function alongAxis(d: tf.Tensor, shape: readonly number[], axis: number): tf.Tensor {
  const own = d.shape.slice(1).map((n, k) => (k === axis ? shape[k] : n));
  return spread(d, own);
}

/** The kernels that pick out pieces of a tensor or put pieces together. */
export const slice: Primitive = {
  kernels: ['Slice'],
  pull: ([d], node, name) => {
    const begin = node.attrs.begin as number[];
    const [shape, out] = [shapeOf(node, name), node.outputs[0].shape];
    const cut = shape.map((n, axis) => n !== out[axis]);
    const own = (d as tf.Tensor).shape.slice(1).map((n, axis) => (cut[axis] ? out[axis] : n));
    const margins = shape.map((n, axis): [number, number] =>
      cut[axis] ? [begin[axis], n - out[axis] - begin[axis]] : [0, 0],
    );
    return tf.pad(spread(d as tf.Tensor, own), [[0, 0], ...margins]);
  },
  push: multilinear,
};

export const pad: Primitive = {
  kernels: ['PadV2'],
  pull: ([d], node, name) => {
    const shape = shapeOf(node, name);
    const paddings = node.attrs.paddings as [number, number][];
    const own = (d as tf.Tensor).shape;
    const begin = paddings.map(([before], axis) => (own[axis + 1] === 1 ? 0 : before));
    const size = shape.map((n, axis) => (own[axis + 1] === 1 ? 1 : n));
    return tf.slice(d as tf.Tensor, [0, ...begin], [own[0], ...size]);
  },
  push: (tangents, node) => [tf.pad(tangents.x as tf.Tensor, node.attrs.paddings as [number, number][])],
};

const zerosFor = (node: GraphNode, tangents: Tangents): tf.Tensor[] =>
  Object.keys(node.inputs).map((name) => tangents[name] ?? tf.zeros([...shapeOf(node, name)]));

export const concat: Primitive = {
  kernels: ['Concat'],
  pull: ([d], node, name) => {
    const shape = shapeOf(node, name);
    const axis = axisOf(node.attrs.axis as number, shape.length);
    let from = 0;
    for (const [key, value] of Object.entries(node.inputs)) {
      if (key === name) break;
      from += value.shape[axis];
    }
    const own = (d as tf.Tensor).shape;
    if (own[axis + 1] === 1) return d as tf.Tensor;
    const begin = own.map((_, k) => (k === axis + 1 ? from : 0));
    return tf.slice(
      d as tf.Tensor,
      begin,
      own.map((n, k) => (k === axis + 1 ? shape[axis] : n)),
    );
  },
  push: (tangents, node) => [tf.concat(zerosFor(node, tangents), node.attrs.axis as number)],
};

export const pack: Primitive = {
  kernels: ['Pack'],
  pull: ([d], node, name) => {
    const axis = axisOf(node.attrs.axis as number, node.outputs[0].shape.length) + 1;
    const place = Object.keys(node.inputs).indexOf(name);
    const own = (d as tf.Tensor).shape;
    const at = own[axis] === 1 ? 0 : place;
    const begin = own.map((_, k) => (k === axis ? at : 0));
    const piece = tf.slice(
      d as tf.Tensor,
      begin,
      own.map((n, k) => (k === axis ? 1 : n)),
    );
    return tf.squeeze(piece, [axis]);
  },
  push: (tangents, node) => [tf.stack(zerosFor(node, tangents), node.attrs.axis as number)],
};

/** Pieces of several outputs, those without a cotangent as zeros, each in full along the axis. */
function present(d: readonly (tf.Tensor | null)[], node: GraphNode): tf.Tensor[] {
  const lead = (d.find((t) => t !== null) as tf.Tensor).shape[0];
  return node.outputs.map(({ shape }, k) => {
    const own = d[k];
    return own ? spread(own, shape) : tf.zeros([lead, ...shape]);
  });
}

export const unpack: Primitive = {
  kernels: ['Unpack'],
  pull: (d, node, name) =>
    tf.stack(present(d, node), axisOf(node.attrs.axis as number, shapeOf(node, name).length) + 1),
  push: multilinear,
};

export const split: Primitive = {
  kernels: ['SplitV'],
  pull: (d, node, name) =>
    tf.concat(present(d, node), axisOf(node.attrs.axis as number, shapeOf(node, name).length) + 1),
  push: multilinear,
};

/** Copies side by side. TensorFlow.js's gradient of Tile runs two operations a copy. */
export const tile: Primitive = {
  kernels: ['Tile'],
  pull: ([d], node, name) => {
    const shape = shapeOf(node, name);
    const { reps } = node.attrs as { reps: number[] };
    const whole = reps.reduce(
      (t, n, axis) => (n === 1 ? t : alongAxis(t, node.outputs[0].shape, axis)),
      d as tf.Tensor,
    );
    const [lead, ...own] = whole.shape;
    const apart = own.flatMap((n, axis) => (reps[axis] === 1 ? [1, n] : [reps[axis], shape[axis]]));
    const copies = reps.flatMap((n, axis) => (n === 1 ? [] : [1 + 2 * axis]));
    const sum = copies.length > 0 ? tf.sum(tf.reshape(whole, [lead, ...apart]), copies) : whole;
    return tf.reshape(sum, [lead, ...own.map((n, axis) => (reps[axis] === 1 ? n : shape[axis]))]);
  },
  push: multilinear,
};

/** Rows of a table; the rows of several places add up. */
export const gather: Primitive = {
  kernels: ['GatherV2'],
  pull: ([d], node, name) => {
    const [shape, indices] = [shapeOf(node, name), node.inputs.indices.tensor as tf.Tensor];
    const axis = axisOf(node.attrs.axis as number, shape.length);
    if (node.attrs.batchDims) throw new Error('A gather with batch dimensions has no rule.');
    const whole = spread(d as tf.Tensor, node.outputs[0].shape);
    const [lead] = whole.shape;
    const before = shape.slice(0, axis).reduce((a, b) => a * b, lead);
    const behind = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    const rows = tf.transpose(tf.reshape(whole, [before, indices.size, behind]), [1, 0, 2]);
    const flat = tf.reshape(tf.cast(indices, 'int32'), [-1]) as tf.Tensor1D;
    const sums = tf.unsortedSegmentSum(tf.reshape(rows, [indices.size, before * behind]), flat, shape[axis]);
    const turned = tf.transpose(tf.reshape(sums, [shape[axis], before, behind]), [1, 0, 2]);
    return tf.reshape(turned, [lead, ...shape]);
  },
  push: multilinear,
};

export const add: Primitive = {
  kernels: ['AddN'],
  pull: ([d]) => d as tf.Tensor,
  push: (tangents) => [addAll(Object.values(tangents).filter((t) => t !== undefined))],
};
