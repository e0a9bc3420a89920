import type { GraphNode } from '../graph/graph.js';
import type * as tf from '../tf.js';
import { batchedPull, genericPull } from './generic.js';
import { multilinear, type Primitive, rerun, type Tangents } from './primitive.js';

/** Kernels that are linear in the images and in the filter; images lie along the first axis. */
export const convolution: Primitive = {
  kernels: ['Conv2D', 'Conv3D', 'DepthwiseConv2dNative'],
  pull: batchedPull(['x'], ['x']),
  push: multilinear,
};

/** Transposed convolutions. */
export const convolutionInput: Primitive = {
  kernels: ['Conv2DBackpropInput', 'Conv3DBackpropInputV2', 'DepthwiseConv2dNativeBackpropInput'],
  // Its own attributes hold the number of images.
  pull: genericPull,
  push: multilinear,
};

const linearPush = (tangents: Tangents, node: GraphNode): tf.Tensor[] =>
  rerun(node, Object.fromEntries(Object.entries(tangents).filter(([, t]) => t)) as Record<string, tf.Tensor>);

/** Kernels of images that are linear in them. */
export const linearOnImages: Primitive = {
  kernels: ['AvgPool', 'AvgPool3D', 'ResizeBilinear', 'ResizeNearestNeighbor'],
  pull: batchedPull(['x', 'images'], ['x', 'images']),
  push: linearPush,
};
