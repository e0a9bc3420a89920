import { Random } from '../../src/core/random.js';
import type { MlpModel, TwoLayerModel } from '../../src/experiment/definition.js';
import { buildModel } from '../../src/network/models/build.js';
import { seedModel } from '../../src/network/models/seeding.js';
import * as tf from '../../src/network/tf.js';

const mlp = (
  hidden: number[],
  bias: boolean,
  parameterization: MlpModel['parameterization'] = 'ntk',
): MlpModel => ({
  kind: 'mlp',
  hidden,
  activation: 'tanh',
  parameterization,
  sigmaW: 1.4,
  sigmaB: 0.3,
  bias,
  init: 'gaussian',
  train: 'all',
});
const twoLayer = (more: Partial<TwoLayerModel> = {}): TwoLayerModel => ({
  kind: 'twoLayer',
  width: 24,
  activation: 'tanh',
  scale: 'ntk',
  init: 'gaussian',
  thetaStart: 'inverse-dimension',
  bias: false,
  train: 'all',
  ...more,
});

/** One model that every derivative is checked on. */
export interface Architecture {
  readonly name: string;
  readonly shapes: readonly (readonly number[])[];
  readonly build: () => tf.LayersModel;
  readonly integer?: number;
}

const built = (spec: MlpModel | TwoLayerModel, d: number, outputs: number) => () =>
  buildModel(spec, { inputShape: [d], outputs, seed: 3 }).model;
const L = tf.layers;
const sequential = (...layers: tf.layers.Layer[]) => tf.sequential({ layers });
const image = [7, 6, 2];

export const architectures: readonly Architecture[] = [
  { name: 'two-layer', shapes: [[5]], build: built(twoLayer(), 5, 1) },
  {
    name: 'two-layer, bias, 3 outputs',
    shapes: [[5]],
    build: built(twoLayer({ bias: true, scale: 'mean-field' }), 5, 3),
  },
  { name: 'two-layer, readout only', shapes: [[5]], build: built(twoLayer({ train: 'readout' }), 5, 2) },
  { name: 'mlp 1 hidden', shapes: [[4]], build: built(mlp([9], true), 4, 1) },
  { name: 'mlp 2 hidden, no bias, 3 outputs', shapes: [[4]], build: built(mlp([9, 7], false), 4, 3) },
  { name: 'mlp 3 hidden, bias', shapes: [[4]], build: built(mlp([9, 7, 8], true, 'standard'), 4, 1) },
  {
    name: 'mlp 3 hidden, 3 outputs',
    shapes: [[4]],
    build: built(mlp([9, 7, 8], true, 'maximal-update'), 4, 3),
  },
  {
    name: 'mlp 3 hidden, relu, bias, 3 outputs',
    shapes: [[4]],
    build: built({ ...mlp([40, 30, 35], true), activation: 'relu' }, 4, 3),
  },
  {
    name: 'mlp 3 hidden, relu, no bias',
    shapes: [[4]],
    build: built({ ...mlp([40, 30, 35], false), activation: 'relu' }, 4, 1),
  },
  {
    name: 'plain dense with relu and softmax',
    shapes: [[4]],
    build: () =>
      sequential(
        L.dense({ units: 6, activation: 'relu', inputShape: [4] }),
        L.dense({ units: 3, activation: 'softmax' }),
      ),
  },
  {
    name: 'dense with frozen first layer',
    shapes: [[4]],
    build: () =>
      sequential(
        L.dense({ units: 6, activation: 'sigmoid', inputShape: [4], trainable: false }),
        L.dense({ units: 2 }),
      ),
  },
  {
    name: 'conv2d same, strides, pooling',
    shapes: [image],
    build: () =>
      sequential(
        L.conv2d({ filters: 3, kernelSize: 3, padding: 'same', activation: 'tanh', inputShape: image }),
        L.conv2d({ filters: 4, kernelSize: 3, strides: 2, activation: 'tanh' }),
        L.globalAveragePooling2d({ dataFormat: 'channelsLast' }),
        L.dense({ units: 2 }),
      ),
  },
  {
    name: 'conv2d of even size, pooling, 1 output',
    shapes: [image],
    build: () =>
      sequential(
        L.conv2d({ filters: 16, kernelSize: [2, 4], padding: 'same', activation: 'relu', inputShape: image }),
        L.conv2d({ filters: 5, kernelSize: [3, 2], padding: 'valid', activation: 'relu' }),
        L.conv2d({ filters: 4, kernelSize: 3, padding: 'same', activation: 'tanh' }),
        L.globalAveragePooling2d({ dataFormat: 'channelsLast' }),
        L.dense({ units: 1 }),
      ),
  },
  {
    name: 'conv2d twice, pooling, 3 outputs',
    shapes: [image],
    build: () =>
      sequential(
        L.conv2d({ filters: 16, kernelSize: 3, padding: 'same', activation: 'relu', inputShape: image }),
        L.conv2d({ filters: 12, kernelSize: 3, padding: 'same', activation: 'tanh' }),
        L.conv2d({ filters: 12, kernelSize: 3, padding: 'valid', activation: 'tanh' }),
        L.globalAveragePooling2d({ dataFormat: 'channelsLast' }),
        L.dense({ units: 3 }),
      ),
  },
  {
    name: 'conv2d valid, flatten',
    shapes: [image],
    build: () =>
      sequential(
        L.conv2d({ filters: 2, kernelSize: [2, 3], activation: 'relu', inputShape: image }),
        L.flatten(),
        L.dense({ units: 1 }),
      ),
  },
  {
    name: 'conv2d dilated',
    shapes: [image],
    build: () =>
      sequential(
        L.conv2d({ filters: 2, kernelSize: 2, dilationRate: 2, useBias: false, inputShape: image }),
        L.flatten(),
        L.dense({ units: 1 }),
      ),
  },
  {
    name: 'conv1d',
    shapes: [[9, 2]],
    build: () =>
      sequential(
        L.conv1d({ filters: 3, kernelSize: 3, strides: 2, activation: 'tanh', inputShape: [9, 2] }),
        L.flatten(),
        L.dense({ units: 2 }),
      ),
  },
  {
    name: 'depthwise conv',
    shapes: [image],
    build: () =>
      sequential(
        L.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, activation: 'tanh', inputShape: image }),
        L.flatten(),
        L.dense({ units: 1 }),
      ),
  },
  {
    name: 'separable conv',
    shapes: [image],
    build: () =>
      sequential(
        L.separableConv2d({ filters: 3, kernelSize: 2, activation: 'tanh', inputShape: image }),
        L.flatten(),
        L.dense({ units: 1 }),
      ),
  },
  {
    name: 'transposed conv',
    shapes: [[4, 4, 2]],
    build: () =>
      sequential(
        L.conv2dTranspose({ filters: 2, kernelSize: 2, strides: 2, inputShape: [4, 4, 2] }),
        L.flatten(),
        L.dense({ units: 1 }),
      ),
  },
  {
    name: 'batch normalisation (inference)',
    shapes: [[5]],
    build: () =>
      sequential(
        L.dense({ units: 6, inputShape: [5] }),
        L.batchNormalization(),
        L.activation({ activation: 'tanh' }),
        L.dense({ units: 2 }),
      ),
  },
  {
    name: 'layer normalisation',
    shapes: [[5]],
    build: () =>
      sequential(
        L.dense({ units: 6, inputShape: [5] }),
        L.layerNormalization(),
        L.activation({ activation: 'tanh' }),
        L.dense({ units: 2 }),
      ),
  },
  {
    name: 'embedding',
    shapes: [[6]],
    integer: 8,
    build: () =>
      sequential(
        L.embedding({ inputDim: 8, outputDim: 3, inputLength: 6 }),
        L.flatten(),
        L.dense({ units: 2 }),
      ),
  },
  {
    name: 'time-distributed dense',
    shapes: [[5, 3]],
    build: () =>
      sequential(
        L.timeDistributed({ layer: L.dense({ units: 4, activation: 'tanh' }), inputShape: [5, 3] }),
        L.flatten(),
        L.dense({ units: 1 }),
      ),
  },
  {
    name: 'dense on sequences',
    shapes: [[5, 3]],
    build: () =>
      sequential(
        L.dense({ units: 4, activation: 'tanh', inputShape: [5, 3] }),
        L.globalAveragePooling1d({}),
        L.dense({ units: 2 }),
      ),
  },
  {
    name: 'recurrent',
    shapes: [[4, 2]],
    build: () => sequential(L.simpleRNN({ units: 3, inputShape: [4, 2] }), L.dense({ units: 1 })),
  },
  {
    name: 'residual and concat',
    shapes: [[5]],
    build: () => {
      const input = tf.input({ shape: [5] });
      const h = L.dense({ units: 6, activation: 'tanh' }).apply(input) as tf.SymbolicTensor;
      const branch = L.dense({ units: 6, activation: 'tanh' }).apply(h) as tf.SymbolicTensor;
      const sum = L.add().apply([h, branch]) as tf.SymbolicTensor;
      const joined = L.concatenate().apply([sum, input]) as tf.SymbolicTensor;
      return tf.model({ inputs: input, outputs: L.dense({ units: 2 }).apply(joined) as tf.SymbolicTensor });
    },
  },
  {
    name: 'a layer used twice',
    shapes: [[5]],
    build: () => {
      const input = tf.input({ shape: [5] });
      const shared = L.dense({ units: 5, activation: 'tanh' });
      const h = shared.apply(shared.apply(input) as tf.SymbolicTensor) as tf.SymbolicTensor;
      return tf.model({ inputs: input, outputs: L.dense({ units: 2 }).apply(h) as tf.SymbolicTensor });
    },
  },
  {
    name: 'two inputs',
    shapes: [[5], [3]],
    build: () => {
      const [a, b] = [tf.input({ shape: [5] }), tf.input({ shape: [3] })];
      const h = L.dense({ units: 4, activation: 'tanh' }).apply(a) as tf.SymbolicTensor;
      const g = L.dense({ units: 4, activation: 'sigmoid' }).apply(b) as tf.SymbolicTensor;
      const joined = L.multiply().apply([h, g]) as tf.SymbolicTensor;
      return tf.model({ inputs: [a, b], outputs: L.dense({ units: 1 }).apply(joined) as tf.SymbolicTensor });
    },
  },
];

/** Seeded inputs [n, ...] for an architecture, one tensor an input of the model. */
export function inputs(test: Architecture, n: number, seed: number): tf.Tensor | tf.Tensor[] {
  const random = new Random(seed);
  const tensors = test.shapes.map((shape) => {
    const size = n * shape.reduce((a, b) => a * b, 1);
    const values = test.integer
      ? Float32Array.from({ length: size }, () => random.integer(test.integer as number))
      : Float32Array.from(random.normals(size));
    return tf.tensor(values, [n, ...shape]);
  });
  return tensors.length === 1 ? tensors[0] : tensors;
}

/** The model of an architecture, seeded. */
export function seeded(test: Architecture): tf.LayersModel {
  const model = test.build();
  if (model.layers.every((l) => l.getClassName() !== 'ScaledDense')) seedModel(model, 5);
  return model;
}
