import * as tf from '../tf.js';

type Strides = [number, number];
interface ConvolutionAttributes {
  readonly strides: Strides;
  readonly pad: 'same' | 'valid' | number;
  readonly dataFormat?: 'NHWC' | 'NCHW';
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
  readonly dilations?: Strides;
  readonly filterSize?: Strides;
}

const runs = (name: string, inputs: Record<string, tf.Tensor>, attrs: Record<string, unknown>): tf.Tensor =>
  tf.engine().runKernel(name, inputs, attrs as unknown as tf.NamedAttrMap) as tf.Tensor;

function register(
  kernelName: string,
  inputsToSave: string[],
  gradFunc: (
    d: tf.Tensor,
    saved: tf.Tensor[],
    attrs: ConvolutionAttributes,
  ) => Record<string, () => tf.Tensor>,
): void {
  if (tf.getGradient(kernelName)) return;
  tf.registerGradient({
    kernelName,
    inputsToSave,
    gradFunc: (d, saved, attrs) => gradFunc(d as tf.Tensor, saved, attrs as unknown as ConvolutionAttributes),
  });
}

let done = false;

/**
 * Derivatives of the backward kernels of convolutions and average pools, which TensorFlow.js 4.22 lacks: all of them are
 * bilinear, so their derivatives are the same three products again. Maximum pools have none; their users fall back to
 * central differences.
 */
export function registerSecondGradients(): void {
  if (done) return;
  done = true;
  register('Conv2DBackpropFilter', ['x', 'dy'], (dw, [x, dy], a) => ({
    x: () => runs('Conv2DBackpropInput', { dy, filter: dw }, { ...plain(a), inputShape: x.shape }),
    dy: () => runs('Conv2D', { x, filter: dw }, { dilations: [1, 1], ...plain(a) }),
  }));
  register('DepthwiseConv2dNativeBackpropFilter', ['x', 'dy'], (dw, [x, dy], a) => ({
    x: () =>
      runs('DepthwiseConv2dNativeBackpropInput', { dy, filter: dw }, { ...plain(a), inputShape: x.shape }),
    dy: () => runs('DepthwiseConv2dNative', { x, filter: dw }, plain(a)),
  }));
  register('DepthwiseConv2dNativeBackpropInput', ['dy', 'filter'], (dx, [dy, filter], a) => ({
    dy: () => runs('DepthwiseConv2dNative', { x: dx, filter }, plain(a)),
    filter: () =>
      runs('DepthwiseConv2dNativeBackpropFilter', { x: dx, dy }, { ...plain(a), filterShape: filter.shape }),
  }));
  register('AvgPoolGrad', ['dy', 'input'], (dx, [, input], a) => ({
    dy: () => runs('AvgPool', { x: dx }, { filterSize: a.filterSize, strides: a.strides, pad: a.pad }),
    input: () => tf.zerosLike(input),
  }));
}

const plain = ({ strides, pad, dataFormat, dimRoundingMode, dilations }: ConvolutionAttributes) => ({
  strides,
  pad,
  ...(dataFormat ? { dataFormat } : {}),
  ...(dimRoundingMode ? { dimRoundingMode } : {}),
  ...(dilations ? { dilations } : {}),
});
