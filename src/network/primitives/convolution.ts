import { batchedPull, genericPull } from './generic.js';
import { multilinear, type Primitive } from './primitive.js';

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
