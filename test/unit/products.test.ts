import { beforeAll, describe, expect, it, vi } from 'vitest';
import { Random } from '../../src/core/random.js';
import { empiricalKernel } from '../../src/network/kernel/index.js';
import { seedModel } from '../../src/network/models/seeding.js';
import * as tf from '../../src/network/tf.js';
import { backendsUnderTest, startBackend } from '../helpers/backend.js';

const random = new Random('products');
const matrix = (shape: number[]): tf.Tensor =>
  tf.tensor(Float32Array.from(random.normals(shape.reduce((a, b) => a * b, 1))), shape);

/** Largest difference of a product from the one by definition, relative to sqrt(k). */
function error(c: tf.Tensor, a: tf.Tensor, b: tf.Tensor, turnA: boolean, turnB: boolean): number {
  const [x, y, z] = [a, b, c].map((t) => t.dataSync());
  const [n, m] = c.shape.slice(-2);
  const k = turnA ? a.shape[a.rank - 2] : a.shape[a.rank - 1];
  let worst = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < m; j++) {
      let sum = 0;
      for (let l = 0; l < k; l++) sum += x[turnA ? l * n + i : i * k + l] * y[turnB ? j * k + l : l * m + j];
      worst = Math.max(worst, Math.abs(sum - z[i * m + j]));
    }
  return worst / Math.sqrt(k);
}

describe('large products on wasm', () => {
  beforeAll(() => startBackend('wasm'));

  it.each([
    [131, 150, 139, false, false],
    [131, 150, 139, true, false],
    [131, 150, 139, false, true],
    [131, 150, 139, true, true],
    [2100, 9, 130, false, true],
    [9, 3000, 130, true, false],
  ])('of %i x %i and %i, transposed %s, %s', (n, k, m, turnA, turnB) => {
    const a = matrix(turnA ? [k, n] : [n, k]);
    const b = matrix(turnB ? [m, k] : [k, m]);
    const before = tf.memory().numTensors;
    const c = tf.matMul(a, b, turnA, turnB);
    expect(c.shape).toEqual([n, m]);
    expect(tf.memory().numTensors).toBe(before + 1);
    expect(error(c, a, b, turnA, turnB)).toBeLessThan(4e-6);
    tf.dispose([a, b, c]);
  });

  it('of one matrix with an axis of one before it', () => {
    const [a, b] = [matrix([1, 140, 150]), matrix([1, 150, 130])];
    const c = tf.matMul(a, b);
    expect(c.shape).toEqual([1, 140, 130]);
    expect(error(c, a, b, false, false)).toBeLessThan(4e-6);
    const flat = tf.matMul(a, tf.reshape(b, [150, 130]));
    expect(flat.shape).toEqual([1, 140, 130]);
    expect(flat.dataSync()).toEqual(c.dataSync());
    tf.dispose([a, b, c, flat]);
  });

  it('of views of one tensor at two shapes', () => {
    const [a, w] = [matrix([200, 120]), matrix([120, 240])];
    const first = tf.matMul(a, w);
    const turned = tf.reshape(w, [240, 120]);
    const second = tf.matMul(first, turned);
    expect(error(first, a, w, false, false)).toBeLessThan(4e-6);
    expect(error(second, first, turned, false, false) / 11).toBeLessThan(4e-6);
    tf.dispose([a, w, first, turned, second]);
  });

  it.each(['linear', 'relu', 'elu'] as const)('with a bias and %s behind them', (activation) => {
    const [a, b, bias] = [matrix([140, 150]), matrix([150, 130]), matrix([130])];
    const before = tf.memory().numTensors;
    const fused = tf.fused.matMul({ a: a as tf.Tensor2D, b: b as tf.Tensor2D, bias, activation });
    expect(tf.memory().numTensors).toBe(before + 1);
    const plain = tf.tidy(() => {
      const z = tf.add(tf.matMul(a, b), bias);
      return activation === 'linear' ? z : activation === 'relu' ? tf.relu(z) : tf.elu(z);
    });
    const [x, y] = [fused.dataSync(), plain.dataSync()];
    for (let i = 0; i < x.length; i++) expect(Math.abs(x[i] - y[i])).toBeLessThan(1e-4);
    tf.dispose([a, b, bias, fused, plain]);
  });

  it('have their gradients', () => {
    const [a, b, d] = [matrix([140, 150]), matrix([150, 130]), matrix([140, 130])];
    const [da, db] = tf.grads((x, y) => tf.matMul(x, y))([a, b], d);
    expect(error(da, d, b, false, true)).toBeLessThan(4e-6);
    expect(error(db, a, d, true, false)).toBeLessThan(4e-6);
    tf.dispose([a, b, d, da, db]);
  });
});

describe('trace kernels on wasm', () => {
  beforeAll(() => startBackend('wasm'));

  it('are the same numbers in blocks of any size', async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.dense({ units: 100, activation: 'tanh', inputShape: [7] }),
        tf.layers.dense({ units: 50, activation: 'relu' }),
        tf.layers.dense({ units: 3 }),
      ],
    });
    seedModel(model, 2);
    const x = tf.randomNormal([75, 7], 0, 1, 'float32', 4);
    const whole = await empiricalKernel(model, x, { perLayer: true });
    for (const blockRows of [1, 8, 29, 75]) {
      const { data, perLayer } = await empiricalKernel(model, x, { blockRows, perLayer: true });
      expect(data).toEqual(whole.data);
      expect(perLayer).toEqual(whole.perLayer);
    }
    for (let i = 0; i < 75; i++)
      for (let j = 0; j < i; j++) expect(whole.data[i * 75 + j]).toBe(whole.data[j * 75 + i]);
    model.dispose();
    x.dispose();
  });
});

describe.skipIf(!backendsUnderTest.includes('native'))('products on native', () => {
  beforeAll(() => startBackend('native'));

  // On both sides of the size up to which the plain operation is taken for a turned second matrix.
  const shapes = [
    [1, 1, 1],
    [5, 3, 7],
    [64, 10, 256],
    [150, 400, 160],
    [0, 3, 4],
  ] as const;
  const flags = [false, true].flatMap((a) => [false, true].map((b) => [a, b] as const));
  it.each(shapes.flatMap((shape) => flags.map((turned) => [...shape, ...turned] as const)))(
    'of %i x %i and %i, transposed %s, %s',
    (n, k, m, turnA, turnB) => {
      const a = matrix(turnA ? [k, n] : [n, k]);
      const b = matrix(turnB ? [m, k] : [k, m]);
      const before = tf.memory().numTensors;
      const c = tf.matMul(a, b, turnA, turnB);
      expect(c.shape).toEqual([n, m]);
      expect(tf.memory().numTensors).toBe(before + 1);
      expect(error(c, a, b, turnA, turnB)).toBeLessThan(4e-6);
      tf.dispose([a, b, c]);
    },
  );

  it('of stacks of matrices, with broadcasting, and of whole numbers', () => {
    const [a, b] = [matrix([3, 4, 5]), matrix([5, 6])];
    const c = tf.matMul(a, tf.reshape(b, [1, 5, 6]));
    expect(c.shape).toEqual([3, 4, 6]);
    const first = tf.reshape(tf.slice(c, [1, 0, 0], [1, 4, 6]), [4, 6]);
    const second = tf.reshape(tf.slice(a, [1, 0, 0], [1, 4, 5]), [4, 5]);
    expect(error(first, second, b, false, false)).toBeLessThan(4e-6);
    const whole = tf.tensor2d([1, 2, 3, 4], [2, 2], 'int32');
    expect([...tf.matMul(whole, whole).dataSync()]).toEqual([7, 10, 15, 22]);
    tf.dispose([a, b, c, first, second, whole]);
  });

  it('with gradients, and in a dense layer', () => {
    const [a, b, d] = [matrix([7, 9]), matrix([9, 4]), matrix([7, 4])];
    const [da, db] = tf.grads((x, y) => tf.matMul(x, y))([a, b], d);
    expect(error(da, d, b, false, true)).toBeLessThan(4e-6);
    expect(error(db, a, d, true, false)).toBeLessThan(4e-6);
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 4, inputShape: [9], useBias: false })] });
    const y = model.predict(a) as tf.Tensor;
    expect(error(y, a, model.weights[0].read() as tf.Tensor, false, false)).toBeLessThan(4e-6);
    model.dispose();
    tf.dispose([a, b, d, da, db, y]);
  });

  it('by the operation that suits their size', () => {
    const backend = tf.backend() as unknown as {
      executeSingleOutput(op: string, ...more: unknown[]): tf.Tensor;
    };
    const operations = vi.spyOn(backend, 'executeSingleOutput');
    const by = (n: number, k: number, m: number, turnB: boolean) => {
      operations.mockClear();
      tf.tidy(() => {
        tf.matMul(tf.zeros([n, k]), tf.zeros(turnB ? [m, k] : [k, m]), false, turnB);
      });
      return operations.mock.calls.map(([op]) => op).filter((op) => op.includes('MatMul'));
    };
    expect(by(64, 10, 256, false)).toEqual(['MatMul']);
    expect(by(64, 10, 256, true)).toEqual(['MatMul']);
    expect(by(512, 512, 512, false)).toEqual(['MatMul']);
    expect(by(512, 512, 512, true)).toEqual(['BatchMatMulV2']);
    operations.mockRestore();
  });
});
