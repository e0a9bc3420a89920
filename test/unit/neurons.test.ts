import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyFunction, modesOf } from '../../src/core/dynamics/squaredLoss.js';
import { matrix, matrixFrom } from '../../src/core/linalg/matrix.js';
import { importance, neuronVariance } from '../../src/core/measures/neurons.js';
import { Random } from '../../src/core/random.js';
import type { TwoLayerModel } from '../../src/experiment/definition.js';
import { empiricalKernel } from '../../src/network/kernel/index.js';
import { type BuiltModel, buildModel } from '../../src/network/models/build.js';
import { activationsOf, neuronsOf, pickNeurons, writeNeurons } from '../../src/network/models/neurons.js';
import { subsamplingErrors } from '../../src/network/models/subsampling.js';
import * as tf from '../../src/network/tf.js';
import { gradientFlow, lossesAlongPaths } from '../../src/network/training/index.js';
import { backendsUnderTest, startBackend } from '../helpers/backend.js';

const twoLayer = (width: number, more: Partial<TwoLayerModel> = {}): TwoLayerModel => ({
  kind: 'twoLayer',
  width,
  activation: 'tanh',
  scale: 'mean-field',
  init: 'gaussian',
  thetaStart: 'inverse-dimension',
  bias: false,
  train: 'all',
  ...more,
});
const build = (width: number, seed = 1, more: Partial<TwoLayerModel> = {}, outputs = 1): BuiltModel =>
  buildModel(twoLayer(width, more), { inputShape: [5], outputs, seed });
const inputs = (n: number, seed = 7): tf.Tensor2D =>
  tf.tensor2d(Float32Array.from(new Random(seed).normals(n * 5)), [n, 5]);
const outputsOf = ({ model }: BuiltModel, x: tf.Tensor): number[] =>
  Array.from(tf.tidy(() => (model.apply(x) as tf.Tensor).dataSync().slice()) as Float32Array);

describe('variance of a neuron', () => {
  it('is what the formula says, per output and input', () => {
    const u = matrixFrom(2, 2, [1, 0, 3, 4]);
    const h = matrixFrom(2, 2, [1, 1, 2, 0]);
    // Input 1: u h = (1, 3) and (0, 4); input 2: (2, 0) and (0, 0).
    expect(neuronVariance(u, h)).toBeCloseTo((1 + 4 + 1 + 0) / 2, 12);
    expect(() => neuronVariance(u, matrix(2, 3))).toThrow('2 output weights, but activations of 3 neurons');
  });
});

describe.each(backendsUnderTest)('neurons of a network on %s', (backend) => {
  beforeAll(() => startBackend(backend));
  afterAll(() => tf.disposeVariables());

  it.each(['mean-field', 'standard', 'ntk'] as const)('reads and writes them under scale %s', (scale) => {
    const x = inputs(6);
    const from = build(8, 1, { scale }, 2);
    const to = build(8, 2, { scale }, 2);
    const neurons = neuronsOf(from);
    writeNeurons(to, neurons);
    expect(outputsOf(to, x)).toEqual(outputsOf(from, x));
    const { alpha } = from.twoLayer as { alpha: number };
    const h = activationsOf(from, x);
    const f = Array.from({ length: 6 }, (_, i) => {
      let sum = 0;
      for (let j = 0; j < 8; j++) sum += (alpha / 8) * neurons.u.data[2 * j] * h.data[8 * i + j];
      return sum;
    });
    for (const [i, value] of outputsOf(from, x)
      .filter((_, k) => k % 2 === 0)
      .entries())
      expect(value).toBeCloseTo(f[i], 5);
    expect(importance(neurons.u, h)).toHaveLength(8);
    x.dispose();
  });

  it('picks neurons with their factors, and says which sizes do not fit', () => {
    const neurons = neuronsOf(build(4));
    const picked = pickNeurons(neurons, [3, 0, 3], [1, 2, 1]);
    expect(picked.u.data[1]).toBe(2 * neurons.u.data[0]);
    expect(Array.from(picked.theta.data.slice(10))).toEqual(Array.from(neurons.theta.data.slice(15)));
    expect(() => writeNeurons(build(8), neurons)).toThrow('do not fit a network of 8 neurons');
    expect(() => writeNeurons(build(4, 1, { bias: true }), neurons)).toThrow('network with biases');
  });

  it('costs the variance of a neuron over m to keep m of them', () => {
    const x = inputs(40);
    const wide = build(600);
    const counts = [8, 32];
    const { errors, variance } = subsamplingErrors(wide, (m) => build(m), x, { counts, draws: 400, seed: 3 });
    expect(variance).toBeCloseTo(neuronVariance(neuronsOf(wide).u, activationsOf(wide, x)), 12);
    // 400 draws of a few effective dimensions: about 7 %.
    for (const [k, m] of counts.entries())
      expect(Math.abs((m * errors[k]) / variance - 1)).toBeLessThan(0.25);
    x.dispose();
  });

  it('mixes outputs exactly along the mixture path, and ends both paths at the networks', () => {
    const x = inputs(10);
    const [a, b] = [build(16, 1), build(16, 2)];
    const [fa, fb] = [outputsOf(a, x), outputsOf(b, x)];
    const loss = (built: BuiltModel) => outputsOf(built, x).reduce((sum, f) => sum + f * f, 0);
    const live = tf.memory().numTensors;
    const paths = lossesAlongPaths(a, b, (m) => build(m), loss, 5);
    expect(tf.memory().numTensors).toBe(live);
    for (const [k, t] of paths.t.entries()) {
      const expected = fa.reduce((sum, f, i) => sum + ((1 - t) * f + t * fb[i]) ** 2, 0);
      expect(paths.mixture[k]).toBeCloseTo(expected, 5);
      expect(paths.chord[k]).toBeCloseTo((1 - t) * loss(a) + t * loss(b), 10);
    }
    for (const k of [0, 4]) expect(paths.parameters[k]).toBeCloseTo(paths.chord[k], 5);
    expect(Math.abs(paths.parameters[2] - paths.mixture[2])).toBeGreaterThan(1e-3);
    x.dispose();
  });
});

describe.each(backendsUnderTest)('gradient flow on %s', (backend) => {
  beforeAll(() => startBackend(backend));
  afterAll(() => tf.disposeVariables());

  it('solves the linear equation of a model that is linear in its weights', async () => {
    const n = 12;
    const x = inputs(n);
    const y = tf.tensor2d(Float32Array.from(new Random(5).normals(n)), [n, 1]);
    const built = build(64, 1, { train: 'readout', scale: 'ntk' });
    const start = outputsOf(built, x);
    const kernel = matrixFrom(n, n, (await empiricalKernel(built.model, x)).data);
    const time = 30;
    const live = tf.memory().numTensors;
    gradientFlow(
      built,
      { loss: 'mse', optimizer: { kind: 'sgd', learningRate: 1, ratio: 2 } },
      x,
      y,
      time,
      60,
    );
    expect(tf.memory().numTensors).toBe(live);
    const targets = y.dataSync();
    const missing = matrixFrom(
      n,
      1,
      start.map((f, i) => f - targets[i]),
    );
    const left = applyFunction(modesOf(kernel), (l) => Math.exp((-2 * l * time) / n), missing);
    for (const [i, f] of outputsOf(built, x).entries()) expect(f).toBeCloseTo(targets[i] + left.data[i], 4);
    tf.dispose([x, y]);
  });

  it('is of order 4: halving the step takes the error down by far more than descent would', () => {
    const x = inputs(20);
    const y = tf.tensor2d(Float32Array.from(new Random(5).normals(20)), [20, 1]);
    const flowed = (steps: number) => {
      const built = build(32, 1, { scale: 'ntk' });
      gradientFlow(built, { loss: 'mse', optimizer: { kind: 'sgd', learningRate: 1 } }, x, y, 4, steps);
      return outputsOf(built, x);
    };
    const exact = flowed(64);
    const error = (steps: number) => Math.hypot(...flowed(steps).map((f, i) => f - exact[i]));
    expect(error(2) / error(4)).toBeGreaterThan(8);
    tf.dispose([x, y]);
  });
});
