import { beforeAll, describe, expect, it } from 'vitest';
import { largestStableStep } from '../../src/core/dynamics/squaredLoss.js';
import { limitKernel } from '../../src/core/kernels/limit.js';
import { parseArchitecture } from '../../src/core/kernels/readArchitecture.js';
import { eigenvalues, spectral } from '../../src/core/linalg/eigen.js';
import { type Matrix, matrixFrom } from '../../src/core/linalg/matrix.js';
import { noiseFloor } from '../../src/core/linalg/spectrum.js';
import { relativeDrift, targetAlignment } from '../../src/core/measures/kernel.js';
import { Random } from '../../src/core/random.js';
import { linearFit } from '../../src/core/stats/index.js';
import type { TwoLayerModel } from '../../src/experiment/definition.js';
import { curvatureOf, LossHessian } from '../../src/network/curvature/index.js';
import { empiricalKernel } from '../../src/network/kernel/index.js';
import { buildModel } from '../../src/network/models/build.js';
import { seedModel } from '../../src/network/models/seeding.js';
import * as tf from '../../src/network/tf.js';
import { gradientFunction } from '../../src/network/training/index.js';
import { backendsUnderTest, startBackend } from '../helpers/backend.js';

// Known answers. Oracle 1 (the circle) is test/golden/circle.test.ts, 2 and 3 (linear models, gradient flow) are
// test/unit/core-descent.test.ts, 7 (noisy descent) is in test/unit/training.test.ts, 13 (Monte Carlo) is
// test/unit/limit-monte-carlo.test.ts.

const [n, d] = [16, 5];
const normal = (shape: number[], seed: number) =>
  tf.tensor(Float32Array.from(new Random(seed).normals(shape.reduce((a, b) => a * b, 1))), shape);
const square = (k: { readonly rows: number; readonly data: Float32Array }): Matrix =>
  matrixFrom(k.rows, k.rows, k.data);
const network = (width: number, seed: number, more: Partial<TwoLayerModel> = {}) =>
  buildModel(
    {
      kind: 'twoLayer',
      width,
      activation: 'tanh',
      scale: 'ntk',
      init: 'gaussian',
      thetaStart: 'unit',
      bias: false,
      train: 'all',
      ...more,
    },
    { inputShape: [d], outputs: 1, seed },
  ).model;

/** Full-batch descent; the gradient of every weight times `rate`. */
function descend(model: tf.LayersModel, x: tf.Tensor, y: tf.Tensor, rate: number, steps: number): number[] {
  const gradients = gradientFunction(model, 'mse');
  const losses: number[] = [];
  for (let t = 0; t < steps; t++)
    tf.tidy(() => {
      const { loss, gradients: each } = gradients(x, y);
      losses.push(loss.dataSync()[0]);
      for (const { variable, gradient } of each) variable.assign(tf.sub(variable, tf.mul(gradient, rate)));
    });
  return losses;
}

/** Relative movement of the first layer and drift of the kernel over training. */
async function travelled(model: tf.LayersModel, x: tf.Tensor, y: tf.Tensor, rate: number, steps: number) {
  const first = model.trainableWeights[0].read() as tf.Variable;
  const before = first.dataSync().slice();
  const kernel = square(await empiricalKernel(model, x));
  descend(model, x, y, rate, steps);
  const after = first.dataSync();
  let [moved, size] = [0, 0];
  before.forEach((w, i) => {
    moved += (after[i] - w) ** 2;
    size += w * w;
  });
  return {
    movement: Math.sqrt(moved / size),
    drift: relativeDrift(square(await empiricalKernel(model, x)), kernel),
  };
}
const slopeOf = (x: readonly number[], y: readonly number[]) =>
  linearFit(x.map(Math.log), y.map(Math.log)).slope;
const mean = (v: readonly number[]) => v.reduce((a, b) => a + b, 0) / v.length;

describe.each(backendsUnderTest)('oracles on %s', (backend) => {
  beforeAll(() => startBackend(backend));

  it('oracle 4: the kernel at the start fluctuates as width^-1/2', async () => {
    const x = normal([8, d], 1);
    const widths = [64, 256, 1024];
    const spread = [];
    for (const width of widths) {
      const kernels = [];
      for (let seed = 0; seed < 60; seed++) {
        const model = network(width, seed);
        kernels.push((await empiricalKernel(model, x)).data);
        model.dispose();
      }
      let [variance, size] = [0, 0];
      for (let e = 0; e < 64; e++) {
        const values = kernels.map((k) => k[e]);
        const middle = mean(values);
        variance += mean(values.map((v) => (v - middle) ** 2));
        size += middle ** 2;
      }
      spread.push(Math.sqrt(variance / size));
    }
    expect(Math.abs(slopeOf(widths, spread) + 0.5)).toBeLessThan(0.05);
  }, 60_000);

  it.each([
    ['ntk', -0.5, -1],
    ['mean-field', 0, 0],
  ] as const)(
    'oracle 5: weights and kernels move by these powers of the width under %s: %d, %d',
    async (scale, movement, drift) => {
      const x = normal([n, d], 1);
      const y = tf.mul(normal([n, 1], 2), 0.3);
      const widths = [256, 512, 1024, 2048];
      const found: { readonly movement: number; readonly drift: number }[] = [];
      for (const m of widths) {
        const runs = [];
        for (let seed = 0; seed < 4; seed++) {
          const alpha = scale === 'ntk' ? Math.sqrt(m) : 1;
          const model = network(m, seed, { scale, init: 'symmetric' });
          runs.push(await travelled(model, x, y, (2 * m) / alpha ** 2, 100));
          model.dispose();
        }
        found.push({ movement: mean(runs.map((r) => r.movement)), drift: mean(runs.map((r) => r.drift)) });
      }
      const slopes = (['movement', 'drift'] as const).map((what) =>
        slopeOf(
          widths,
          found.map((f) => f[what]),
        ),
      );
      expect(Math.abs(slopes[0] - movement)).toBeLessThan(0.08);
      expect(Math.abs(slopes[1] - drift)).toBeLessThan(scale === 'ntk' ? 0.12 : 0.08);
    },
    120_000,
  );

  it.each([
    ['one-sided', 'gaussian', -1],
    ['symmetrised', 'symmetric', -2],
  ] as const)(
    'oracle 6: with step 1 / alpha^2 and a %s start movement falls as 1 / alpha, drift as its power %s %d',
    async (_name, init, drift) => {
      const x = normal([n, d], 1);
      const y = tf.mul(normal([n, 1], 2), 0.3);
      const alphas = [16, 32, 64, 128];
      const found: { readonly movement: number; readonly drift: number }[] = [];
      for (const alpha of alphas) {
        const runs = [];
        for (let seed = 0; seed < 3; seed++) {
          const model = network(64, seed, { scale: alpha, init });
          // Outputs at the start are taken off: the residual is that of the targets alone.
          const centred = tf.tidy(() => tf.add(y, model.predict(x) as tf.Tensor));
          runs.push(await travelled(model, x, centred, 128 / alpha ** 2, 100));
          model.dispose();
        }
        found.push({ movement: mean(runs.map((r) => r.movement)), drift: mean(runs.map((r) => r.drift)) });
      }
      const movement = slopeOf(
        alphas,
        found.map((f) => f.movement),
      );
      const drifted = slopeOf(
        alphas,
        found.map((f) => f.drift),
      );
      expect(Math.abs(movement + 1)).toBeLessThan(0.1);
      expect(Math.abs(drifted - drift)).toBeLessThan(0.1);
    },
    120_000,
  );

  it.each([0, 0.9])(
    'oracle 8: a quadratic is stable below 2 (1 + m) n / lambda_max and not above, momentum %d',
    async (momentum) => {
      const build = () => {
        const model = tf.sequential({
          layers: [tf.layers.dense({ units: 1, useBias: false, inputShape: [d] })],
        });
        seedModel(model, 2);
        return model;
      };
      const [x, y] = [normal([n, d], 1), normal([n, 1], 2)];
      const top = eigenvalues(square(await empiricalKernel(build(), x)))[0];
      const most = largestStableStep(top, n, 1, momentum);
      const end = (rate: number) => {
        const model = build();
        const optimizer = momentum === 0 ? tf.train.sgd(rate) : tf.train.momentum(rate, momentum);
        const loss = () =>
          tf.mul(tf.losses.meanSquaredError(y, model.apply(x) as tf.Tensor), 0.5) as tf.Scalar;
        for (let t = 0; t < 600; t++) optimizer.minimize(loss);
        return tf.tidy(() => loss().dataSync()[0]);
      };
      const start = tf.tidy(
        () => tf.mul(tf.losses.meanSquaredError(y, build().apply(x) as tf.Tensor), 0.5).dataSync()[0],
      );
      expect(end(0.97 * most)).toBeLessThan(start);
      expect(end(1.03 * most)).not.toBeLessThan(100 * start);
    },
    60_000,
  );

  it('oracle 9: sharpness rises to 2 / eta under full-batch descent, and hovers there', () => {
    const x = tf.reshape(tf.linspace(-1, 1, 20), [20, 1]) as tf.Tensor2D;
    const y = tf.sin(tf.mul(x, 5)) as tf.Tensor2D;
    const rate = 0.2;
    const model = tf.sequential({
      layers: [
        tf.layers.dense({ units: 32, activation: 'tanh', inputShape: [1] }),
        tf.layers.dense({ units: 32, activation: 'tanh' }),
        tf.layers.dense({ units: 1 }),
      ],
    });
    seedModel(model, 1);
    const stability = () => {
      const hessian = new LossHessian(model, x, y, 'mse');
      const found = curvatureOf(hessian, { learningRate: rate });
      hessian.dispose();
      return found.stability ?? Number.NaN;
    };
    expect(stability()).toBeLessThan(0.8);
    const losses = descend(model, x, y, rate, 900);
    for (let k = 0; k < 4; k++) {
      losses.push(...descend(model, x, y, rate, 150));
      expect(Math.abs(stability() - 1)).toBeLessThan(0.1);
    }
    expect(losses[losses.length - 1]).toBeLessThan(0.1 * losses[0]);
  }, 120_000);

  it('oracle 10: kernels are symmetric and positive semi-definite, label energies sum to |y|^2', async () => {
    for (const width of [3, 50]) {
      const kernel = square(await empiricalKernel(network(width, 1), normal([40, d], 1)));
      for (let i = 0; i < 40; i++)
        for (let j = 0; j < 40; j++) expect(kernel.data[i * 40 + j]).toBe(kernel.data[j * 40 + i]);
      const y = matrixFrom(40, 2, new Random(3).normals(80));
      const { values, energy } = spectral(kernel, y);
      expect(values[39]).toBeGreaterThan(-noiseFloor(values));
      for (let c = 0; c < 2; c++) {
        let [sum, size] = [0, 0];
        for (let k = 0; k < 40; k++) {
          sum += energy.data[k * 2 + c];
          size += y.data[k * 2 + c] ** 2;
        }
        expect(Math.abs(sum / size - 1)).toBeLessThan(1e-12);
      }
    }
  });

  it("oracle 11: without biases relu kernels are homogeneous, K(c x, x') = c K(x, x')", async () => {
    const [x, z] = [normal([4, d], 1), normal([3, d], 2)];
    const model = buildModel(
      {
        kind: 'mlp',
        hidden: [20, 30],
        activation: 'relu',
        parameterization: 'ntk',
        sigmaW: 1.4,
        sigmaB: 0,
        bias: false,
        init: 'gaussian',
        train: 'all',
      },
      { inputShape: [d], outputs: 2, seed: 1 },
    ).model;
    const finite = (scale: number) => empiricalKernel(model, tf.mul(x, scale), { against: z });
    const [one, three] = [(await finite(1)).data, (await finite(3)).data];
    const dense = { dense: { sigmaW: 1.4, sigmaB: null } };
    const relu = { activation: 'relu' };
    const arch = parseArchitecture({ parameterization: 'ntk', layers: [dense, relu, dense, relu, dense] });
    const infinite = (scale: number) =>
      limitKernel(
        arch,
        { shape: [4, d], data: Float64Array.from(x.dataSync(), (v) => scale * v) },
        { shape: [3, d], data: Float64Array.from(z.dataSync()) },
        { kind: 'ntk' },
      ).data;
    const [limit, larger] = [infinite(1), infinite(3)];
    one.forEach((v, e) => {
      expect(Math.abs(three[e] - 3 * v)).toBeLessThan(1e-5 * Math.max(...one.map(Math.abs)));
      expect(Math.abs(larger[e] - 3 * limit[e])).toBeLessThan(1e-13 * Math.abs(limit[e]) + 1e-13);
    });
  });

  it("oracle 12: the alignment of y y' with y is 1", () => {
    const y = matrixFrom(9, 1, new Random(4).normals(9));
    const outer = matrixFrom(
      9,
      9,
      Float64Array.from({ length: 81 }, (_, e) => y.data[Math.floor(e / 9)] * y.data[e % 9]),
    );
    expect(Math.abs(targetAlignment(outer, y) - 1)).toBeLessThan(1e-12);
    expect(Math.abs(targetAlignment(outer, y, true) - 1)).toBeLessThan(1e-12);
  });
});
