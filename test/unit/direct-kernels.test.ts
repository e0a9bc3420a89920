import { beforeAll, describe, expect, it } from 'vitest';
import { denseKernel } from '../../src/network/kernel/dense/denseKernel.js';
import { empiricalKernel } from '../../src/network/kernel/index.js';
import { Elementwise, ScaledDense } from '../../src/network/models/layers.js';
import { chainOf } from '../../src/network/patterns/denseChain.js';
import * as tf from '../../src/network/tf.js';
import { backendsUnderTest, startBackend } from '../helpers/backend.js';

let made = 0;
const dense = (units: number, activation?: 'relu' | 'tanh' | 'sigmoid' | 'softplus' | 'elu') =>
  tf.layers.dense({ units, ...(activation ? { activation } : {}) });
const scaled = (units: number, factor: number, useBias = true) =>
  new ScaledDense({ name: `scaled${made++}`, units, factor, biasFactor: 0.1, useBias });
const phi = (activation: 'relu' | 'tanh' | 'abs' | 'sin' | 'exp') =>
  new Elementwise({ name: `phi${made++}`, activation });
const frozen = (layer: tf.layers.Layer): tf.layers.Layer => {
  layer.trainable = false;
  return layer;
};

const chains: Readonly<Record<string, () => tf.layers.Layer[]>> = {
  relu: () => [dense(40, 'relu'), dense(30, 'relu'), dense(1)],
  tanh: () => [dense(40, 'tanh'), dense(1)],
  'sigmoid and softplus': () => [dense(20, 'sigmoid'), dense(25, 'softplus'), dense(1)],
  'abs, sin and exp': () => [
    scaled(20, 0.3),
    phi('abs'),
    scaled(25, 0.2),
    phi('sin'),
    scaled(15, 0.2),
    phi('exp'),
    dense(1),
  ],
  'NTK parameterisation': () => [
    scaled(50, 0.3),
    phi('relu'),
    scaled(40, 0.14),
    phi('tanh'),
    scaled(30, 0.16),
    phi('relu'),
    scaled(1, 0.18, false),
  ],
  'first layer frozen': () => [frozen(dense(40, 'relu')), dense(30, 'tanh'), dense(1)],
  'readout frozen': () => [dense(40, 'tanh'), dense(30, 'relu'), frozen(dense(1))],
  'one layer': () => [dense(1)],
};

/** Layers as a model of 9 inputs, with weights of its own and biases that are not zero. */
function modelOf(layers: tf.layers.Layer[]): tf.LayersModel {
  const model = tf.sequential();
  for (const [l, layer] of layers.entries()) {
    if (l === 0) model.add(tf.layers.inputLayer({ inputShape: [9] }));
    model.add(layer);
  }
  for (const [k, weight] of model.weights.entries())
    weight.write(tf.randomNormal(weight.shape as number[], 0, 0.5, 'float32', k + 1));
  return model;
}

const native = backendsUnderTest.includes('native');

describe.skipIf(!native)('one-output kernels by the handles of the native library', () => {
  beforeAll(() => startBackend('native'));

  it.each(Object.entries(chains))('equal those by tensors: %s', async (_name, layers) => {
    const model = modelOf(layers());
    const x = tf.randomNormal([33, 9], 0, 1, 'float32', 4);
    const names = model.layers.filter((l) => l.trainableWeights.length > 0).map((l) => l.name);
    const options = { perLayer: true, layerFactors: { [names[0]]: 0.25 } };
    const before = tf.memory().numTensors;
    const direct = denseKernel(chainOf(model, x), x, options, 1);
    expect(tf.memory().numTensors).toBe(before);
    // Blocks of rows are taken by the way of tensors.
    const byTensors = await empiricalKernel(model, x, { ...options, blockRows: 8 });
    expect(direct?.rows).toBe(33);
    expect(Object.keys(direct?.perLayer ?? {}).sort()).toEqual([...names].sort());
    const close = (a: Float32Array | undefined, b: Float32Array | undefined) => {
      const size = Math.max(...(b ?? []).map(Math.abs));
      expect(size).toBeGreaterThan(0);
      for (const [i, value] of (b ?? []).entries())
        expect(Math.abs((a?.[i] ?? Number.NaN) - value)).toBeLessThan(2e-6 * size);
    };
    close(direct?.data, byTensors.data);
    for (const name of names) close(direct?.perLayer?.[name], byTensors.perLayer?.[name]);
    expect((await empiricalKernel(model, x, options)).data).toEqual(direct?.data);
    model.dispose();
    x.dispose();
  });

  it('leave other networks, several outputs, rectangles and very large factors to tensors', () => {
    const x = tf.randomNormal([5, 9], 0, 1, 'float32', 4);
    const taken = (layers: tf.layers.Layer[], count = 1, options = {}) => {
      const model = modelOf(layers);
      const kernel = denseKernel(chainOf(model, x), x, options, count);
      model.dispose();
      return kernel !== null;
    };
    expect(taken([dense(8, 'relu'), dense(1)])).toBe(true);
    expect(taken([dense(8, 'elu'), dense(1)])).toBe(false);
    expect(taken([dense(8, 'relu'), dense(3)], 3)).toBe(false);
    expect(taken([dense(8, 'relu'), dense(1)], 1, { against: x })).toBe(false);
    const tiny = () => [scaled(8, 1e-6), phi('relu'), scaled(1, 1e-6)];
    expect(taken(tiny())).toBe(false);
    x.dispose();
  });

  it('leave whole numbers to tensors, which turn them into float32', async () => {
    const model = modelOf([dense(8, 'relu'), dense(1)]);
    const whole = tf.ones([4, 9], 'int32');
    const real = tf.ones([4, 9]);
    const [a, b] = [await empiricalKernel(model, whole), await empiricalKernel(model, real)];
    for (const [i, value] of b.data.entries()) expect(a.data[i]).toBeCloseTo(value, 3);
    model.dispose();
    tf.dispose([whole, real]);
  });

  it('leave to tensors what is worth halving', () => {
    const taken = (samples: number) => {
      const model = modelOf([dense(400, 'relu'), dense(1)]);
      const x = tf.zeros([samples, 9]);
      const kernel = denseKernel(chainOf(model, x), x, {}, 1);
      model.dispose();
      x.dispose();
      return kernel !== null;
    };
    expect([taken(300), taken(1200)]).toEqual([true, false]);
  });

  it('free what they have made', async () => {
    const model = modelOf(chains['relu']());
    const x = tf.randomNormal([64, 9], 0, 1, 'float32', 4);
    const { binding } = tf.backend() as unknown as {
      binding: { createTensor(...a: unknown[]): number; tensorDataSync(id: number): Float32Array };
    };
    // Handles are numbers counted up.
    const next = () => binding.createTensor([], 1, Float32Array.of(0));
    await empiricalKernel(model, x);
    const first = next();
    await empiricalKernel(model, x);
    const last = next();
    expect(last - first).toBeGreaterThan(10);
    expect(binding.tensorDataSync(first)).toEqual(Float32Array.of(0));
    for (let id = first + 1; id < last; id++) expect(() => binding.tensorDataSync(id)).toThrow();
    model.dispose();
    x.dispose();
  });
});
