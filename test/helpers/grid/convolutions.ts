import * as tf from '../../../src/network/tf.js';
import { graph, stack, through } from './build.js';

const L = tf.layers;
const image = [6, 5, 2];
const series = [9, 2];
type Options = Record<string, unknown>;
const conv2d = (more: Options) => L.conv2d({ filters: 3, kernelSize: 3, ...more } as never);
const conv1d = (more: Options) => L.conv1d({ filters: 3, kernelSize: 3, ...more } as never);
const depthwise = (more: Options) => L.depthwiseConv2d({ kernelSize: 2, ...more } as never);
const separable = (more: Options) => L.separableConv2d({ filters: 3, kernelSize: 2, ...more } as never);
const transposed = (more: Options) => L.conv2dTranspose({ filters: 2, kernelSize: 3, ...more } as never);

/** Convolutions along one and two axes, and what is built from them. */
export const convolutionModels = [
  stack('conv2d: same, strided', image, () => [
    conv2d({ padding: 'same', strides: 2, activation: 'tanh' }),
    conv2d({ kernelSize: 2, padding: 'same', strides: [1, 2] }),
  ]),
  stack('conv2d: valid, relu, twice', image, () => [
    conv2d({ activation: 'relu' }),
    conv2d({ kernelSize: [2, 1], activation: 'relu' }),
  ]),
  stack('conv2d: even kernel, same', image, () => [conv2d({ kernelSize: [2, 4], padding: 'same' })]),
  stack('conv2d: dilated, valid', image, () => [
    conv2d({ kernelSize: 2, dilationRate: 2, activation: 'tanh' }),
  ]),
  stack('conv2d: dilated, same', image, () => [conv2d({ dilationRate: [1, 2], padding: 'same' })]),
  stack('conv2d: channels first', [2, 6, 5], () => [
    conv2d({ dataFormat: 'channelsFirst', strides: 2, activation: 'tanh' }),
  ]),
  stack('conv2d: channels first, dilated', [2, 6, 5], () => [
    conv2d({ dataFormat: 'channelsFirst', kernelSize: 2, dilationRate: 2, activation: 'tanh' }),
  ]),
  stack('conv2d: no bias, 1 x 1', image, () => [conv2d({ kernelSize: 1, useBias: false }), L.reLU()]),
  graph('conv2d: images as outputs', [[4, 4, 1]], (x) =>
    through(x, conv2d({ activation: 'tanh' }), conv2d({ filters: 1, kernelSize: 2 })),
  ),
  stack('conv2d: pooled by means, relu', image, () => [
    conv2d({ padding: 'same', activation: 'relu' }),
    conv2d({ padding: 'same', activation: 'relu' }),
    L.globalAveragePooling2d({}),
  ]),
  stack('conv2d: frozen, then trained', image, () => [
    conv2d({ activation: 'tanh', trainable: false }),
    conv2d({ activation: 'tanh' }),
  ]),
  stack('conv1d: same, strided', series, () => [conv1d({ padding: 'same', strides: 2, activation: 'tanh' })]),
  stack('conv1d: valid, no bias', series, () => [conv1d({ useBias: false, activation: 'tanh' }), conv1d({})]),
  stack('conv1d: dilated', series, () => [conv1d({ dilationRate: 2, activation: 'sigmoid' })]),
  stack('conv1d: dilated, same', series, () => [conv1d({ dilationRate: 3, padding: 'same' })]),
  stack('conv1d: causal', series, () => [conv1d({ padding: 'causal', activation: 'tanh' })]),
  stack('conv1d: causal, dilated, no bias', series, () => [
    conv1d({ padding: 'causal', dilationRate: 2, useBias: false }),
    conv1d({ padding: 'causal', dilationRate: 4 }),
  ]),
  stack('conv2dTranspose: valid, strided', [3, 4, 2], () => [transposed({ strides: 2, activation: 'tanh' })]),
  stack('conv2dTranspose: same, strided', [3, 3, 2], () => [
    transposed({ strides: [2, 1], padding: 'same' }),
  ]),
  stack('conv2dTranspose: no bias', [3, 3, 2], () => [transposed({ useBias: false }), L.leakyReLU()]),
  stack('conv2dTranspose: channels first', [2, 3, 3], () => [
    transposed({ dataFormat: 'channelsFirst', strides: 2 }),
  ]),
  stack('conv2dTranspose: behind a dense layer', [4], () => [
    L.dense({ units: 8, activation: 'tanh' }),
    L.reshape({ targetShape: [2, 2, 2] }),
    transposed({ strides: 2, padding: 'same', activation: 'tanh' }),
    transposed({ kernelSize: 2 }),
  ]),
  stack('separable: valid', image, () => [separable({ activation: 'tanh' })]),
  stack('separable: same, strided, multiplier', image, () => [
    separable({ padding: 'same', strides: 2, depthMultiplier: 2 }),
  ]),
  stack('separable: dilated', image, () => [separable({ dilationRate: 2, activation: 'tanh' })]),
  stack('separable: no bias', image, () => [separable({ useBias: false }), separable({})]),
  stack('depthwise: multiplier', image, () => [depthwise({ depthMultiplier: 2, activation: 'tanh' })]),
  stack('depthwise: same, strided', image, () => [
    depthwise({ kernelSize: 3, padding: 'same', strides: 2, activation: 'tanh' }),
  ]),
  stack('depthwise: dilated, same', image, () => [
    depthwise({ kernelSize: 3, dilationRate: 2, padding: 'same', activation: 'tanh' }),
  ]),
  stack('depthwise: dilated, valid', [8, 8, 2], () => [
    depthwise({ kernelSize: 3, dilationRate: 2, activation: 'tanh' }),
  ]),
  stack('depthwise: channels first', [2, 5, 6], () => [
    depthwise({ dataFormat: 'channelsFirst', activation: 'tanh' }),
  ]),
  stack('depthwise: no bias, twice', image, () => [
    depthwise({ useBias: false }),
    depthwise({ useBias: false }),
  ]),
];
