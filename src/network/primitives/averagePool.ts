import type { GraphNode } from '../graph/graph.js';
import * as tf from '../tf.js';
import { along } from './along.js';
import { type Primitive, rerun, shapeOf, spread } from './primitive.js';

interface Window {
  readonly inputs: number;
  readonly outputs: number;
  readonly size: number;
  readonly stride: number;
  readonly before: number;
}

/** The window of a pool along every axis of an image or volume. */
function windowsOf(node: GraphNode): readonly Window[] {
  const { filterSize, strides, pad, dimRoundingMode } = node.attrs as {
    filterSize: number | number[];
    strides: number | number[];
    pad: 'same';
    dimRoundingMode?: 'floor';
  };
  const shape = [...shapeOf(node, 'x')];
  if (shape.length === 5) {
    const of = (v: number | number[]) => v as [number, number, number];
    const info = tf.backend_util.computePool3DInfo(
      shape as [number, number, number, number, number],
      of(filterSize),
      of(strides),
      1,
      pad,
      dimRoundingMode,
    );
    const { front, top, left } = info.padInfo;
    return [
      [info.inDepth, info.outDepth, info.effectiveFilterDepth, info.strideDepth, front],
      [info.inHeight, info.outHeight, info.effectiveFilterHeight, info.strideHeight, top],
      [info.inWidth, info.outWidth, info.effectiveFilterWidth, info.strideWidth, left],
    ].map(([inputs, outputs, size, stride, before]) => ({ inputs, outputs, size, stride, before }));
  }
  const of = (v: number | number[]) => v as [number, number];
  const info = tf.backend_util.computePool2DInfo(
    shape as [number, number, number, number],
    of(filterSize),
    of(strides),
    1,
    pad,
    dimRoundingMode,
  );
  const { top, left } = info.padInfo;
  return [
    [info.inHeight, info.outHeight, info.effectiveFilterHeight, info.strideHeight, top],
    [info.inWidth, info.outWidth, info.effectiveFilterWidth, info.strideWidth, left],
  ].map(([inputs, outputs, size, stride, before]) => ({ inputs, outputs, size, stride, before }));
}

/** What an average takes of every number along one axis, [outputs, inputs]: margins do not count. */
function shares({ inputs, outputs, size, stride, before }: Window): tf.Tensor2D {
  const values = new Float32Array(inputs * outputs);
  for (let o = 0; o < outputs; o++) {
    const [from, to] = [Math.max(0, o * stride - before), Math.min(inputs, o * stride - before + size)];
    for (let i = from; i < to; i++) values[o * inputs + i] = 1 / (to - from);
  }
  return tf.tensor2d(values, [outputs, inputs]);
}

/** Averages over windows are averages along one axis after another. */
export const averagePool: Primitive = {
  kernels: ['AvgPool', 'AvgPool3D'],
  pull: ([d], node) =>
    windowsOf(node).reduce(
      (t, window, k) => along(t, k + 2, shares(window)),
      spread(d as tf.Tensor, node.outputs[0].shape),
    ),
  push: ({ x }, node) => rerun(node, { x: x as tf.Tensor }),
};
