import * as tf from '../../../src/network/tf.js';
import { stack } from './build.js';

const L = tf.layers;
const series = [4, 3];
type Options = Record<string, unknown>;
const simple = (more: Options = {}) => L.simpleRNN({ units: 3, ...more } as never);
const gru = (more: Options = {}) => L.gru({ units: 3, ...more } as never);
const lstm = (more: Options = {}) => L.lstm({ units: 3, ...more } as never);
const both = (layer: tf.layers.Layer, mergeMode: string | null) =>
  L.bidirectional({ layer: layer as tf.RNN, mergeMode: mergeMode as 'sum' });

/** Layers that run along time, and the wrappers around them. */
export const recurrentModels = [
  stack('simpleRNN', series, () => [simple()]),
  stack('simpleRNN: backwards, relu, no bias', series, () => [
    simple({ goBackwards: true, activation: 'relu', useBias: false, returnSequences: true }),
    simple(),
  ]),
  stack('simpleRNN: relu sequences', series, () => [simple({ activation: 'relu', returnSequences: true })]),
  stack('simpleRNN: dropouts', series, () => [simple({ dropout: 0.3, recurrentDropout: 0.3 })]),
  stack('gru', series, () => [gru({ returnSequences: true }), gru()]),
  stack('gru: implementation 2, sigmoids', series, () => [
    gru({ implementation: 2, activation: 'softsign', recurrentActivation: 'sigmoid' }),
  ]),
  stack('lstm', series, () => [lstm()]),
  stack('lstm: stacked, sequences', series, () => [
    lstm({ returnSequences: true }),
    lstm({ returnSequences: true }),
  ]),
  stack('lstm: no forget bias, implementation 2', series, () => [
    lstm({ unitForgetBias: false, implementation: 2, goBackwards: true }),
  ]),
  stack('lstm: no bias', series, () => [lstm({ useBias: false })]),
  stack('rnn: a cell', series, () => [L.rnn({ cell: L.gruCell({ units: 3 }) as never })]),
  stack('rnn: stacked cells', series, () => [
    L.rnn({
      cell: L.stackedRNNCells({
        cells: [L.lstmCell({ units: 3 }), L.simpleRNNCell({ units: 2 })] as never,
      }) as never,
      returnSequences: true,
    }),
  ]),
  stack('bidirectional: concat', series, () => [both(lstm(), 'concat')]),
  stack('bidirectional: sum of sequences', series, () => [both(gru({ returnSequences: true }), 'sum')]),
  stack('bidirectional: mul', series, () => [both(simple(), 'mul')]),
  stack('bidirectional: ave', series, () => [both(simple({ returnSequences: true }), 'ave')]),
  stack('convLstm2d', [3, 3, 3, 1], () => [L.convLstm2d({ filters: 2, kernelSize: 2 } as never)]),
  stack('convLstm2d: same, sequences', [2, 3, 3, 1], () => [
    L.convLstm2d({ filters: 2, kernelSize: 2, padding: 'same', returnSequences: true } as never),
  ]),
  stack('timeDistributed: dense', series, () => [
    L.timeDistributed({ layer: L.dense({ units: 3, activation: 'tanh' }) }),
  ]),
  stack('timeDistributed: conv2d', [3, 4, 4, 1], () => [
    L.timeDistributed({ layer: L.conv2d({ filters: 2, kernelSize: 2, activation: 'tanh' }) }),
  ]),
  stack('timeDistributed: batch normalisation', series, () => [
    L.timeDistributed({ layer: L.dense({ units: 3 }) }),
    L.timeDistributed({ layer: L.batchNormalization() }),
  ]),
  stack('masking, lstm', series, () => [L.masking({ maskValue: 0 }), lstm()]),
  stack(
    'embedding',
    [4],
    () => [
      L.embedding({ inputDim: 6, outputDim: 3, inputLength: 4 }),
      L.dense({ units: 3, activation: 'tanh' }),
    ],
    { integer: 6 },
  ),
  stack(
    'embedding: masked, lstm',
    [4],
    () => [L.embedding({ inputDim: 6, outputDim: 3, maskZero: true }), lstm()],
    { integer: 6 },
  ),
  stack(
    'embedding: masked, gru sequences',
    [4],
    () => [
      L.embedding({ inputDim: 6, outputDim: 3, maskZero: true, inputLength: 4 }),
      gru({ returnSequences: true }),
    ],
    { integer: 6 },
  ),
  stack(
    'embedding: global mean, bag of words',
    [5],
    () => [L.embedding({ inputDim: 7, outputDim: 3, inputLength: 5 }), L.globalAveragePooling1d()],
    { integer: 7 },
  ),
];
