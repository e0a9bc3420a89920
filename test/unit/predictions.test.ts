import { beforeAll, describe, expect, it } from 'vitest';
import { closedFormDescent } from '../../src/core/dynamics/descent.js';
import { ensemble, flowOutputs, gaussianPosterior, modesOf } from '../../src/core/dynamics/squaredLoss.js';
import { limitKernel } from '../../src/core/kernels/limit.js';
import { parseArchitecture } from '../../src/core/kernels/readArchitecture.js';
import { type Matrix, matrixFrom } from '../../src/core/linalg/matrix.js';
import { Random } from '../../src/core/random.js';
import type { MlpModel } from '../../src/experiment/definition.js';
import { empiricalKernel } from '../../src/network/kernel/index.js';
import { buildModel } from '../../src/network/models/build.js';
import * as tf from '../../src/network/tf.js';
import { gradientFunction } from '../../src/network/training/index.js';
import { backendsUnderTest, startBackend } from '../helpers/backend.js';

const [n, m, d] = [12, 6, 4];
const random = new Random('predictions');
const inputs = random.normals((n + m) * d);
const values = (t: tf.Tensor): Matrix => matrixFrom(t.shape[0], t.size / t.shape[0], t.dataSync());
const mlp = (width: number, seed: number, outputs: number, more: Partial<MlpModel> = {}) =>
  buildModel(
    {
      kind: 'mlp',
      hidden: [width],
      activation: 'tanh',
      parameterization: 'ntk',
      sigmaW: 1.5,
      sigmaB: 0.2,
      bias: true,
      init: 'gaussian',
      train: 'all',
      ...more,
    },
    { inputShape: [d], outputs, seed },
  ).model;

/** Full-batch steps, with heavy-ball momentum. */
function train(
  model: tf.LayersModel,
  x: tf.Tensor,
  y: tf.Tensor,
  rate: number,
  momentum: number,
  steps: number,
): void {
  const gradients = gradientFunction(model, 'mse');
  const velocity = new Map<tf.Variable, tf.Tensor>();
  for (let t = 0; t < steps; t++)
    tf.tidy(() => {
      for (const { variable, gradient } of gradients(x, y).gradients) {
        const before = velocity.get(variable);
        const next = tf.keep(before ? tf.add(tf.mul(before, momentum), gradient) : tf.clone(gradient));
        before?.dispose();
        velocity.set(variable, next);
        variable.assign(tf.sub(variable, tf.mul(next, rate)));
      }
    });
  tf.dispose([...velocity.values()]);
}

const relative = (a: Matrix, b: Matrix, scale: Matrix): number => {
  const norm = (v: ArrayLike<number>) => Math.hypot(...Array.from(v));
  return norm(a.data.map((x, i) => x - b.data[i])) / norm(scale.data);
};

describe.each(backendsUnderTest)('predictions against training in small steps on %s', (backend) => {
  beforeAll(() => startBackend(backend));
  const tensors = () => {
    const all = tf.tensor2d(Float32Array.from(inputs), [n + m, d]);
    return [tf.slice2d(all, [0, 0], [n, d]), tf.slice2d(all, [n, 0], [m, d])] as const;
  };

  it.each([0, 0.9])(
    'a wide network follows its kernel at the start on training and test inputs, momentum %d',
    async (momentum) => {
      const [x, z] = tensors();
      const y = tf.tensor2d(Float32Array.from(new Random(5).normals(n)), [n, 1]);
      const gaps: number[] = [];
      for (const width of [256, 2048]) {
        const model = mlp(width, 3, 1, { init: 'symmetric' });
        const square = async (against?: tf.Tensor) => {
          const k = await empiricalKernel(model, against ?? x, against ? { against: x } : {});
          return matrixFrom(k.rows, k.cols, k.data);
        };
        const [modes, testTrain] = [modesOf(await square()), await square(z)];
        const start = {
          train: values(model.predict(x) as tf.Tensor),
          test: values(model.predict(z) as tf.Tensor),
        };
        const [rate, steps] = [0.05 * (1 - momentum), 200];
        train(model, x, y, rate, momentum, steps);
        const targets = values(y);
        const closed = closedFormDescent(modes, testTrain, start, targets, {
          learningRate: rate,
          momentum,
        }).at(steps);
        const end = {
          train: values(model.predict(x) as tf.Tensor),
          test: values(model.predict(z) as tf.Tensor),
        };
        const moved = (a: Matrix, b: Matrix) =>
          matrixFrom(
            a.rows,
            1,
            a.data.map((v, i) => v - b.data[i]),
          );
        gaps.push(
          Math.max(
            relative(end.train, closed.train, moved(closed.train, start.train)),
            relative(end.test, closed.test, moved(closed.test, start.test)),
          ),
        );
        if (momentum === 0) {
          const flow = flowOutputs(modes, testTrain, start, targets, 1, rate * steps);
          expect(relative(closed.test, flow.test, flow.test)).toBeLessThan(0.02);
        }
        model.dispose();
      }
      expect(gaps[1]).toBeLessThan(0.01);
      expect(gaps[1]).toBeLessThan(gaps[0] / 4);
    },
    120_000,
  );

  it('networks trained from many starts have the mean and covariance of the ensemble, |z| < 4', () => {
    const [x, z] = tensors();
    const [networks, outputs, width] = [24, 20, 512];
    // Outputs of one network are independent at infinite width, and all learn the same targets.
    const y1 = new Random(6).normals(n);
    const y = tf.tensor2d(
      Float32Array.from({ length: n * outputs }, (_, k) => y1[Math.floor(k / outputs)]),
      [n, outputs],
    );
    const time = 8;
    const found: number[][] = Array.from({ length: m }, () => []);
    for (let seed = 0; seed < networks; seed++) {
      const model = mlp(width, seed, outputs);
      // The loss divides by n O: a step of eta O is one of eta on each output's own loss.
      train(model, x, y, 0.05 * outputs, 0, time / 0.05);
      const f = values(model.predict(z) as tf.Tensor);
      for (let i = 0; i < m; i++) found[i].push(...f.data.subarray(i * outputs, (i + 1) * outputs));
      model.dispose();
    }
    const dense = { dense: { sigmaW: 1.5, sigmaB: 0.2 } };
    const arch = parseArchitecture({
      parameterization: 'ntk',
      layers: [dense, { activation: 'tanh' }, dense],
    });
    const set = (from: number, count: number) => ({
      shape: [count, d],
      data: Float64Array.from(inputs.slice(from * d, (from + count) * d)),
    });
    const [train1, test1] = [set(0, n), set(n, m)];
    const k = (kind: 'nngp' | 'ntk', a: typeof train1, b: typeof train1 | null) =>
      limitKernel(arch, a, b, { kind });
    const { mean, covariance } = ensemble(
      {
        nngp: {
          train: k('nngp', train1, null),
          testTrain: k('nngp', test1, train1),
          test: k('nngp', test1, null),
        },
        ntk: modesOf(k('ntk', train1, null)),
        ntkTestTrain: k('ntk', test1, train1),
      },
      matrixFrom(n, 1, y1),
      1,
      time,
    );
    const count = networks * outputs;
    const average = found.map((f) => f.reduce((a, b) => a + b, 0) / count);
    for (let i = 0; i < m; i++) {
      const deviation = Math.sqrt(covariance.data[i * m + i]);
      expect(Math.abs(average[i] - mean.data[i]) / (deviation / Math.sqrt(count))).toBeLessThan(4);
      for (let j = 0; j <= i; j++) {
        const products = found[i].map((f, r) => (f - mean.data[i]) * (found[j][r] - mean.data[j]));
        const estimate = products.reduce((a, b) => a + b, 0) / count;
        const spread = Math.sqrt(products.reduce((a, b) => a + (b - estimate) ** 2, 0)) / count;
        expect(Math.abs(estimate - covariance.data[i * m + j]) / spread).toBeLessThan(4);
      }
    }
  }, 240_000);
});

describe('kernels that are singular, as equal inputs make them', () => {
  const random = new Random('singular');
  const [n, m] = [8, 3];
  const features = random.normals((n + m) * 20);
  const inner = (i: number, j: number): number => {
    let sum = 0;
    for (let k = 0; k < 20; k++) sum += features[i * 20 + k] * features[j * 20 + k];
    return sum / 20;
  };
  // The first two inputs stand there twice, the second time with other targets.
  const rows = [...Array(n).keys(), 0, 1];
  const of = (a: readonly number[], b: readonly number[]) =>
    matrixFrom(
      a.length,
      b.length,
      a.flatMap((i) => b.map((j) => inner(i, j))),
    );
  const tests = Array.from({ length: m }, (_, i) => n + i);
  const first = Array.from({ length: n }, (_, i) => i);
  const targets = [...random.normals(n), 5, -5];
  const averaged = first.map((i) => (i < 2 ? (targets[i] + targets[n + i]) / 2 : targets[i]));
  const modes = modesOf(of(rows, rows));
  const plain = modesOf(of(first, first));
  const zeros = (size: number) => matrixFrom(size, 1, new Float64Array(size));
  const y = matrixFrom(n + 2, 1, targets);
  const expectClose = (a: ArrayLike<number>, b: ArrayLike<number>) => {
    expect(a.length).toBe(b.length);
    for (let i = 0; i < a.length; i++) expect(Math.abs(a[i] - b[i])).toBeLessThan(1e-7);
  };

  it('gradient flow ends at the limit of large times', () => {
    const start = { train: zeros(n + 2), test: zeros(m) };
    const end = flowOutputs(modes, of(tests, rows), start, y, 1, Number.POSITIVE_INFINITY);
    const merged = flowOutputs(
      plain,
      of(tests, first),
      { train: zeros(n), test: zeros(m) },
      matrixFrom(n, 1, averaged),
      1,
      Number.POSITIVE_INFINITY,
    );
    expectClose(end.test.data, merged.test.data);
    expectClose(end.train.data, [...averaged, averaged[0], averaged[1]]);
  });

  it('the posterior shares the mean of the targets', () => {
    const own = gaussianPosterior(modes, of(tests, rows), of(tests, tests), y);
    const merged = gaussianPosterior(plain, of(tests, first), of(tests, tests), matrixFrom(n, 1, averaged));
    expectClose(own.mean.data, merged.mean.data);
    expectClose(own.covariance.data, merged.covariance.data);
  });
});
