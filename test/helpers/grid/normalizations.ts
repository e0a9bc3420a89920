import * as tf from '../../../src/network/tf.js';
import { stack } from './build.js';

const L = tf.layers;
const image = [4, 3, 2];
const series = [5, 3];
type Options = Record<string, unknown>;
const batch = (more: Options = {}) => L.batchNormalization({ epsilon: 0.01, ...more });
const layer = (more: Options = {}) => L.layerNormalization({ epsilon: 0.01, ...more });
const dense = (units = 3) => L.dense({ units, activation: 'tanh' });
const conv = () => L.conv2d({ filters: 3, kernelSize: 2, activation: 'tanh' });

/** Batch normalisation in inference form, and layer normalisation, on any axes. */
export const normalizationModels = [
  stack('batchNormalization', [5], () => [dense(6), batch(), dense(4)]),
  stack('batchNormalization: on images', image, () => [conv(), batch(), dense()]),
  stack('batchNormalization: no scale', [5], () => [dense(6), batch({ scale: false }), dense(4)]),
  stack('batchNormalization: no center', [5], () => [dense(6), batch({ center: false }), dense(4)]),
  stack('batchNormalization: neither', series, () => [
    dense(),
    batch({ scale: false, center: false }),
    dense(),
  ]),
  stack('batchNormalization: axis 1 of sequences', series, () => [dense(), batch({ axis: 1 }), dense()]),
  stack('batchNormalization: axis 1 of images', [3, 4, 2], () => [conv(), batch({ axis: 1 }), dense()]),
  stack('batchNormalization: axis 2 of images, no scale', [3, 4, 2], () => [
    conv(),
    batch({ axis: 2, scale: false }),
    dense(),
  ]),
  stack('batchNormalization: frozen', [5], () => [dense(6), batch({ trainable: false }), dense(4)]),
  stack('layerNormalization: last axis', series, () => [dense(), layer(), dense()]),
  stack('layerNormalization: axis 1', series, () => [dense(), layer({ axis: 1 }), dense()]),
  stack('layerNormalization: axes 1 and 2', series, () => [dense(), layer({ axis: [1, 2] }), dense()]),
  stack('layerNormalization: axes 2 and 3 of images', image, () => [
    conv(),
    layer({ axis: [2, 3] }),
    dense(),
  ]),
  stack('layerNormalization: all axes of images', image, () => [conv(), layer({ axis: [1, 2, 3] }), dense()]),
  stack('layerNormalization: axis 1 of images', image, () => [conv(), layer({ axis: 1 }), dense()]),
  stack('layerNormalization: no scale', series, () => [dense(), layer({ scale: false }), dense()]),
  stack('layerNormalization: no center', series, () => [dense(), layer({ center: false }), dense()]),
  stack('layerNormalization: neither, two axes', series, () => [
    dense(),
    layer({ scale: false, center: false, axis: [1, 2] }),
    dense(),
  ]),
];
