import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../../src/core/errors.js';
import { limitKernel } from '../../src/core/kernels/limit.js';
import { eigenvalues } from '../../src/core/linalg/eigen.js';
import { matrixFrom } from '../../src/core/linalg/matrix.js';
import { Random } from '../../src/core/random.js';
import type { MlpModel } from '../../src/experiment/definition.js';
import type { Dataset } from '../../src/network/data/index.js';
import { empiricalKernel } from '../../src/network/kernel/index.js';
import { architectureOf } from '../../src/network/limit/architectureOf.js';
import { type BuiltModel, buildModel } from '../../src/network/models/build.js';
import * as tf from '../../src/network/tf.js';
import { limitSpectrum } from '../../src/trainer/infiniteWidthSpectrum.js';
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

  const refusal = (...layers: tf.layers.Layer[]): string => {
    try {
      architectureOf(tf.sequential({ layers }));
    } catch (error) {
      return error instanceof InputError ? error.message : String(error);
    }
    return 'none';
  };

  it('names the layer that has no closed form', () => {
    const first = () => dense(8, { inputShape: flat, name: 'first' });
    const map = () => conv(2, { inputShape: image });
    expect(refusal(first(), L.batchNormalization({ name: 'bn' }), dense(1))).toMatch(
      /Layer "bn" \(BatchNormalization\) has no closed form.*layerNormalization/,
    );
    expect(refusal(map(), L.maxPooling2d({ name: 'mp' }), L.flatten(), dense(1))).toMatch(
      /"mp".*averagePooling2d/,
    );
    expect(refusal(L.lstm({ units: 3, inputShape: [4, 2], name: 'r' }), dense(1))).toMatch(/"r".*recurrent/);
    expect(refusal(first(), L.elu({ name: 'e' }), dense(1))).toMatch(/"e" \(ELU\) has no closed form/);
    expect(refusal(first(), dense(1, { activation: 'softmax', name: 's' }))).toMatch(
      /"s".*activation softmax/,
    );
    expect(refusal(first(), dense(1, { activation: 'tanh', name: 's' }))).toMatch(
      /ends with Layer "s".*linear/,
    );
    expect(refusal(first(), dense(1, { kernelInitializer: 'orthogonal', name: 'o' }))).toMatch(
      /"o".*Orthogonal/,
    );
    expect(refusal(first(), dense(1, { biasInitializer: 'ones', name: 'o' }))).toMatch(
      /"o".*biasInitializer Ones/,
    );
    expect(refusal(first(), L.reLU(), L.reLU({ name: 'twice' }), dense(1))).toMatch(
      /"twice".*must follow dense/,
    );
    const crossed = () => {
      const input = tf.input({ shape: flat });
      const shared = dense(5, { name: 'shared' });
      const h = shared.apply(shared.apply(input) as tf.SymbolicTensor) as tf.SymbolicTensor;
      architectureOf(tf.model({ inputs: input, outputs: dense(1).apply(h) as tf.SymbolicTensor }));
    };
    expect(crossed).toThrow(/"shared".*used more than once/);
  });

  describe('the ghost beside the measured spectrum', () => {
    const data = (shape: number[], outputs = 1): Dataset => {
      const size = shape.reduce((a, b) => a * b, 1);
      const x = Float32Array.from(new Random(5).normals(8 * size));
      const split = { x, y: new Float32Array(8 * outputs), size: 8, labels: null };
      return { name: 'normal', inputShape: shape, outputs, classes: null, train: split, test: split };
    };
    const rows = Uint32Array.from({ length: 8 }, (_, i) => i);

    async function gap(built: BuiltModel, d: Dataset, factors: Record<string, number> = {}): Promise<number> {
      const { limitEigenvalues: limit, limitNote } = limitSpectrum(built, d, rows, factors);
      if (!limit) throw new Error(limitNote);
      const x = tf.tensor(d.train.x, [8, ...d.inputShape]);
      const { data: k } = await empiricalKernel(built.model, x, { layerFactors: factors });
      const measured = eigenvalues(matrixFrom(8, 8, k));
      x.dispose();
      return Math.max(...limit.map((l, i) => Math.abs(l - measured[i]))) / limit[0];
    }
    const context = { inputShape: flat, outputs: 2, seed: 4 };

    it('has its scale for every kind of model, start and step size', async () => {
      const two = {
        kind: 'twoLayer',
        width: 8192,
        activation: 'tanh',
        thetaStart: 'unit',
        train: 'all',
      } as const;
      for (const scale of ['ntk', 'mean-field', 'standard', 'm^0.3'] as const)
        for (const init of ['gaussian', 'symmetric'] as const) {
          const built = buildModel({ ...two, scale, init, bias: true }, context);
          expect(await gap(built, data(flat, 2), { features: 3, readout: 0.5 })).toBeLessThan(0.05);
        }
      for (const init of ['gaussian', 'symmetric'] as const) {
        const built = buildModel(mlp({ hidden: [1024, 1024, 1024], init }), context);
        expect(await gap(built, data(flat, 2))).toBeLessThan(0.1);
      }
    });

    it('says why there is none', () => {
      const learnt = buildModel(mlp({ hidden: [8], parameterization: 'maximal-update' }), context);
      expect(limitSpectrum(learnt, data(flat), rows, {}).limitNote).toMatch(
        /features are learnt at every width/,
      );
      const large = [40, 40, 1];
      const pooled = plain(large, () =>
        tf.sequential({
          layers: [conv(4, { inputShape: large }), L.reLU(), L.globalAveragePooling2d({}), dense(1)],
        }),
      )(0);
      expect(limitSpectrum({ model: pooled, rates: {} }, data(large), rows, {}).limitNote).toMatch(
        /8 inputs with 1600 positions.*kernelscope limit/,
      );
    });
  });
});
