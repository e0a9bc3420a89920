import { runKernel } from '../../primitives/primitive.js';
import * as tf from '../../tf.js';
import { borrowFromCpu, overrideKernel } from './override.js';
import { dilationsOf, spaced, unspaced } from './spacing.js';

type Attributes = Readonly<Record<string, unknown>>;

function replace(config: tf.GradConfig): void {
  if (tf.getGradient(config.kernelName)) tf.unregisterGradient(config.kernelName);
  tf.registerGradient(config);
}

/** A gradient of a convolution that TensorFlow.js has for dilation 1 only: zeros go between the filter's numbers. */
function withDilations(
  kernelName: string,
  axes: number,
  input: (x: tf.Tensor, dy: tf.Tensor, filter: tf.Tensor, attrs: Attributes) => tf.Tensor,
  filter: (x: tf.Tensor, dy: tf.Tensor, shape: number[], attrs: Attributes) => tf.Tensor,
): void {
  replace({
    kernelName,
    inputsToSave: ['x', 'filter'],
    gradFunc: (dy, [x, w], attrs) => {
      const own = attrs as unknown as Attributes;
      const dilations = dilationsOf(own, axes);
      const wide = spaced(w, dilations);
      const plain = { ...own, dilations: dilations.map(() => 1) };
      return {
        x: () => input(x, dy as tf.Tensor, wide, plain),
        filter: () => unspaced(filter(x, dy as tf.Tensor, wide.shape, plain), dilations),
      };
    },
  });
}

/** Gradients of convolutions along three axes, of transposed ones, and of dilated depthwise ones, on every backend. */
export function patchVolumeGradients(): void {
  withDilations(
    'Conv3D',
    3,
    (x, dy, filter, { strides, pad }) =>
      runKernel('Conv3DBackpropInputV2', { dy, filter }, { strides, pad, inputShape: x.shape }),
    (x, dy, filterShape, { strides, pad }) =>
      runKernel('Conv3DBackpropFilterV2', { x, dy }, { strides, pad, filterShape }),
  );
  withDilations(
    'DepthwiseConv2dNative',
    2,
    (x, dy, filter, attrs) =>
      runKernel('DepthwiseConv2dNativeBackpropInput', { dy, filter }, { ...attrs, inputShape: x.shape }),
    (x, dy, filterShape, attrs) =>
      runKernel('DepthwiseConv2dNativeBackpropFilter', { x, dy }, { ...attrs, filterShape }),
  );
  replace({
    kernelName: 'Conv3DBackpropInputV2',
    inputsToSave: ['dy', 'filter'],
    gradFunc: (ddx, [dy, filter], attrs) => {
      const { strides, pad } = attrs as unknown as Attributes;
      const x = ddx as tf.Tensor;
      return {
        dy: () =>
          runKernel('Conv3D', { x, filter }, { strides, pad, dataFormat: 'NDHWC', dilations: [1, 1, 1] }),
        filter: () =>
          runKernel('Conv3DBackpropFilterV2', { x, dy }, { strides, pad, filterShape: filter.shape }),
      };
    },
  });
  replace({
    kernelName: 'DepthwiseConv2dNativeBackpropInput',
    inputsToSave: ['dy', 'filter'],
    gradFunc: (ddx, [dy, filter], attrs) => {
      const { inputShape: _, ...own } = attrs as unknown as Attributes;
      const x = ddx as tf.Tensor;
      return {
        dy: () => runKernel('DepthwiseConv2dNative', { x, filter }, { ...own, dataFormat: 'NHWC' }),
        filter: () =>
          runKernel('DepthwiseConv2dNativeBackpropFilter', { x, dy }, { ...own, filterShape: filter.shape }),
      };
    },
  });
}

/** Kernels on volumes: wrong on wasm, whose own read what is not theirs; native knows no dilations. */
export function patchVolumes(backendName: 'native' | 'wasm'): void {
  if (backendName === 'wasm') {
    // The greatest of numbers below zero comes out as zero there.
    for (const kernel of ['Conv3DBackpropInputV2', 'Conv3DBackpropFilterV2', 'MaxPool3D', 'MaxPool3DGrad'])
      borrowFromCpu('wasm', kernel);
    return;
  }
  overrideKernel('tensorflow', 'Conv3D', ({ x, filter }, attrs, original) => {
    const dilations = dilationsOf(attrs, 3);
    const plain = { ...attrs, dilations: dilations.map(() => 1) };
    return original?.({ x, filter: spaced(filter, dilations) }, plain, null) as tf.TensorInfo;
  });
}

/** Batch normalisation off the last axis: the kernels of wasm and of plain JavaScript take the mean's numbers in turn. */
export function patchBatchNormalization(backendName: 'wasm' | 'cpu'): void {
  overrideKernel(backendName, 'FusedBatchNorm', (inputs, attrs, original) => {
    const { x, mean, variance, offset, scale } = inputs;
    if (mean.size === mean.shape[mean.rank - 1] && mean.size === x.shape[x.rank - 1])
      return original?.(inputs, attrs, null) as tf.TensorInfo;
    const inverse = tf.rsqrt(tf.add(variance, attrs['varianceEpsilon'] as number));
    const normal = tf.mul(tf.sub(x, mean), scale ? tf.mul(inverse, scale) : inverse);
    return offset ? tf.add(normal, offset) : normal;
  });
}
