import * as tf from '../../../src/network/tf.js';
import { graph, stack, through } from './build.js';

const L = tf.layers;
const dense = (units: number, more: Record<string, unknown> = {}) => L.dense({ units, ...more });
const act = (activation: string) => L.activation({ activation: activation as 'relu' });
const row = [5];

/** Dense layers with every activation, and the layers that are activations. */
export const denseModels = [
  stack('dense: tanh', row, () => [dense(6, { activation: 'tanh' })]),
  stack('dense: relu, softmax', row, () => [
    dense(6, { activation: 'relu' }),
    dense(4, { activation: 'softmax' }),
  ]),
  stack('dense: elu, selu, softplus', row, () =>
    ['elu', 'selu', 'softplus'].map((activation) => dense(5, { activation })),
  ),
  stack('dense: sigmoid, hard sigmoid, softsign', row, () =>
    ['sigmoid', 'hardSigmoid', 'softsign'].map((activation) => dense(5, { activation })),
  ),
  stack('dense: relu6, swish, mish, gelu', row, () =>
    ['relu6', 'swish', 'mish', 'gelu'].map((activation) => dense(5, { activation })),
  ),
  stack('dense: gelu_new, linear', row, () =>
    ['gelu_new', 'linear'].map((activation) => dense(5, { activation })),
  ),
  stack('dense: no bias', row, () => [dense(6, { activation: 'tanh', useBias: false }), dense(3)]),
  stack('dense: frozen first', row, () => [dense(6, { activation: 'tanh', trainable: false })]),
  stack('dense: frozen in the middle', row, () => [
    dense(6, { activation: 'tanh' }),
    dense(6, { activation: 'tanh', trainable: false }),
    dense(4, { activation: 'tanh' }),
  ]),
  stack('dense: on sequences', [4, 3], () => [dense(4, { activation: 'tanh' }), dense(3)]),
  stack('dense: on images', [3, 4, 2], () => [
    dense(3, { activation: 'tanh' }),
    dense(2, { useBias: false }),
  ]),
  stack('dense: regularised and constrained', row, () => [
    dense(6, {
      activation: 'tanh',
      kernelRegularizer: 'l1l2',
      biasRegularizer: 'l1l2',
      kernelConstraint: 'maxNorm',
    }),
  ]),
  graph('dense: log-softmax', [row], (x) => through(x, dense(4), act('logSoftmax'))),
  graph('dense: softmax is the output', [row], (x) =>
    through(x, dense(6), dense(3, { activation: 'softmax' })),
  ),
  graph('dense: one output', [row], (x) => through(x, dense(6, { activation: 'tanh' }), dense(1))),
  graph('dense: one unit, relu behind', [row], (x) => through(x, dense(6), L.reLU(), dense(1))),
  graph('dense: scalar inputs', [[1]], (x) => through(x, dense(6, { activation: 'tanh' }), dense(2))),
  ...['relu', 'tanh', 'softmax', 'softplus', 'selu', 'mish', 'swish', 'hardSigmoid'].map((name) =>
    stack(`activation layer: ${name}`, [4, 3], () => [dense(4), act(name), dense(2)]),
  ),
  stack('activation layers: elu, leaky relu, thresholded relu', row, () => [
    dense(6),
    L.elu(),
    dense(6),
    L.leakyReLU({ alpha: 0.2 }),
    dense(6),
    L.thresholdedReLU({ theta: 0.1 }),
  ]),
  stack('activation layers: relu with a limit', row, () => [dense(6), L.reLU({ maxValue: 0.6 })]),
  stack('prelu', row, () => [dense(6), L.prelu()]),
  stack('prelu: shared over rows', [3, 4, 2], () => [dense(3), L.prelu({ sharedAxes: [1, 2] })]),
  stack('dropouts and noises', [4, 3], () => [
    dense(4),
    L.dropout({ rate: 0.5 }),
    L.spatialDropout1d({ rate: 0.5 } as never),
    L.gaussianNoise({ stddev: 1 }),
    L.gaussianDropout({ rate: 0.5 }),
    L.alphaDropout({ rate: 0.5 }),
    dense(3, { activation: 'tanh' }),
  ]),
];
