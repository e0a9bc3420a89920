import { beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../../src/core/errors.js';
import type { BackendName } from '../../src/network/backends/index.js';
import { LossHessian } from '../../src/network/curvature/index.js';
import { empiricalKernel, KernelOperator, outputCount } from '../../src/network/kernel/index.js';
import { seedModel } from '../../src/network/models/seeding.js';
import * as tf from '../../src/network/tf.js';
import { backendsUnderTest, startBackend } from '../helpers/backend.js';
import { expectModelKernel } from '../helpers/expectKernel.js';

/** Networks whose kernels were once wrong, or refused. */

const L = tf.layers;
const normal = (shape: readonly number[], seed = 3) => tf.randomNormal([...shape], 0, 1, 'float32', seed);
const sequential = (...layers: tf.layers.Layer[]) => tf.sequential({ layers });
const glorot = (seed: number) => ({ kernelInitializer: tf.initializers.glorotNormal({ seed }) });

/** Not the dense layer of TensorFlow.js, in spite of its name. */
class Dense extends tf.layers.Layer {
  static readonly className = 'Dense';
  private kernel!: tf.LayerVariable;

  override build(shape: tf.Shape): void {
    this.kernel = this.addWeight('kernel', [shape[1] as number, 3], 'float32', glorot(1).kernelInitializer);
    this.built = true;
  }

  override computeOutputShape(shape: tf.Shape): tf.Shape {
    return [shape[0], 3];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tanh(tf.matMul([inputs].flat()[0] as tf.Tensor2D, this.kernel.read() as tf.Tensor2D));
  }
}

describe.each([...backendsUnderTest, 'cpu'] as BackendName[])('kernels on %s', (backend) => {
  beforeAll(() => startBackend(backend));

  it.each([[1], [[1, 2]], [[2, 3]], [[1, 2, 3]], [-1]])('layer normalisation over axis %j', async (axis) => {
    const model = sequential(
      L.conv2d({ filters: 3, kernelSize: 3, inputShape: [6, 6, 2], activation: 'tanh' }),
      L.layerNormalization({ axis: axis as number }),
      L.flatten(),
      L.dense({ units: 1 }),
    );
    seedModel(model, 1);
    await expectModelKernel(model, [normal([4, 6, 6, 2])]);
  });

  it.each((['same', 'valid'] as const).flatMap((padding) => [1, 2].map((rate) => [padding, rate] as const)))(
    'depthwise convolution, %s, dilation %i',
    async (padding, rate) => {
      const model = sequential(
        L.depthwiseConv2d({
          kernelSize: 3,
          dilationRate: [rate, rate],
          padding,
          inputShape: [8, 8, 2],
          activation: 'tanh',
        }),
        L.flatten(),
        L.dense({ units: 1 }),
      );
      seedModel(model, 1);
      await expectModelKernel(model, [normal([4, 8, 8, 2])]);
    },
  );

  it.each(
    [
      [7, 6],
      [7, 7],
      [9, 9],
    ].flatMap(([h, w]) => [1, 2].map((units) => [h, w, units] as const)),
  )('convolution and maximum pool, %i x %i, %i outputs', async (h, w, units) => {
    const model = sequential(
      L.conv2d({ filters: 3, kernelSize: 2, inputShape: [h, w, 2], ...glorot(1) }),
      L.maxPooling2d({ poolSize: 2 }),
      L.flatten(),
      L.dense({ units, ...glorot(2) }),
    );
    await expectModelKernel(model, [normal([3, h, w, 2], 5)]);
  });

  it('shares the gradient among places that tie in a global maximum, as Keras does', async () => {
    const model = sequential(
      L.conv2d({
        filters: 6,
        kernelSize: 3,
        padding: 'valid',
        activation: 'relu',
        inputShape: [6, 6, 1],
        ...glorot(1),
        biasInitializer: 'ones',
      }),
      L.globalMaxPooling2d({}),
      L.dense({ units: 3, ...glorot(2) }),
    );
    const images = tf.concat([normal([4, 6, 6, 1]), tf.zeros([1, 6, 6, 1])], 0);
    // A blank image gives the bias at all places: its gradient in the biases is that of the readout, once.
    const { data } = await empiricalKernel(model, images, { mode: 'full' });
    const readout = model.layers[2].getWeights()[0].arraySync() as number[][];
    const size = 15;
    for (let o = 0; o < 3; o++)
      for (let p = 0; p < 3; p++) {
        // Biases of the convolution; kernel (its inputs are ones) and bias of the readout.
        const biases = readout.reduce((sum, row) => sum + row[o] * row[p], 0);
        const expected = biases + (o === p ? 6 + 1 : 0);
        expect(data[(12 + o) * size + 12 + p]).toBeCloseTo(expected, 4);
      }
    await expectModelKernel(model, [images], false);
  });

  it('counts outputs of any length as they come', async () => {
    const input = tf.input({ shape: [null, 3] });
    const model = tf.model({
      inputs: input,
      outputs: L.dense({ units: 2, activation: 'tanh' }).apply(input) as tf.SymbolicTensor,
    });
    const x = normal([3, 5, 3]);
    expect((await empiricalKernel(model, x, { mode: 'full' })).rows).toBe(30);
    expect((await empiricalKernel(model, normal([3, 4, 3]), { mode: 'full' })).rows).toBe(24);
    expect(outputCount(model, x)).toBe(10);
    expect(() => outputCount(model)).toThrow(InputError);
    expect(() => outputCount(model)).toThrow(/\[null, 2\]/);
    await expectModelKernel(model, [x]);
  });

  it('leaves out what a model around it has frozen', async () => {
    const core = sequential(
      L.dense({ units: 4, inputShape: [3], activation: 'tanh' }),
      L.dense({ units: 4 }),
    );
    const image = tf.input({ shape: [3] });
    const judge = tf.model({
      inputs: image,
      outputs: L.dense({ units: 1 }).apply(core.apply(image)) as tf.SymbolicTensor,
    });
    const generator = sequential(
      L.dense({ units: 4, inputShape: [2], activation: 'tanh' }),
      L.dense({ units: 3 }),
    );
    judge.trainable = false;
    const noise = tf.input({ shape: [2] });
    const whole = tf.model({
      inputs: noise,
      outputs: judge.apply(generator.apply(noise)) as tf.SymbolicTensor,
    });
    const x = normal([3, 2], 1);
    const { perLayer } = await empiricalKernel(whole, x, { perLayer: true });
    expect(new Set(Object.keys(perLayer ?? {}))).toEqual(
      new Set(generator.layers.map((layer) => layer.name)),
    );
    await expectModelKernel(whole, [x]);
  });

  it('needs no layer that it knows', async () => {
    const model = sequential(
      L.simpleRNN({ units: 4, inputShape: [5, 3] }),
      L.repeatVector({ n: 2 }),
      L.simpleRNN({ units: 4, returnSequences: true }),
      L.timeDistributed({ layer: L.dense({ units: 3 }) }),
    );
    await expectModelKernel(model, [normal([3, 5, 3])]);
  });

  it('takes nested models with two outputs, and layers at two shapes', async () => {
    const input = tf.input({ shape: [3] });
    const hidden = L.dense({ units: 4, activation: 'tanh' }).apply(input) as tf.SymbolicTensor;
    const ends = [2, 2].map((units) => L.dense({ units }).apply(hidden) as tf.SymbolicTensor);
    const encoder = tf.model({ inputs: input, outputs: ends });
    const outer = tf.input({ shape: [3] });
    const both = L.concatenate().apply(encoder.apply(outer)) as tf.SymbolicTensor;
    const two = tf.model({ inputs: outer, outputs: L.dense({ units: 1 }).apply(both) as tf.SymbolicTensor });
    await expectModelKernel(two, [normal([4, 3])]);

    const open = tf.input({ shape: [null, 3] });
    const block = tf.model({
      inputs: open,
      outputs: L.dense({ units: 3, activation: 'tanh' }).apply(open) as tf.SymbolicTensor,
    });
    const five = tf.input({ shape: [5, 3] });
    const flat = L.flatten().apply(block.apply(five)) as tf.SymbolicTensor;
    const whole = tf.model({ inputs: five, outputs: L.dense({ units: 1 }).apply(flat) as tf.SymbolicTensor });
    await expectModelKernel(whole, [normal([3, 5, 3])]);

    const inner = sequential(L.dense({ units: 3, inputShape: [2], activation: 'tanh' }));
    const pair = tf.input({ shape: [2] });
    const single = tf.model({
      inputs: pair,
      outputs: L.dense({ units: 1 }).apply(inner.apply(pair)) as tf.SymbolicTensor,
    });
    await expectModelKernel(single, [normal([4, 2])]);
  });

  it('takes a layer for what it computes, not for its name', async () => {
    const model = sequential(
      new Dense({ inputShape: [2] } as never),
      L.dense({ units: 1, kernelInitializer: 'ones' }),
    );
    await expectModelKernel(model, [tf.tensor2d([1, 0.5, -1, 2], [2, 2])]);
  });

  it('leaves no tensor behind', () => {
    const model = sequential(
      L.conv2d({ filters: 2, kernelSize: 3, inputShape: [8, 8, 1], activation: 'relu' }),
      L.maxPooling2d({ poolSize: 2 }),
      L.flatten(),
      L.dense({ units: 3 }),
    );
    const recurrent = sequential(L.lstm({ units: 3, inputShape: [4, 2] }), L.dense({ units: 3 }));
    for (const [net, x] of [
      [model, normal([6, 8, 8, 1])],
      [recurrent, normal([6, 4, 2])],
    ] as const) {
      const y = tf.ones([6, 3]) as tf.Tensor2D;
      const makes = [
        () => new LossHessian(net, x, y, 'mse').dispose(),
        () => new KernelOperator(net, x).dispose(),
      ];
      for (const make of makes) {
        make();
        const held = tf.memory().numTensors;
        for (let k = 0; k < 3; k++) make();
        expect(tf.memory().numTensors).toBe(held);
      }
    }
  });
});
