import * as tf from '../../../src/network/tf.js';
import { stack } from './build.js';

const L = tf.layers;
const image = [6, 5, 2];
const series = [7, 3];
type Options = Record<string, unknown>;
const conv = () => L.conv2d({ filters: 3, kernelSize: 2, activation: 'tanh' });
const dense = () => L.dense({ units: 3, activation: 'tanh' });
const max2d = (more: Options) => L.maxPooling2d({ poolSize: 2, ...more } as never);
const mean2d = (more: Options) => L.averagePooling2d({ poolSize: 2, ...more } as never);

/** Pools, and layers that cut, pad, enlarge, turn or repeat. */
export const imageModels = [
  stack('maxPooling2d', image, () => [conv(), max2d({})]),
  stack('maxPooling2d: same, overlapping', image, () => [
    conv(),
    max2d({ poolSize: 3, strides: 1, padding: 'same' }),
  ]),
  stack('maxPooling2d: channels first', [2, 6, 5], () => [
    L.conv2d({ filters: 3, kernelSize: 2, dataFormat: 'channelsFirst' }),
    max2d({ dataFormat: 'channelsFirst' }),
  ]),
  stack('averagePooling2d', image, () => [conv(), mean2d({})]),
  stack('averagePooling2d: same, overlapping', image, () => [
    conv(),
    mean2d({ poolSize: [3, 2], strides: 1, padding: 'same' }),
    conv(),
  ]),
  stack('globalMaxPooling2d', image, () => [conv(), L.globalMaxPooling2d({})]),
  stack('globalMaxPooling2d: channels first', [2, 6, 5], () => [
    L.conv2d({ filters: 3, kernelSize: 2, dataFormat: 'channelsFirst' }),
    L.globalMaxPooling2d({ dataFormat: 'channelsFirst' }),
  ]),
  stack('globalAveragePooling2d', image, () => [conv(), L.globalAveragePooling2d({})]),
  stack('maxPooling1d', series, () => [dense(), L.maxPooling1d({ poolSize: 2 })]),
  stack('averagePooling1d: same, strided', series, () => [
    dense(),
    L.averagePooling1d({ poolSize: 3, strides: 2, padding: 'same' }),
  ]),
  stack('globalMaxPooling1d', series, () => [dense(), L.globalMaxPooling1d()]),
  stack('globalAveragePooling1d', series, () => [dense(), L.globalAveragePooling1d()]),
  stack('zeroPadding2d, cropping2D', image, () => [
    conv(),
    L.zeroPadding2d({
      padding: [
        [1, 2],
        [0, 1],
      ],
    }),
    conv(),
    L.cropping2D({
      cropping: [
        [1, 1],
        [2, 0],
      ],
    }),
  ]),
  stack('cropping2D: channels first', [2, 6, 5], () => [
    L.conv2d({ filters: 3, kernelSize: 2, dataFormat: 'channelsFirst', activation: 'tanh' }),
    L.cropping2D({
      cropping: [
        [1, 0],
        [0, 1],
      ],
      dataFormat: 'channelsFirst',
    }),
  ]),
  stack('upSampling2d: nearest', [3, 2, 2], () => [conv(), L.upSampling2d({ size: [2, 3] }), conv()]),
  stack('upSampling2d: bilinear', [4, 3, 2], () => [
    conv(),
    L.upSampling2d({ size: [2, 2], interpolation: 'bilinear' }),
    conv(),
  ]),
  stack('upSampling2d: channels first', [2, 4, 3], () => [
    L.conv2d({ filters: 3, kernelSize: 2, dataFormat: 'channelsFirst', activation: 'tanh' }),
    L.upSampling2d({ size: [2, 2], dataFormat: 'channelsFirst' }),
  ]),
  stack('rescaling', image, () => [conv(), L.rescaling({ scale: 0.5, offset: 0.2 }), conv()]),
  stack('reshape, permute, repeat', [6], () => [
    L.dense({ units: 6, activation: 'tanh' }),
    L.reshape({ targetShape: [2, 3] }),
    dense(),
    L.permute({ dims: [2, 1] }),
    dense(),
    L.flatten(),
    L.repeatVector({ n: 2 }),
    dense(),
  ]),
  stack('flatten: channels first', [2, 3, 4], () => [
    L.conv2d({ filters: 3, kernelSize: 2, dataFormat: 'channelsFirst', activation: 'tanh' }),
    L.flatten({ dataFormat: 'channelsFirst' }),
  ]),
];
