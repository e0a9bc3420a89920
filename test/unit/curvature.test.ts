import { beforeAll, describe, expect, it } from 'vitest';
import { eigenvalues } from '../../src/core/linalg/eigen.js';
import { type Matrix, matrix } from '../../src/core/linalg/matrix.js';
import { gram, trace, transpose } from '../../src/core/linalg/ops.js';
import { smoothed, spectralDensity, stochasticTrace } from '../../src/core/linalg/stochastic.js';
import { Random } from '../../src/core/random.js';
import type { ActivationName, LossName, TwoLayerModel } from '../../src/experiment/definition.js';
import { curvatureOf, LossHessian } from '../../src/network/curvature/index.js';
import { loadData } from '../../src/network/data/index.js';
import { outputCount } from '../../src/network/kernel/index.js';
import { activations } from '../../src/network/models/activations.js';
import { buildModel } from '../../src/network/models/build.js';
import { seedModel } from '../../src/network/models/seeding.js';
import * as tf from '../../src/network/tf.js';
import { tensorsOf, train } from '../../src/network/training/index.js';
import { architectures, inputs, seeded } from '../helpers/architectures.js';
import { backendsUnderTest, startBackend } from '../helpers/backend.js';

const kinked = new Set([
  'plain dense with relu and softmax',
  'conv2d valid, flatten',
  'mlp 3 hidden, relu, bias, 3 outputs',
  'mlp 3 hidden, relu, no bias',
  'conv2d of even size, pooling, 1 output',
  'conv2d twice, pooling, 3 outputs',
]);
const network: TwoLayerModel = {
  kind: 'twoLayer',
  width: 32,
  activation: 'tanh',
  scale: 'ntk',
  init: 'gaussian',
  thetaStart: 'inverse-dimension',
  bias: false,
  train: 'all',
};
const normals = (n: number, seed: number) => Float32Array.from(new Random(seed).normals(n));
const times = (a: Matrix, x: Float64Array): Float64Array =>
  Float64Array.from({ length: a.rows }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < a.cols; j++) sum += a.data[i * a.cols + j] * x[j];
    return sum;
  });
const worst = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a.length).toBe(b.length);
  let gap = 0;
  let scale = 0;
  for (let i = 0; i < b.length; i++) {
    gap = Math.max(gap, Math.abs(a[i] - b[i]));
    scale = Math.max(scale, Math.abs(b[i]));
  }
  return gap / scale;
};
const full = (hessian: LossHessian): Matrix => {
  const n = hessian.size;
  const out = matrix(n, n);
  for (let k = 0; k < n; k++) {
    const unit = new Float64Array(n);
    unit[k] = 1;
    out.data.set(hessian.times(unit), k * n);
  }
  return out;
};

describe('stochastic quadrature', () => {
  const n = 60;
  const a = gram(matrix(n, n, new Random(1).normals(n * n)));
  const product = (x: Float64Array) => times(a, x);

  it('estimates a trace within its error, and without error on a diagonal', () => {
    const { value, error } = stochasticTrace(product, n, 200, 3);
    expect(Math.abs(value - trace(a))).toBeLessThan(4 * error);
    expect(error).toBeLessThan(0.02 * trace(a));
    const diagonal = stochasticTrace((x) => x.map((v, i) => v * i), n, 3);
    expect(diagonal.value).toBeCloseTo((n * (n - 1)) / 2, 9);
    expect(diagonal.error).toBeCloseTo(0, 9);
  });

  it('keeps the moments of the density, which sums to 1', () => {
    const { nodes, weights } = spectralDensity(product, n, { probes: 200, steps: 8, seed: 2 });
    const values = eigenvalues(a);
    const moment = (p: number) => weights.reduce((sum, w, k) => sum + w * nodes[k] ** p, 0);
    const expected = (p: number) => values.reduce((sum, v) => sum + v ** p, 0) / n;
    expect(moment(0)).toBeCloseTo(1, 10);
    for (const p of [1, 2, 3]) expect(Math.abs(moment(p) / expected(p) - 1)).toBeLessThan(0.05);
    const grid = Float64Array.from({ length: 4000 }, (_, i) => -100 + (i * 600) / 4000);
    const mass = smoothed({ nodes, weights }, grid, 5).reduce((sum, v) => sum + v * (600 / 4000), 0);
    expect(mass).toBeCloseTo(1, 3);
  });

  it('finds the three eigenvalues of an operator that has no more', () => {
    const { nodes, weights } = spectralDensity((x) => x.map((v, i) => v * (i % 3)), 30, { probes: 1 });
    expect(nodes.length).toBe(3);
    for (let k = 0; k < 3; k++) {
      expect(nodes[k]).toBeCloseTo(k, 10);
      expect(weights[k]).toBeCloseTo(1 / 3, 10);
    }
  });
});

/** H v by central differences of the gradient, over a way of `relative` times the length of the weights. */
function differences(
  model: tf.LayersModel,
  hessian: LossHessian,
  v: Float64Array,
  relative = 6e-3,
): Float64Array {
  const weights = model.trainableWeights.map((w) => w.read() as tf.Variable);
  const own = weights.map((w) => w.dataSync().slice());
  const norm = (parts: Iterable<number>) => Math.sqrt([...parts].reduce((sum, t) => sum + t * t, 0));
  const h = (relative * norm(own.flatMap((w) => [...w]))) / norm(v);
  const at = (step: number): Float64Array => {
    let from = 0;
    for (const [k, w] of weights.entries()) {
      const moved = tf.tensor(
        own[k].map((t, i) => t + step * v[from + i]),
        w.shape,
      );
      w.assign(moved);
      moved.dispose();
      from += own[k].length;
    }
    return hessian.gradient();
  };
  const [up, down] = [at(h), at(-h)];
  at(0);
  return up.map((t, i) => (t - down[i]) / (2 * h));
}

describe.each(backendsUnderTest)('Hessian of the loss on %s', (backend) => {
  beforeAll(() => startBackend(backend));

  it("is X'X / n on a linear model, with its trace, density and stability", () => {
    const [n, d] = [40, 7];
    const x = tf.tensor2d(normals(n * d, 1), [n, d]);
    const y = tf.tensor2d(normals(n, 2), [n, 1]);
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, useBias: false, inputShape: [d] })] });
    seedModel(model, 1);
    const held = tf.memory().numTensors;
    const hessian = new LossHessian(model, x, y, 'mse', { block: 16 });
    const expected = gram(transpose(matrix(n, d, Float64Array.from(x.dataSync()))));
    for (let i = 0; i < expected.data.length; i++) expected.data[i] /= n;
    expect(worst(full(hessian).data, expected.data)).toBeLessThan(1e-5);
    const values = eigenvalues(expected);
    const options = { eigenvalues: 7, learningRate: 0.3, traceProbes: 400, density: { probes: 100 } };
    const found = curvatureOf(hessian, options);
    expect(worst(found.eigenvalues, values)).toBeLessThan(1e-5);
    expect(found.sharpness).toBe(found.eigenvalues[0]);
    expect(found.stability).toBeCloseTo(0.15 * values[0], 5);
    const { value, error } = found.trace ?? { value: 0, error: 0 };
    expect(Math.abs(value - trace(expected))).toBeLessThan(4 * error + 1e-6);
    const { nodes, weights } = found.density ?? { nodes: new Float64Array(0), weights: new Float64Array(0) };
    const mean = nodes.reduce((sum, v, k) => sum + v * weights[k], 0);
    expect(Math.abs((mean * d) / trace(expected) - 1)).toBeLessThan(0.1);
    expect(curvatureOf(hessian, options)).toEqual(found);
    hessian.dispose();
    expect(tf.memory().numTensors).toBe(held);
  });

  it.each([
    ['mse', 1],
    ['crossEntropy', 3],
  ] as [LossName, number][])('equals finite differences on a small tanh network: %s', (loss, O) => {
    const [n, d, m] = [12, 3, 4];
    const x = tf.tensor2d(normals(n * d, 3), [n, d]);
    const y =
      loss === 'mse'
        ? tf.tensor2d(normals(n * O, 4), [n, O])
        : tf.tensor2d(
            Float32Array.from({ length: n * O }, (_, k) => (Math.floor(k / O) % O === k % O ? 1 : 0)),
            [n, O],
          );
    const model = tf.sequential({
      layers: [
        tf.layers.dense({ units: m, activation: 'tanh', inputShape: [d] }),
        tf.layers.dense({ units: O }),
      ],
    });
    seedModel(model, 2);
    const flat = Float64Array.from(model.getWeights().flatMap((w) => Array.from(w.dataSync())));
    const [xs, ys] = [x.dataSync(), y.dataSync()];
    // The same loss in float64, differenced twice.
    const value = (w: Float64Array): number => {
      let sum = 0;
      for (let i = 0; i < n; i++) {
        const f = Array.from({ length: O }, (_, o) => w[d * m + m + m * O + o]);
        for (let j = 0; j < m; j++) {
          let h = w[d * m + j];
          for (let k = 0; k < d; k++) h += xs[i * d + k] * w[k * m + j];
          for (let o = 0; o < O; o++) f[o] += Math.tanh(h) * w[d * m + m + j * O + o];
        }
        if (loss === 'mse') for (let o = 0; o < O; o++) sum += (f[o] - ys[i * O + o]) ** 2 / (2 * n * O);
        else {
          const log = Math.log(f.reduce((a, b) => a + Math.exp(b), 0));
          for (let o = 0; o < O; o++) sum -= (ys[i * O + o] * (f[o] - log)) / n;
        }
      }
      return sum;
    };
    const P = flat.length;
    const h = 1e-4;
    const expected = matrix(P, P);
    const moved = (i: number, a: number, j: number, b: number): number => {
      const w = flat.slice();
      w[i] += a;
      w[j] += b;
      return value(w);
    };
    for (let i = 0; i < P; i++)
      for (let j = 0; j < P; j++)
        expected.data[i * P + j] =
          (moved(i, h, j, h) - moved(i, h, j, -h) - moved(i, -h, j, h) + moved(i, -h, j, -h)) / (4 * h * h);
    const exact = new LossHessian(model, x, y, loss);
    expect(worst(full(exact).data, expected.data)).toBeLessThan(2e-5);
    const top = curvatureOf(exact, { eigenvalues: 3, tolerance: 1e-6 }).eigenvalues;
    expect(worst(top, eigenvalues(expected).slice(0, 3))).toBeLessThan(1e-4);
    exact.dispose();
  });

  it('is preconditioned by the step sizes of the layers', () => {
    const built = buildModel(
      {
        kind: 'twoLayer',
        width: 6,
        activation: 'tanh',
        scale: 'mean-field',
        init: 'gaussian',
        thetaStart: 'inverse-dimension',
        bias: false,
        train: 'all',
      },
      { inputShape: [3], outputs: 1, seed: 3 },
    );
    const x = tf.tensor2d(normals(30, 5), [10, 3]);
    const y = tf.tensor2d(normals(10, 6), [10, 1]);
    const factors = { features: 6, readout: 2 };
    const plain = full(new LossHessian(built.model, x, y, 'mse'));
    const scaled = full(new LossHessian(built.model, x, y, 'mse', { layerFactors: factors }));
    const root = Float64Array.from({ length: 24 }, (_, k) => Math.sqrt(k < 18 ? 6 : 2));
    const expected = plain.data.map((v, k) => v * root[Math.floor(k / 24)] * root[k % 24]);
    expect(worst(scaled.data, expected)).toBeLessThan(1e-5);
  });

  it.each(architectures.map((a) => [a.name, a] as const))(
    'is symmetric and agrees with central differences: %s',
    (name, test) => {
      const model = seeded(test);
      const n = 6;
      const x = inputs(test, n, 1);
      const O = outputCount(model);
      const y = tf.tensor2d(normals(n * O, 8), [n, O]);
      const weights = model.getWeights().map((w) => w.dataSync().slice());
      const hessian = new LossHessian(model, x, y, 'mse');
      const [v, w] = [new Random(1).normals(hessian.size), new Random(2).normals(hessian.size)];
      const [hv, hw] = [hessian.times(v), hessian.times(w)];
      const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, t, i) => sum + t * b[i], 0);
      // A step of the differences carries samples over the kinks of relu.
      if (!kinked.has(name)) expect(worst(differences(model, hessian, v), hv)).toBeLessThan(0.02);
      expect(Math.abs(dot(hv, w) - dot(hw, v))).toBeLessThan(1e-4 * Math.sqrt(dot(hv, hv) * dot(w, w)));
      expect(model.getWeights().map((t) => t.dataSync().slice())).toEqual(weights);
      hessian.dispose();
    },
  );

  it('stays exact on a convolutional network of relus, where every difference crosses kinks', () => {
    const model = tf.sequential({
      layers: [
        tf.layers.conv2d({ filters: 16, kernelSize: 3, activation: 'relu', inputShape: [12, 12, 1] }),
        tf.layers.conv2d({ filters: 16, kernelSize: 3, activation: 'relu' }),
        tf.layers.globalAveragePooling2d({ dataFormat: 'channelsLast' }),
        tf.layers.dense({ units: 3 }),
      ],
    });
    seedModel(model, 1);
    const x = tf.tensor4d(normals(4 * 144, 1), [4, 12, 12, 1]);
    const hessian = new LossHessian(model, x, tf.tensor2d(normals(12, 2), [4, 3]), 'mse');
    // The loss is quadratic in the readout, and no kink depends on it: its block is that of a linear model.
    const v = new Float64Array(hessian.size);
    v.set(new Random(3).normals(51), hessian.size - 51);
    expect(worst(hessian.times(v), differences(model, hessian, v))).toBeLessThan(1e-3);
  });

  it.each(Object.keys(activations).map((name) => [name as ActivationName]))(
    'is exact through each activation: %s',
    (activation) => {
      const { model } = buildModel({ ...network, activation }, { inputShape: [3], outputs: 1, seed: 3 });
      const x = tf.tensor2d(normals(6, 5), [2, 3]);
      const y = tf.tensor2d(normals(2, 6), [2, 1]);
      const exact = new LossHessian(model, x, y, 'mse');
      const gaps = [1, 2, 3, 4, 5].map((seed) => {
        const v = new Random(seed).normals(exact.size);
        return worst(differences(model, exact, v), exact.times(v));
      });
      // Kinks may lie on some of the ways.
      expect(Math.min(...gaps)).toBeLessThan(5e-3);
    },
  );

  it('is exact through padding, average pools and further activations', () => {
    const model = tf.sequential({
      layers: [
        tf.layers.zeroPadding2d({ padding: 1, inputShape: [6, 6, 1] }),
        tf.layers.conv2d({ filters: 3, kernelSize: 3, activation: 'softplus' }),
        tf.layers.averagePooling2d({ poolSize: 2 }),
        tf.layers.conv2d({ filters: 3, kernelSize: 2 }),
        tf.layers.activation({ activation: 'sigmoid' }),
        // Behind a sigmoid nothing comes near its kink.
        tf.layers.reLU({}),
        tf.layers.dropout({ rate: 0.5 }),
        tf.layers.reshape({ targetShape: [12] }),
        tf.layers.dense({ units: 2, activation: 'softmax' }),
      ],
    });
    seedModel(model, 1);
    const [x, y] = [tf.tensor4d(normals(5 * 36, 1), [5, 6, 6, 1]), tf.tensor2d(normals(10, 2), [5, 2])];
    const exact = new LossHessian(model, x, y, 'crossEntropy');
    const v = new Random(4).normals(exact.size);
    expect(worst(differences(model, exact, v), exact.times(v))).toBeLessThan(2e-3);
  });

  it('is that of the function itself under a maximum pool, whose choice it keeps', () => {
    const model = tf.sequential({
      layers: [
        tf.layers.conv2d({ filters: 2, kernelSize: 2, activation: 'tanh', inputShape: [5, 5, 1] }),
        tf.layers.maxPooling2d({ poolSize: 2 }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 1 }),
      ],
    });
    seedModel(model, 1);
    const x = tf.tensor4d(normals(5 * 25, 1), [5, 5, 5, 1]);
    const hessian = new LossHessian(model, x, tf.tensor2d(normals(5, 2), [5, 1]), 'mse');
    const v = new Random(6).normals(hessian.size);
    // So short a way crosses no switch of the pool.
    expect(worst(differences(model, hessian, v, 3e-4), hessian.times(v))).toBeLessThan(2e-3);
    expect(curvatureOf(hessian)).toMatchObject({ converged: true });
  });

  it('joins the rows of a run, which it leaves alone, and falls below 2 / eta where it starts above', async () => {
    const data = loadData(
      { kind: 'teacher', dimension: 5, target: 'interaction', inputs: 'sphere', train: 40, test: 0 },
      { folder: '.', seed: 3, loss: 'mse' },
    );
    const built = () => buildModel(network, { inputShape: [5], outputs: 1, seed: 3 });
    const run = async (sharpness: boolean) => {
      const rows: Readonly<Record<string, number>>[] = [];
      const definition = {
        loss: 'mse',
        optimizer: { kind: 'sgd', learningRate: 8 },
        steps: 200,
        batch: 'full',
        probe: 16,
        seed: 1,
        measure: { kernels: 4, every: 20, sharpness },
      } as const;
      for await (const record of train({ built: built(), data, definition }))
        if (record.kind === 'metrics') rows.push(record.values);
      return rows;
    };
    const rows = await run(true);
    expect(rows.map((row) => row['loss'])).toEqual((await run(false)).map((row) => row['loss']));
    const measured = rows.filter((row) => 'drift' in row).map((row) => row['sharpness']);
    expect(measured.length).toBeGreaterThan(10);
    const { x, y } = tensorsOf(data.train, data);
    const start = curvatureOf(new LossHessian(built().model, x, y, 'mse')).sharpness;
    expect(measured[0]).toBeCloseTo(start, 6);
    expect(measured[0]).toBeGreaterThan(0.5);
    expect(measured[measured.length - 1]).toBeLessThan(0.25);
  });
});
