import * as tf from '../../tf.js';
import { type Attributes, borrowFromCpu, overrideKernel } from './override.js';

type Pad = 'same' | 'valid' | number | tf.backend_util.ExplicitPadding;

interface ConvAttributes {
  readonly strides: [number, number] | number;
  readonly pad: Pad;
  readonly dilations?: [number, number] | number;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
  readonly dataFormat?: 'NHWC' | 'NCHW';
}

const pairOf = (v: [number, number] | number | undefined): [number, number] =>
  Array.isArray(v) ? v : [v ?? 1, v ?? 1];

function geometry(
  xShape: number[],
  filterShape: number[],
  attrs: ConvAttributes,
): tf.backend_util.Conv2DInfo {
  return tf.backend_util.computeConv2DInfo(
    xShape as [number, number, number, number],
    filterShape as [number, number, number, number],
    attrs.strides,
    pairOf(attrs.dilations),
    attrs.pad,
    attrs.dimRoundingMode,
    false,
    'channelsLast',
  );
}

/** x cut or padded so that it holds exactly the rows and columns that windows touch. */
function touched(x: tf.Tensor4D, info: tf.backend_util.Conv2DInfo): tf.Tensor4D {
  const height = (info.outHeight - 1) * info.strideHeight + (info.filterHeight - 1) * info.dilationHeight + 1;
  const width = (info.outWidth - 1) * info.strideWidth + (info.filterWidth - 1) * info.dilationWidth + 1;
  const { top, left } = info.padInfo;
  const bottom = Math.max(0, height - top - info.inHeight);
  const right = Math.max(0, width - left - info.inWidth);
  const padded =
    top + left + bottom + right > 0
      ? tf.pad4d(x, [
          [0, 0],
          [top, bottom],
          [left, right],
          [0, 0],
        ])
      : x;
  return tf.slice4d(padded, [0, 0, 0, 0], [x.shape[0], height, width, x.shape[3]]);
}

/**
 * Gradient of a convolution with respect to its filter, as a forward convolution: images and channels change places,
 * dy is the filter, and stride and dilation change places too. Also right for dilated convolutions.
 */
function filterGradient(
  x: tf.Tensor4D,
  dy: tf.Tensor4D,
  filterShape: number[],
  attrs: ConvAttributes,
): tf.Tensor4D {
  const info = geometry(x.shape, filterShape, attrs);
  const images = tf.transpose(touched(x, info), [3, 1, 2, 0]);
  const filters = tf.transpose(dy, [1, 2, 0, 3]);
  const [stride, dilation] = [
    [info.dilationHeight, info.dilationWidth] as [number, number],
    [info.strideHeight, info.strideWidth] as [number, number],
  ];
  const strided = stride[0] > 1 || stride[1] > 1;
  const both = strided && (dilation[0] > 1 || dilation[1] > 1);
  if (both) throw new Error('A convolution with both strides and dilations above 1 has no gradient.');
  const out = tf.conv2d(images, filters, stride, 'valid', 'NHWC', strided ? 1 : dilation);
  return tf.transpose(out, [1, 2, 0, 3]) as tf.Tensor4D;
}

/** Gradient with respect to the input for stride 1: a convolution of dy with the turned filter. */
function inputGradient(
  dy: tf.Tensor4D,
  filter: tf.Tensor4D,
  inputShape: number[],
  attrs: ConvAttributes,
): tf.Tensor4D {
  const info = geometry(inputShape, filter.shape, attrs);
  const turned = tf.transpose(tf.reverse4d(filter, [0, 1]), [0, 1, 3, 2]) as tf.Tensor4D;
  const reachH = (info.filterHeight - 1) * info.dilationHeight;
  const reachW = (info.filterWidth - 1) * info.dilationWidth;
  const top = reachH - info.padInfo.top;
  const left = reachW - info.padInfo.left;
  const bottom = info.inHeight + reachH - top - info.outHeight;
  const right = info.inWidth + reachW - left - info.outWidth;
  const inside = (v: number) => Math.max(0, v);
  const padded = tf.pad4d(dy, [
    [0, 0],
    [inside(top), inside(bottom)],
    [inside(left), inside(right)],
    [0, 0],
  ]);
  const cut = tf.slice4d(
    padded,
    [0, inside(-top), inside(-left), 0],
    [dy.shape[0], info.inHeight + reachH, info.inWidth + reachW, dy.shape[3]],
  );
  return tf.conv2d(cut, turned, 1, 'valid', 'NHWC', [info.dilationHeight, info.dilationWidth]);
}

const attributes = (attrs: Attributes): ConvAttributes => attrs as unknown as ConvAttributes;

/** Convolution kernels that the wasm backend lacks, computes wrongly, or computes slowly. */
export function patchConvolutions(): void {
  overrideKernel('wasm', 'Conv2DBackpropFilter', ({ x, dy }, attrs) =>
    filterGradient(x as tf.Tensor4D, dy as tf.Tensor4D, attrs['filterShape'] as number[], attributes(attrs)),
  );
  overrideKernel('wasm', 'Conv2DBackpropInput', ({ dy, filter }, attrs, original) => {
    const shape = attrs['inputShape'] as number[];
    const info = geometry(shape, filter.shape, attributes(attrs));
    if (info.strideHeight === 1 && info.strideWidth === 1)
      return inputGradient(dy as tf.Tensor4D, filter as tf.Tensor4D, shape, attributes(attrs));
    return original?.({ dy, filter }, attrs, null) as tf.TensorInfo;
  });
  // "same" padding with a stride above the window returns zeros on some sizes: pad by hand.
  for (const kernelName of ['Conv2D', 'DepthwiseConv2dNative'])
    overrideKernel('wasm', kernelName, ({ x, filter }, attrs, original) => {
      const a = attributes(attrs);
      const info = geometry(x.shape, filter.shape, a);
      const skips = info.strideHeight > info.filterHeight || info.strideWidth > info.filterWidth;
      if (!skips || a.pad === 'valid') return original?.({ x, filter }, attrs, null) as tf.TensorInfo;
      return original?.(
        { x: touched(x as tf.Tensor4D, info), filter },
        { ...attrs, pad: 'valid' },
        null,
      ) as tf.TensorInfo;
    });
  borrowFromCpu('wasm', 'DepthwiseConv2dNativeBackpropFilter');
  borrowFromCpu('wasm', 'DepthwiseConv2dNativeBackpropInput');
}

/** First-order gradients of dilated convolutions, which TensorFlow.js refuses on every backend. */
export function patchDilatedGradients(): void {
  tf.unregisterGradient('Conv2D');
  tf.registerGradient({
    kernelName: 'Conv2D',
    inputsToSave: ['x', 'filter'],
    gradFunc: (dy, saved, attrs) => {
      const [x, filter] = saved as [tf.Tensor4D, tf.Tensor4D];
      const a = attrs as unknown as ConvAttributes;
      const d = dy as tf.Tensor4D;
      const [dh, dw] = pairOf(a.dilations);
      if (dh === 1 && dw === 1) {
        const pad = a.pad as 'same' | 'valid' | number;
        const common = {
          strides: a.strides,
          pad,
          dataFormat: a.dataFormat ?? 'NHWC',
          dimRoundingMode: a.dimRoundingMode,
        };
        return {
          x: () =>
            tf.engine().runKernel('Conv2DBackpropInput', { dy: d, filter }, {
              ...common,
              inputShape: x.shape,
            } as never) as tf.Tensor,
          filter: () =>
            tf.engine().runKernel('Conv2DBackpropFilter', { x, dy: d }, {
              ...common,
              filterShape: filter.shape,
            } as never) as tf.Tensor,
        };
      }
      return {
        x: () => inputGradient(d, filter, x.shape, a),
        filter: () => filterGradient(x, d, filter.shape, a),
      };
    },
  });
}
