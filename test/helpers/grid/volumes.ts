import * as tf from '../../../src/network/tf.js';
import { stack } from './build.js';

const L = tf.layers;
const volume = [4, 4, 3, 2];
type Options = Record<string, unknown>;
const conv3d = (more: Options) => L.conv3d({ filters: 2, kernelSize: 2, ...more } as never);
const transposed = (more: Options) => L.conv3dTranspose({ filters: 2, kernelSize: 2, ...more } as never);

/** Convolutions and pools along three axes. */
export const volumeModels = [
  stack('conv3d: valid', volume, () => [conv3d({ activation: 'tanh' }), conv3d({})]),
  stack('conv3d: same, strided', volume, () => [conv3d({ padding: 'same', strides: 2, activation: 'tanh' })]),
  stack('conv3d: twice, same, no bias', volume, () => [
    conv3d({ padding: 'same', useBias: false, activation: 'tanh' }),
    conv3d({ kernelSize: [1, 2, 3], padding: 'same' }),
  ]),
  stack('conv3d: channels first', [2, 4, 4, 3], () => [
    conv3d({ dataFormat: 'channelsFirst', activation: 'tanh' }),
  ]),
  stack('conv3d: dilated', volume, () => [conv3d({ dilationRate: 2, activation: 'tanh' })]),
  stack('conv3dTranspose: valid', [2, 3, 2, 2], () => [transposed({ activation: 'tanh' })]),
  stack('conv3dTranspose: same, strided, twice', [2, 2, 2, 2], () => [
    transposed({ padding: 'same', strides: 2, activation: 'tanh' }),
    transposed({ useBias: false }),
  ]),
  stack('maxPooling3d', volume, () => [conv3d({ kernelSize: 1 }), L.maxPooling3d({ poolSize: 2 })]),
  stack('maxPooling3d: same, strides 1', volume, () => [
    conv3d({ kernelSize: 1 }),
    L.maxPooling3d({ poolSize: 2, strides: 1, padding: 'same' }),
  ]),
  stack('averagePooling3d', volume, () => [
    conv3d({ kernelSize: 1, activation: 'tanh' }),
    L.averagePooling3d({ poolSize: [2, 2, 1] }),
  ]),
  stack('averagePooling3d: same', volume, () => [
    conv3d({ kernelSize: 1, activation: 'tanh' }),
    L.averagePooling3d({ poolSize: 2, strides: 1, padding: 'same' }),
  ]),
];
