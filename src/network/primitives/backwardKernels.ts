import type { GraphNode } from '../graph/graph.js';
import * as tf from '../tf.js';
import { multilinear, type Primitive, rerun, type Tangents } from './primitive.js';

/** Kernels of TensorFlow.js's own gradients, as second derivatives meet them: products of images and cotangents. */
export const filterGradient: Primitive = {
  kernels: ['Conv2DBackpropFilter', 'Conv3DBackpropFilterV2', 'DepthwiseConv2dNativeBackpropFilter'],
  push: multilinear,
};

/** Gradients of pools and of resizing: linear in the cotangent; what else goes in only makes a choice, or has a size. */
export const linearInCotangent: Primitive = {
  kernels: [
    'AvgPoolGrad',
    'AvgPool3DGrad',
    'MaxPoolGrad',
    'MaxPool3DGrad',
    'ResizeBilinearGrad',
    'ResizeNearestNeighborGrad',
  ],
  push: ({ dy }: Tangents, node: GraphNode) =>
    dy ? rerun(node, { dy }) : node.outputs.map(({ shape }) => tf.zeros([...shape])),
};
