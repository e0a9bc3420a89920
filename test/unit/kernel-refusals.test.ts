import { beforeAll, describe, expect, it } from 'vitest';
import { FailureError } from '../../src/core/errors.js';
import { empiricalKernel } from '../../src/network/kernel/index.js';
import * as tf from '../../src/network/tf.js';
import { backendsUnderTest, startBackend } from '../helpers/backend.js';
import { ownLayer } from '../helpers/grid/ownLayers.js';
import { contracted, gap } from '../helpers/kernels.js';
import { perSampleJacobian } from '../helpers/perSample.js';

const L = tf.layers;
type Compute = (x: tf.Tensor) => tf.Tensor;

/** A dense layer, an operation of one's own, and a dense layer. */
function around(compute: Compute, width = 3): tf.LayersModel {
  const own = ownLayer({
    className: 'Own',
    weights: () => ({}),
    compute,
    outputShape: () => [width],
  });
  return tf.sequential({
    layers: [
      L.dense({
        units: 3,
        inputShape: [4],
        activation: 'tanh',
        kernelInitializer: tf.initializers.glorotNormal({ seed: 1 }),
      }),
      own,
      L.dense({ units: 2, kernelInitializer: tf.initializers.glorotNormal({ seed: 2 }) }),
    ],
  });
}

const inputs = () => tf.randomNormal([5, 4], 0, 1, 'float32', 3) as tf.Tensor2D;

/** Operations in which samples meet. */
const meetings: readonly (readonly [string, Compute])[] = [
  [
    'batch normalisation in training form',
    (x) => {
      const { mean, variance } = tf.moments(x, 0);
      return tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-3)));
    },
  ],
  ['products of all pairs of samples', (x) => tf.matMul(tf.matMul(x, x, false, true), x)],
  ['softmax over the batch', (x) => tf.transpose(tf.softmax(tf.transpose(x)))],
  ['means over the batch', (x) => tf.sub(x, tf.mean(x, 0))],
  ['the greatest of the batch', (x) => tf.sub(x, tf.max(x, 0))],
  ['reversed samples', (x) => tf.add(x, tf.reverse(x, 0))],
  [
    'the sample before',
    (x) => tf.add(x, tf.concat([tf.slice(x, x.shape[0] - 1, 1), tf.slice(x, 0, x.shape[0] - 1)])),
  ],
  ['cumulative sums over samples', (x) => tf.cumsum(x, 0)],
];

/** Operations that keep samples apart, but not in a way that shows in the trace. */
const lookAlikes: readonly (readonly [string, Compute, RegExp])[] = [
  ['samples turned over and back', (x) => tf.reverse(tf.tanh(tf.reverse(x, 0)), 0), /mixes samples/],
  [
    'values that are read',
    (x) => {
      const [first] = x.dataSync();
      return first > 1e9 ? x : tf.mul(x, 2);
    },
    /dataSync/,
  ],
];

describe.each(backendsUnderTest)('on %s', (backend) => {
  beforeAll(() => startBackend(backend));

  it.each(meetings)('refuses: %s', async (_name, compute) => {
    const x = inputs();
    const refused = empiricalKernel(around(compute), x);
    await expect(refused).rejects.toThrow(FailureError);
    await expect(refused).rejects.toThrow(/outputs for one sample depend on the others of the batch/);
  });

  it.each(lookAlikes)('takes one by one, with a note: %s', async (_name, compute, reason) => {
    const model = around(compute);
    const x = inputs();
    const kernel = await empiricalKernel(model, x, { mode: 'full' });
    expect(kernel.notes.join(' ')).toMatch(reason);
    expect(kernel.notes.join(' ')).toMatch(/one sample and output at a time, 10 backward passes/);
    const variables = model.trainableWeights.map((w) => w.read() as tf.Variable);
    const jacobian = perSampleJacobian(([one]) => [model.apply(one) as tf.Tensor], [x], variables);
    expect(gap(kernel.data, contracted(jacobian, jacobian))).toBeLessThan(1e-6);
  });

  // TensorFlow.js has no complex numbers on wasm.
  it.skipIf(backend === 'wasm')('takes spectra of the inputs as they are', async () => {
    const w = tf.variable(tf.randomNormal([3, 2], 0, 1, 'float32', 1) as tf.Tensor2D);
    const f = (x: tf.Tensor | tf.Tensor[]) => {
      const spectrum = tf.spectral.rfft(x as tf.Tensor2D);
      return tf.tanh(tf.matMul(tf.abs(tf.real(spectrum)), w));
    };
    const x = inputs();
    const kernel = await empiricalKernel(f, [w], x, { mode: 'full' });
    const jacobian = perSampleJacobian(([one]) => [f(one)], [x], [w]);
    expect(gap(kernel.data, contracted(jacobian, jacobian))).toBeLessThan(1e-6);
  });

  it('refuses random numbers', async () => {
    const drawing = around((x) => tf.add(x, tf.randomNormal(x.shape)));
    await expect(empiricalKernel(drawing, inputs())).rejects.toThrow(/draw random numbers/);
    const noisy = around((x) => tf.mul(x, tf.exp(tf.mul(tf.randomNormal(x.shape), 0.1))));
    await expect(empiricalKernel(noisy, inputs())).rejects.toThrow(/draw random numbers/);
    const dropping = around((x) => tf.dropout(x, 0.5));
    await expect(empiricalKernel(dropping, inputs())).rejects.toThrow(/draw random numbers/);
  });

  it('refuses a layer that keeps a state', async () => {
    const model = tf.sequential({
      layers: [
        L.lstm({ units: 3, stateful: true, batchInputShape: [3, 4, 2] } as never),
        L.dense({ units: 1 }),
      ],
    });
    const x = tf.randomNormal([3, 4, 2], 0, 1, 'float32', 3);
    await expect(empiricalKernel(model, x)).rejects.toThrow(FailureError);
    await expect(empiricalKernel(model, x)).rejects.toThrow(/Layer "lstm_LSTM\d+" keeps a state/);
  });

  it('names an operation without a gradient', async () => {
    const sorted = around((x) => tf.topk(x, 2).values, 2);
    await expect(empiricalKernel(sorted, inputs())).rejects.toThrow(FailureError);
    await expect(empiricalKernel(sorted, inputs())).rejects.toThrow(/no gradient of the operation TopK/);
    const image = tf.input({ shape: [6, 5, 2] });
    const cropped = L.centerCrop({ height: 2, width: 2 }).apply(
      L.conv2d({ filters: 2, kernelSize: 2 }).apply(image),
    ) as tf.SymbolicTensor;
    const model = tf.model({ inputs: image, outputs: cropped });
    const x = tf.randomNormal([3, 6, 5, 2], 0, 1, 'float32', 3);
    await expect(empiricalKernel(model, x)).rejects.toThrow(/CropAndResize/);
  });
});
