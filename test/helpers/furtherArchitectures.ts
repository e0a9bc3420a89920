import * as tf from '../../src/network/tf.js';
import type { Architecture } from './architectures.js';

const L = tf.layers;
const sequential = (...layers: tf.layers.Layer[]) => tf.sequential({ layers });
const image = [6, 5, 2];
const steps = [5, 3];
type Symbolic = tf.SymbolicTensor;
const through = (x: Symbolic, ...layers: tf.layers.Layer[]): Symbolic =>
  layers.reduce((h, layer) => layer.apply(h) as Symbolic, x);
const model = (inputs: Symbolic | Symbolic[], outputs: Symbolic) => tf.model({ inputs, outputs });

/** Attention with one head as a layer of its own, with weights that no rule knows. */
class Attention extends tf.layers.Layer {
  static readonly className = 'TestAttention';
  private query!: tf.LayerVariable;
  private key!: tf.LayerVariable;

  override build(shape: tf.Shape): void {
    const size = shape[shape.length - 1] as number;
    const start = tf.initializers.glorotNormal({ seed: 4 });
    this.query = this.addWeight('query', [size, 4], 'float32', start);
    this.key = this.addWeight('key', [size, 4], 'float32', start);
    this.built = true;
  }

  override computeOutputShape(shape: tf.Shape): tf.Shape {
    return shape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor3D;
      const [n, t, size] = x.shape;
      const flat = tf.reshape(x, [n * t, size]) as tf.Tensor2D;
      const of = (weight: tf.LayerVariable) =>
        tf.reshape(tf.matMul(flat, weight.read() as tf.Tensor2D), [n, t, 4]);
      const scores = tf.softmax(tf.mul(tf.matMul(of(this.query), of(this.key), false, true), 0.5));
      return tf.matMul(scores, x);
    });
  }
}
tf.serialization.registerClass(Attention);

/** What `architectures` leaves out: attention, shared and nested layers, masks, odd paddings, layers without a rule. */
export const furtherArchitectures: readonly Architecture[] = [
  {
    name: 'attention of dense, dot and softmax layers',
    shapes: [steps],
    build: () => {
      const x = tf.input({ shape: steps });
      const [q, k, v] = [4, 4, 3].map((units) => through(x, L.dense({ units, useBias: false })));
      const scores = through(
        L.dot({ axes: [2, 2] }).apply([q, k]) as Symbolic,
        L.activation({ activation: 'softmax' }),
      );
      const mixed = L.dot({ axes: [2, 1] }).apply([scores, v]) as Symbolic;
      const sum = L.add().apply([x, mixed]) as Symbolic;
      return model(
        x,
        through(sum, L.layerNormalization(), L.globalAveragePooling1d({}), L.dense({ units: 2 })),
      );
    },
  },
  {
    name: 'attention as a custom layer',
    shapes: [steps],
    build: () => {
      const x = tf.input({ shape: steps });
      return model(
        x,
        through(
          x,
          L.dense({ units: 4, activation: 'tanh' }),
          new Attention(),
          L.flatten(),
          L.dense({ units: 2 }),
        ),
      );
    },
  },
  {
    name: 'a convolution used twice',
    shapes: [image],
    build: () => {
      const x = tf.input({ shape: image });
      const shared = L.conv2d({ filters: 2, kernelSize: 3, padding: 'same', activation: 'tanh' });
      return model(x, through(x, shared, shared, L.globalAveragePooling2d({}), L.dense({ units: 2 })));
    },
  },
  {
    name: 'siamese: one tower, two inputs',
    shapes: [[4], [4]],
    build: () => {
      const [a, b] = [tf.input({ shape: [4] }), tf.input({ shape: [4] })];
      const tower = sequential(
        L.dense({ units: 5, activation: 'tanh', inputShape: [4] }),
        L.dense({ units: 3 }),
      );
      const both = L.concatenate().apply([
        tower.apply(a) as Symbolic,
        tower.apply(b) as Symbolic,
      ]) as Symbolic;
      return model([a, b], through(both, L.dense({ units: 2 })));
    },
  },
  {
    name: 'an embedding used twice',
    shapes: [[4], [4]],
    integer: 6,
    build: () => {
      const [a, b] = [tf.input({ shape: [4] }), tf.input({ shape: [4] })];
      const table = L.embedding({ inputDim: 6, outputDim: 3 });
      const product = L.multiply().apply([
        table.apply(a) as Symbolic,
        table.apply(b) as Symbolic,
      ]) as Symbolic;
      return model([a, b], through(product, L.flatten(), L.dense({ units: 2 })));
    },
  },
  {
    name: 'concatenated convolutions, batch normalisation, residual sum',
    shapes: [image],
    build: () => {
      const x = tf.input({ shape: image });
      const one = through(x, L.conv2d({ filters: 2, kernelSize: 1, activation: 'relu' }));
      const three = through(
        x,
        L.conv2d({ filters: 2, kernelSize: 3, padding: 'same' }),
        L.batchNormalization(),
        L.reLU(),
      );
      const joined = L.concatenate().apply([one, three]) as Symbolic;
      const branch = through(
        joined,
        L.conv2d({ filters: 4, kernelSize: 3, padding: 'same', useBias: false }),
      );
      const sum = L.add().apply([joined, branch]) as Symbolic;
      return model(
        x,
        through(
          sum,
          L.averagePooling2d({ poolSize: 2, padding: 'same' }),
          L.flatten(),
          L.dense({ units: 3 }),
        ),
      );
    },
  },
  {
    name: 'normalisations without scale or shift',
    shapes: [[5]],
    build: () =>
      sequential(
        L.dense({ units: 6, inputShape: [5] }),
        L.batchNormalization({ scale: false }),
        L.activation({ activation: 'tanh' }),
        L.dense({ units: 6 }),
        L.layerNormalization({ scale: false, center: false }),
        L.dense({ units: 2 }),
      ),
  },
  {
    name: 'one-dimensional convolutions: same with strides, valid, dilated',
    shapes: [[9, 2]],
    build: () =>
      sequential(
        L.conv1d({
          filters: 3,
          kernelSize: 3,
          strides: 2,
          padding: 'same',
          activation: 'tanh',
          inputShape: [9, 2],
        }),
        L.conv1d({ filters: 3, kernelSize: 2, padding: 'valid' }),
        L.conv1d({ filters: 2, kernelSize: 2, dilationRate: 2, activation: 'sigmoid' }),
        L.flatten(),
        L.dense({ units: 2 }),
      ),
  },
  {
    name: 'depthwise and separable convolutions with strides, same',
    shapes: [image],
    build: () =>
      sequential(
        L.depthwiseConv2d({
          kernelSize: 3,
          strides: 2,
          padding: 'same',
          activation: 'relu',
          inputShape: image,
        }),
        L.separableConv2d({ filters: 3, kernelSize: 2, padding: 'same', depthMultiplier: 2 }),
        L.globalAveragePooling2d({}),
        L.dense({ units: 2 }),
      ),
  },
  {
    name: 'an encoder and decoder: maximum pool, upsampling, padding, cropping',
    shapes: [[6, 6, 1]],
    build: () =>
      sequential(
        L.conv2d({ filters: 2, kernelSize: 3, padding: 'same', activation: 'tanh', inputShape: [6, 6, 1] }),
        L.maxPooling2d({ poolSize: 2 }),
        L.conv2dTranspose({ filters: 2, kernelSize: 3, strides: 2, padding: 'same' }),
        L.zeroPadding2d({ padding: 1 }),
        L.conv2d({ filters: 1, kernelSize: 3 }),
        L.cropping2D({
          cropping: [
            [2, 2],
            [2, 2],
          ],
        }),
        L.flatten(),
      ),
  },
  {
    name: 'a trained slope',
    shapes: [[5]],
    build: () => sequential(L.dense({ units: 6, inputShape: [5] }), L.prelu(), L.dense({ units: 2 })),
  },
  {
    name: 'LSTM over masked words',
    shapes: [[5]],
    integer: 6,
    build: () =>
      sequential(
        L.embedding({ inputDim: 6, outputDim: 3, maskZero: true, inputLength: 5 }),
        L.lstm({ units: 3 }),
        L.dense({ units: 2 }),
      ),
  },
  {
    name: 'GRU in both directions',
    shapes: [[4, 2]],
    build: () =>
      sequential(
        L.bidirectional({ layer: L.gru({ units: 2 }) as tf.RNN, mergeMode: 'concat', inputShape: [4, 2] }),
        L.dense({ units: 1 }),
      ),
  },
  {
    name: 'time-distributed convolution',
    shapes: [[3, 4, 4, 1]],
    build: () =>
      sequential(
        L.timeDistributed({
          layer: L.conv2d({ filters: 2, kernelSize: 2, activation: 'tanh' }),
          inputShape: [3, 4, 4, 1],
        }),
        L.flatten(),
        L.dense({ units: 2 }),
      ),
  },
  {
    name: 'outputs that are images',
    shapes: [image],
    build: () =>
      sequential(
        L.conv2d({ filters: 2, kernelSize: 3, activation: 'tanh', inputShape: image }),
        L.conv2d({ filters: 1, kernelSize: 2 }),
      ),
  },
  {
    name: 'dropout and noise, which are off',
    shapes: [[5]],
    build: () => {
      const x = tf.input({ shape: [5] });
      const h = through(
        x,
        L.dense({ units: 6, activation: 'tanh' }),
        L.dropout({ rate: 0.5 }),
        L.gaussianNoise({ stddev: 1 }),
      );
      return model(x, through(L.concatenate().apply([h, x]) as Symbolic, L.dense({ units: 2 })));
    },
  },
];
