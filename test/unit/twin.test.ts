import { beforeAll, describe, expect, it } from 'vitest';
import { KernelDescent } from '../../src/core/dynamics/kernelDescent.js';
import { modesOf } from '../../src/core/dynamics/squaredLoss.js';
import { matrix, matrixFrom } from '../../src/core/linalg/matrix.js';
import { Random } from '../../src/core/random.js';
import type { LossName, ResidualModel } from '../../src/experiment/definition.js';
import { loadData } from '../../src/network/data/index.js';
import { empiricalKernel, explicitJacobian } from '../../src/network/kernel/index.js';
import { buildModel } from '../../src/network/models/build.js';
import { seedModel } from '../../src/network/models/seeding.js';
import { chainOf } from '../../src/network/patterns/denseChain.js';
import * as tf from '../../src/network/tf.js';
import {
  type Checkpoint,
  gradientFunction,
  LinearisedTwin,
  leftOutOf,
  train,
} from '../../src/network/training/index.js';
import type { MetricsRow } from '../../src/protocol/records.js';
import { backendsUnderTest, startBackend } from '../helpers/backend.js';

const normals = (n: number, seed: number) => Float32Array.from(new Random(seed).normals(n));
const L = tf.layers;
const [n, d, O] = [18, 4, 3];

/** The same dense network twice: as a chain, and with a reshape that makes it anything else. */
function dense(chain: boolean, activation: 'tanh' | 'relu' = 'tanh'): tf.LayersModel {
  const model = tf.sequential({
    layers: [
      L.dense({ units: 12, activation, inputShape: [d] }),
      ...(chain ? [] : [L.reshape({ targetShape: [12] })]),
      L.dense({ units: 8, activation }),
      L.dense({ units: O }),
    ],
  });
  seedModel(model, 7);
  return model;
}
const image = (): tf.LayersModel => {
  const model = tf.sequential({
    layers: [
      L.conv2d({ filters: 4, kernelSize: 3, activation: 'tanh', inputShape: [6, 6, 1] }),
      L.averagePooling2d({ poolSize: 2 }),
      L.flatten(),
      L.dense({ units: O }),
    ],
  });
  seedModel(model, 7);
  return model;
};
const targets = (loss: LossName, rows = n): tf.Tensor2D =>
  loss === 'mse'
    ? tf.tensor2d(normals(rows * O, 2), [rows, O])
    : tf.tensor2d(
        Float32Array.from({ length: rows * O }, (_, k) => (Math.floor(k / O) % O === k % O ? 1 : 0)),
        [rows, O],
      );
const gap = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a.length).toBe(b.length);
  let difference = 0;
  let scale = 0;
  for (let i = 0; i < b.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    scale += b[i] ** 2;
  }
  return Math.sqrt(difference / scale);
};
/** The batch of a step: six rows, or all of them. */
const rowsOf = (step: number, full: boolean) =>
  full ? Array.from({ length: n }, (_, i) => i) : Array.from({ length: 6 }, (_, i) => (step * 5 + 3 * i) % n);
const take = (t: tf.Tensor, rows: number[]) => tf.gather(t, tf.tensor1d(rows, 'int32'));

describe.each(backendsUnderTest)('linearised twin of any model on %s', (backend) => {
  beforeAll(() => startBackend(backend));

  it.each([
    ['mse', 'tanh', {}],
    ['mse', 'relu', {}],
    ['crossEntropy', 'tanh', { dense: 2 }],
  ] as const)(
    'descends as f_0 + J delta does with the explicit Jacobian: %s, %s',
    (loss, activation, own) => {
      const [x, y] = [tf.tensor2d(normals(n * d, 1), [n, d]), targets(loss)];
      const model = dense(true, activation);
      const last = model.layers[model.layers.length - 1];
      const twin = new LinearisedTwin(model, loss, 'dense' in own ? { [last.name]: own.dense } : {});
      const J = tf.tidy(() => explicitJacobian(model, x, [0, 1, 2]).dataSync().slice());
      const f0 = tf.tidy(() => (model.predict(x) as tf.Tensor).dataSync().slice());
      const ys = y.dataSync();
      const P = J.length / (n * O);
      const readout = last.weights.reduce((sum, w) => sum + (w.read() as tf.Tensor).size, 0);
      const delta = new Float64Array(P);
      const outputs = (rows: readonly number[]): Float64Array =>
        Float64Array.from({ length: rows.length * O }, (_, k) => {
          const row = rows[Math.floor(k / O)] * O + (k % O);
          let sum = f0[row];
          for (let p = 0; p < P; p++) sum += J[row * P + p] * delta[p];
          return sum;
        });
      for (let t = 0; t < 60; t++) {
        const rows = rowsOf(t, t % 2 === 0);
        const [bx, by] = [take(x, rows), take(y, rows) as tf.Tensor2D];
        twin.step(bx, by, 0.4);
        tf.dispose([bx, by]);
        const f = outputs(rows);
        const u = f.map((value, k) => {
          const at = Math.floor(k / O);
          const target = ys[rows[at] * O + (k % O)];
          if (loss === 'mse') return (value - target) / f.length;
          const total = [0, 1, 2].reduce((sum, o) => sum + Math.exp(f[at * O + o]), 0);
          return (Math.exp(value) / total - target) / rows.length;
        });
        for (let p = 0; p < P; p++) {
          let g = 0;
          for (let k = 0; k < u.length; k++) g += u[k] * J[(rows[Math.floor(k / O)] * O + (k % O)) * P + p];
          delta[p] -= 0.4 * ('dense' in own && p >= P - readout ? own.dense : 1) * g;
        }
      }
      const all = Array.from({ length: n }, (_, i) => i);
      const found = tf.tidy(() => twin.predict(x).dataSync().slice());
      expect(gap(found, f0)).toBeGreaterThan(0.3);
      expect(gap(found, outputs(all))).toBeLessThan(1e-4);
      expect(
        gap(
          twin.state().flatMap((part) => [...part]),
          delta,
        ),
      ).toBeLessThan(1e-4);
      const weight = model.trainableWeights[0].read() as tf.Variable;
      const start = weight.dataSync();
      expect(
        gap(
          twin.valuesOf(weight),
          start.map((w, p) => w + delta[p]),
        ),
      ).toBeLessThan(1e-5);
      twin.dispose();
    },
  );

  it('holds to the start while the network moves, goes on from its state, and leaves no tensor', () => {
    const [x, y] = [tf.tensor4d(normals(n * 36, 1), [n, 6, 6, 1]), targets('mse')];
    const run = (moving: boolean, twin: LinearisedTwin, model: tf.LayersModel, steps: number) => {
      const gradients = gradientFunction(model, 'mse');
      for (let t = 0; t < steps; t++) {
        twin.step(x, y, 0.2);
        if (moving)
          tf.tidy(() => {
            for (const { variable, gradient } of gradients(x, y).gradients)
              variable.assign(tf.sub(variable, tf.mul(gradient, 0.2)));
          });
      }
    };
    const [a, b, c] = [image(), image(), image()];
    const held = tf.memory().numTensors;
    const [still, beside, resumed] = [a, b, c].map((model) => new LinearisedTwin(model, 'mse', {}));
    run(false, still, a, 20);
    run(true, beside, b, 10);
    resumed.restore(beside.state());
    run(true, beside, b, 10);
    run(false, resumed, c, 10);
    const outputs = [still, beside, resumed].map((twin) => tf.tidy(() => twin.predict(x).dataSync().slice()));
    expect(outputs[1]).toEqual(outputs[0]);
    expect(outputs[2]).toEqual(outputs[0]);
    for (const twin of [still, beside, resumed]) twin.dispose();
    expect(tf.memory().numTensors).toBe(held);
    const moved = tf.tidy(() => (b.predict(x) as tf.Tensor).dataSync().slice());
    expect(gap(moved, outputs[0])).toBeGreaterThan(1e-3);
    expect(gap(moved, outputs[0])).toBeLessThan(1);
  });

  it.each([true, false])(
    'takes momentum as kernel descent does, and goes on with it (chain %s)',
    async (chain) => {
      const model = dense(chain);
      const [x, y] = [tf.tensor2d(normals(n * d, 1), [n, d]), targets('mse')];
      const f = tf.tidy(() => (model.predict(x) as tf.Tensor).dataSync().slice());
      const { data } = await empiricalKernel(model, x, { mode: 'full' });
      const descent = new KernelDescent({
        kernel: matrixFrom(n * O, n * O, data),
        start: matrixFrom(n, O, f),
        targets: matrixFrom(n, O, y.dataSync()),
        loss: 'mse',
        momentum: 0.8,
      });
      const [twin, resumed, still] = [0.8, 0.8, 0].map(
        (momentum) => new LinearisedTwin(model, 'mse', {}, undefined, momentum),
      );
      for (let t = 0; t < 40; t++) {
        descent.step(0.1);
        if (t === 20) resumed.restore(twin.state());
        if (t >= 20) resumed.step(x, y, 0.1);
        twin.step(x, y, 0.1);
        still.step(x, y, 0.1);
      }
      const outputs = (of: typeof twin) => tf.tidy(() => of.predict(x).dataSync().slice());
      const expected = descent.outputs().train.data;
      expect(gap(outputs(twin), expected)).toBeLessThan(1e-4);
      expect(outputs(resumed)).toEqual(outputs(twin));
      expect(gap(outputs(still), expected)).toBeGreaterThan(0.1);
      for (const each of [twin, resumed, still]) each.dispose();
    },
  );

  it('shows the loss before a step and stays when told to', () => {
    const [x, y] = [tf.tensor4d(normals(n * 36, 1), [n, 6, 6, 1]), targets('mse')];
    const twin = new LinearisedTwin(image(), 'mse', {});
    let shown = 0;
    twin.step(x, y, 0.2, (loss) => {
      shown = loss;
      return false;
    });
    expect(shown).toBeCloseTo(twin.lossOn(x, y), 6);
    expect(twin.state().every((part) => part.every((v) => v === 0))).toBe(true);
  });

  it('runs beside a residual network, in its place under tangent training, and resumes to the bit', async () => {
    const data = loadData(
      { kind: 'teacher', dimension: 5, target: 'interaction', inputs: 'sphere', train: 24, test: 4 },
      { folder: '.', seed: 3, loss: 'mse' },
    );
    const run = async (part: 'all' | 'tangent', resume?: Checkpoint) => {
      const spec: ResidualModel = {
        kind: 'residual',
        width: 32,
        depth: 2,
        activation: 'tanh',
        blockScale: '1/L',
        train: part,
      };
      const built = buildModel(spec, { inputShape: [5], outputs: 1, seed: 3 });
      expect(chainOf(built.model)).toBeNull();
      const rows: MetricsRow[] = [];
      const saved: Checkpoint[] = [];
      const setup = {
        built,
        data,
        definition: {
          loss: 'mse',
          optimizer: { kind: 'sgd', learningRate: 'auto' },
          steps: 40,
          batch: 8,
          probe: 12,
          seed: 1,
          measure: { kernels: 4, twin: true, checkpointEvery: 20 },
        },
        ...(resume ? { resume } : {}),
      } as const;
      const run = train(setup, { onCheckpoint: (c) => void saved.push(c) });
      for (;;) {
        const { value, done } = await run.next();
        if (done) return { rows, saved, summary: value };
        if (value.kind === 'metrics') rows.push(value);
      }
    };
    const whole = await run('all');
    const gaps = whole.rows.filter((r) => 'twinGap' in r.values).map((r) => r.values['twinGap']);
    expect(gaps[0]).toBeLessThan(1e-6);
    expect(gaps[gaps.length - 1]).toBeGreaterThan(gaps[0]);
    expect(gaps[gaps.length - 1]).toBeLessThan(0.5);
    const rest = await run('all', structuredClone(whole.saved.find((c) => c.step === 20)));
    const last = (rows: MetricsRow[]) => rows[rows.length - 1].values['twinLoss'];
    expect(last(rest.rows)).toBe(last(whole.rows));
    const tangent = await run('tangent');
    expect(tangent.summary.loss.train).toBeCloseTo(last(whole.rows), 6);
    expect(tangent.summary.drift).toBe(0);
  });

  it.each([
    ['mse', true],
    ['mse', false],
    ['crossEntropy', true],
    ['crossEntropy', false],
  ] as [LossName, boolean][])(
    'is kernel descent in function space: %s, full batch %s',
    async (loss, full) => {
      const m = 5;
      const all = tf.tensor4d(normals((n + m) * 36, 1), [n + m, 6, 6, 1]);
      const x = tf.slice(all, [0, 0, 0, 0], [n, 6, 6, 1]);
      const y = targets(loss);
      const model = image();
      const { data } = await empiricalKernel(model, all, { mode: 'full', against: x });
      const start = (model.predict(all) as tf.Tensor).dataSync();
      const descent = new KernelDescent({
        kernel: matrixFrom((n + m) * O, n * O, data),
        start: matrixFrom(n + m, O, start),
        targets: matrixFrom(n, O, y.dataSync()),
        loss,
      });
      const twin = new LinearisedTwin(model, loss, {});
      for (let t = 0; t < 50; t++) {
        const rows = rowsOf(t, full);
        twin.step(take(x, rows), take(y, rows) as tf.Tensor2D, 0.3);
        descent.step(0.3, full ? undefined : rows);
      }
      const { train, test } = descent.outputs();
      const outputs = twin.predict(all).dataSync();
      const error = gap([...train.data, ...test.data], outputs);
      expect(error).toBeLessThan(1e-4);
      expect(gap(start, outputs)).toBeGreaterThan(0.05);
      expect(Math.abs(descent.loss() / twin.lossOn(x, y) - 1)).toBeLessThan(1e-4);
    },
  );
});

describe('kernel descent', () => {
  it('follows (1 - eta lambda / (n O))^t in every mode, and a kernel for all outputs is its full form', () => {
    const [rows, outputs, eta] = [6, 2, 0.5];
    const a = new Random(1).normals(rows * rows);
    const k = matrix(rows, rows);
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < rows; j++)
        for (let p = 0; p < rows; p++) k.data[i * rows + j] += a[i * rows + p] * a[j * rows + p];
    const full = matrix(rows * outputs, rows * outputs);
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < rows; j++)
        for (let o = 0; o < outputs; o++)
          full.data[(i * outputs + o) * rows * outputs + j * outputs + o] = k.data[i * rows + j];
    const start = matrix(rows, outputs, new Random(2).normals(rows * outputs));
    const y = matrix(rows, outputs, new Random(3).normals(rows * outputs));
    const common = { start, targets: y, loss: 'mse' } as const;
    const [one, two] = [
      new KernelDescent({ ...common, kernel: k }),
      new KernelDescent({ ...common, kernel: full }),
    ];
    for (let t = 0; t < 25; t++) {
      one.step(eta);
      two.step(eta);
    }
    const { train } = one.outputs();
    for (let i = 0; i < train.data.length; i++)
      expect(train.data[i]).toBeCloseTo(two.outputs().train.data[i], 12);
    const { values, vectors } = modesOf(k);
    for (let mode = 0; mode < rows; mode++)
      for (let o = 0; o < outputs; o++) {
        const part = (f: Float64Array) => {
          let sum = 0;
          for (let i = 0; i < rows; i++)
            sum += vectors.data[mode * rows + i] * (f[i * outputs + o] - y.data[i * outputs + o]);
          return sum;
        };
        const share = (1 - (eta * values[mode]) / (rows * outputs)) ** 25;
        expect(part(train.data)).toBeCloseTo(share * part(start.data), 10);
      }
  });

  it('carries momentum as the parameters do', () => {
    // Two weights, one input: f = phi . w, K = |phi|^2.
    const [phi, y, eta, momentum] = [[0.8, -0.5], 1.3, 0.4, 0.9];
    const descent = new KernelDescent({
      kernel: matrix(1, 1, Float64Array.of(phi[0] ** 2 + phi[1] ** 2)),
      start: matrix(1, 1),
      targets: matrix(1, 1, Float64Array.of(y)),
      loss: 'mse',
      momentum,
    });
    const w = [0, 0];
    const v = [0, 0];
    for (let t = 0; t < 30; t++) {
      const residual = phi[0] * w[0] + phi[1] * w[1] - y;
      for (const k of [0, 1]) {
        v[k] = momentum * v[k] + residual * phi[k];
        w[k] -= eta * v[k];
      }
      descent.step(eta);
    }
    expect(descent.outputs().train.data[0]).toBeCloseTo(phi[0] * w[0] + phi[1] * w[1], 12);
  });

  it('refuses shapes that do not fit', () => {
    const setup = { start: matrix(4, 2), targets: matrix(3, 2), loss: 'mse' } as const;
    expect(() => new KernelDescent({ ...setup, kernel: matrix(4, 4) })).toThrow(/need 4 x 3, or 8 x 6/);
  });
});

it('names what of the training a twin leaves out', () => {
  const plain = { optimizer: { kind: 'sgd', learningRate: 0.1 } } as const;
  expect(leftOutOf(plain)).toBeNull();
  expect(leftOutOf({ optimizer: { kind: 'momentum', learningRate: 0.1, momentum: 0.9 } })).toBeNull();
  expect(leftOutOf({ ...plain, regularization: { readout: 0 }, noise: { temperature: 0 } })).toBeNull();
  expect(leftOutOf({ ...plain, regularization: { readout: 0.1 } })).toContain('without L2: its gap');
  const all = {
    optimizer: { kind: 'adam', learningRate: 0.1 },
    regularization: { all: 0.1 },
    noise: { temperature: 0.01 },
  } as const;
  expect(leftOutOf(all)).toContain('without the scaling of Adam, L2, noise:');
});
