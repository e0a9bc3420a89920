import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limitKernel } from '../../src/core/kernels/limit.js';
import { Random } from '../../src/core/random.js';
import type { MlpModel } from '../../src/experiment/definition.js';
import { architectureOf } from '../../src/network/limit/architectureOf.js';
import { buildModel } from '../../src/network/models/build.js';
import { empiricalKernel } from '../../src/network/tangent/index.js';
import * as tf from '../../src/network/tf.js';
import { backendsUnderTest, startBackend } from '../helpers/backend.js';

type Build = (seed: number) => tf.LayersModel;
const L = tf.layers;
const mlp = (more: Partial<MlpModel>): MlpModel => ({
  kind: 'mlp',
  hidden: [4096],
  activation: 'tanh',
  parameterization: 'ntk',
  sigmaW: 1.4,
  sigmaB: 0.3,
  bias: true,
  init: 'gaussian',
  train: 'all',
  ...more,
});
const plain =
  (shape: number[], build: () => tf.LayersModel): Build =>
  (seed) =>
    buildModel(() => build(), { inputShape: shape, outputs: 1, seed }).model;
const deep =
  (more: Partial<MlpModel>, outputs = 1): Build =>
  (seed) =>
    buildModel(mlp(more), { inputShape: [5], outputs, seed }).model;

/** Kernels of `seeds` networks with their mean against the limit: relative distance, largest |z|, mean z^2. */
async function compare(build: Build, shape: number[], seeds: number) {
  const n = 4;
  const size = shape.reduce((a, b) => a * b, 1);
  const data = new Random(11).normals(n * size);
  const x = tf.tensor(Float32Array.from(data), [n, ...shape]);
  const mean = new Float64Array(n * n);
  const square = new Float64Array(n * n);
  let exact = new Float64Array();
  for (let seed = 0; seed < seeds; seed++) {
    const model = build(seed);
    if (seed === 0)
      exact = limitKernel(
        architectureOf(model),
        { shape: [n, ...shape], data: Float64Array.from(data) },
        null,
        {
          kind: 'ntk',
        },
      ).data as Float64Array<ArrayBuffer>;
    const { data: k } = await empiricalKernel(model, x);
    k.forEach((v, i) => {
      mean[i] += v / seeds;
      square[i] += v * v;
    });
    model.dispose();
  }
  x.dispose();
  let gap = 0;
  let norm = 0;
  let z = 0;
  mean.forEach((m, i) => {
    const error = Math.sqrt(Math.max(0, square[i] / seeds - m * m) / (seeds - 1));
    gap += (m - exact[i]) ** 2;
    norm += exact[i] ** 2;
    z = Math.max(z, Math.abs(m - exact[i]) / error);
  });
  return { relative: Math.sqrt(gap / norm), z };
}

const flat = [5];
const image = [5, 4, 2];
const wide = 4096;
const dense = (units: number, more: object = {}) => L.dense({ units, ...more });
const add = (x: tf.SymbolicTensor, branch: tf.layers.Layer[]): tf.SymbolicTensor => {
  const end = branch.reduce((h, layer) => layer.apply(h) as tf.SymbolicTensor, x);
  return L.add().apply([x, end]) as tf.SymbolicTensor;
};

/** Means over finite networks of one hidden layer have no bias; the others have one of order 1 / width. */
const cases: readonly (readonly [string, Build, number[]])[] = [
  ['NTK parameterisation', deep({}), flat],
  [
    'standard parameterisation, 3 outputs',
    deep({ parameterization: 'standard', activation: 'relu' }, 3),
    flat,
  ],
  ['a readout alone', deep({ train: 'readout', activation: 'leakyRelu' }), flat],
  ['zero biases that learn', deep({ sigmaB: 0, activation: 'gelu' }), flat],
  [
    'plain dense',
    plain(flat, () =>
      tf.sequential({
        layers: [
          dense(wide, {
            inputShape: flat,
            activation: 'relu',
            kernelInitializer: tf.initializers.randomNormal({ stddev: 0.6 }),
          }),
          dense(1),
        ],
      }),
    ),
    flat,
  ],
  [
    'plain dense of random normal weights and biases',
    plain(flat, () =>
      tf.sequential({
        layers: [
          dense(wide, {
            inputShape: flat,
            kernelInitializer: tf.initializers.randomNormal({ stddev: 0.7 }),
            biasInitializer: tf.initializers.randomNormal({ stddev: 0.4 }),
          }),
          L.activation({ activation: 'swish' }),
          dense(1, { useBias: false }),
        ],
      }),
    ),
    flat,
  ],
];

const narrow = 256;
const conv = (filters: number, more: object = {}) =>
  L.conv2d({ filters, kernelSize: 3, padding: 'same', kernelInitializer: 'heNormal', ...more });
const deepCases: readonly (readonly [string, Build, number[]])[] = [
  ['two hidden layers', deep({ hidden: [1024, 1024] }), flat],
  [
    'our residual network',
    (seed) =>
      buildModel(
        {
          kind: 'residual',
          width: 1024,
          depth: 2,
          activation: 'relu',
          blockScale: '1/sqrt(L)',
          train: 'all',
        },
        { inputShape: flat, outputs: 1, seed },
      ).model,
    flat,
  ],
  [
    'convolutions and flatten',
    plain(image, () =>
      tf.sequential({
        layers: [
          conv(narrow, { inputShape: image, activation: 'relu' }),
          conv(narrow, { activation: 'tanh', strides: 2 }),
          L.flatten(),
          dense(1),
        ],
      }),
    ),
    image,
  ],
  [
    'average and global pooling',
    plain(image, () =>
      tf.sequential({
        layers: [
          conv(narrow, { inputShape: image, activation: 'relu' }),
          L.averagePooling2d({ poolSize: 2, padding: 'same' }),
          conv(narrow),
          L.leakyReLU({ alpha: 0.1 }),
          L.globalAveragePooling2d({}),
          dense(1),
        ],
      }),
    ),
    image,
  ],
  [
    'one-dimensional convolution',
    plain([6, 3], () =>
      tf.sequential({
        layers: [
          L.conv1d({ filters: 512, kernelSize: 2, inputShape: [6, 3], activation: 'tanh' }),
          L.globalAveragePooling1d(),
          dense(1),
        ],
      }),
    ),
    [6, 3],
  ],
  [
    'residual sums and a trained layer normalisation',
    plain(flat, () => {
      const input = tf.input({ shape: flat });
      let h = dense(1024, { kernelInitializer: 'heNormal' }).apply(input) as tf.SymbolicTensor;
      h = add(h, [L.reLU(), dense(1024, { kernelInitializer: 'glorotNormal' })]);
      h = add(h, [L.activation({ activation: 'tanh' }), dense(1024)]);
      h = L.layerNormalization().apply(h) as tf.SymbolicTensor;
      h = L.reLU().apply(h) as tf.SymbolicTensor;
      return tf.model({ inputs: input, outputs: dense(1).apply(h) as tf.SymbolicTensor });
    }),
    flat,
  ],
  [
    'a model inside a model',
    plain(flat, () => {
      const inner = tf.sequential({
        layers: [dense(1024, { inputShape: flat, activation: 'tanh' }), dense(1024, { activation: 'relu' })],
      });
      return tf.sequential({ layers: [inner, dense(1)] });
    }),
    flat,
  ],
];

describe.each(backendsUnderTest)('infinite-width kernels of models on %s', (backend) => {
  beforeAll(() => startBackend(backend));
  afterAll(() => tf.disposeVariables());

  it.each(cases)('%s: the mean of finite kernels is the limit', async (_name, build, shape) => {
    const { relative, z } = await compare(build, shape, 24);
    expect(relative).toBeLessThan(0.03);
    expect(z).toBeLessThan(4);
  });

  it.each(deepCases)('%s: wide kernels are near the limit', async (_name, build, shape) => {
    const { relative } = await compare(build, shape, 8);
    expect(relative).toBeLessThan(0.05);
  });
});
