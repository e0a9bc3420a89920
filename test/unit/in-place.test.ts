import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.js';
import { erfc } from '../../src/core/stats/special.js';
import { inPlace } from '../../src/network/backends/inPlace/index.js';
import * as tf from '../../src/network/tf.js';
import { startBackend } from '../helpers/backend.js';

beforeAll(() => startBackend('wasm'));

/** By its series where 1 - erfc would lose places. */
const erf = (x: number): number =>
  Math.abs(x) < 0.02 ? (2 / Math.sqrt(Math.PI)) * (x - x ** 3 / 3 + x ** 5 / 10 - x ** 7 / 42) : 1 - erfc(x);
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** Function, its truth in float64, and the most units in the last place of float32 that it may be off. */
const functions: readonly [
  string,
  (x: tf.Tensor) => tf.Tensor,
  (x: number) => number,
  number,
  readonly number[],
][] = [
  ['tanh', tf.tanh, Math.tanh, 2, [1e-6, 0.1, 1, 10, 100]],
  ['exp', tf.exp, Math.exp, 2, [1e-6, 1, 10, 86]],
  ['erf', tf.erf, erf, 3, [1e-6, 0.1, 1, 10]],
  ['softplus', tf.softplus, softplus, 5, [1e-6, 1, 10, 80]],
  ['sin', tf.sin, Math.sin, 2, [1e-6, 1, 10, 8000]],
  ['cos', tf.cos, Math.cos, 2, [1e-6, 1, 10, 8000]],
];

/** Distance from |v| to the next float32 above. */
function ulp(v: number): number {
  const value = Float32Array.of(Math.abs(v));
  const bits = new Uint32Array(value.buffer);
  bits[0]++;
  return value[0] - Math.fround(Math.abs(v));
}

function expectSame(value: number, truth: number): void {
  const expected = Math.fround(truth);
  if (Number.isFinite(expected)) expect(value).toBeCloseTo(expected, 5);
  else expect(value).toBe(expected);
}

it('reaches the memory of the backend', () => {
  // Else the backend's own loops stay, and are right too.
  expect(inPlace()).not.toBeNull();
});

describe.each(functions)('%s on wasm', (name, f, truth, most, ranges) => {
  it.each(ranges)('is right to the last places up to %d', (range) => {
    const random = new Random(`${name} ${range}`);
    const x = Float32Array.from({ length: 20_001 }, () => (2 * random.uniform() - 1) * range);
    const y = tf.tidy(() => f(tf.tensor1d(x)).dataSync());
    let worst = { units: 0, at: 0 };
    for (const [i, at] of x.entries()) {
      const exact = truth(at);
      // Near its zeros a sine has the error of the angle's remainder.
      const unit = name === 'sin' || name === 'cos' ? Math.max(ulp(exact), 2 ** -26) : ulp(exact);
      const units = Math.abs(y[i] - exact) / unit;
      if (!(units <= worst.units)) worst = { units, at };
    }
    expect(worst.units, `${name}(${worst.at})`).toBeLessThan(most);
  });

  it('takes any number of numbers and touches no other', () => {
    for (let n = 1; n < 12; n++) {
      const x = Float32Array.from(new Random(n).normals(n));
      const neighbours = [tf.fill([n], 7), tf.tensor1d(x), tf.fill([n], 7)];
      const y = f(neighbours[1]);
      const values = y.dataSync();
      for (let i = 0; i < n; i++) expect(values[i]).toBeCloseTo(truth(x[i]), 5);
      expect([...neighbours[1].dataSync()]).toEqual([...x]);
      for (const t of [neighbours[0], neighbours[2]])
        expect(t.dataSync()).toEqual(new Float32Array(n).fill(7));
      tf.dispose([...neighbours, y]);
    }
  });

  it('keeps what is no number, the infinite and the shape', () => {
    const x = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 1e-40, 1e30];
    const y = tf.tidy(() => f(tf.tensor(x, [2, 3])));
    expect(y.shape).toEqual([2, 3]);
    const values = y.dataSync();
    y.dispose();
    for (const [i, at] of x.entries())
      if (i < 5 || (name !== 'sin' && name !== 'cos')) expectSame(values[i], truth(at));
  });

  it('has its gradient, and leaves no tensor behind', () => {
    const before = tf.memory().numTensors;
    const x = tf.tensor1d([-2, -0.5, 0.3, 1.7, 2.9]);
    const slope = tf.tidy(() =>
      tf
        .grad((t: tf.Tensor) => tf.sum(f(t)))(x)
        .dataSync(),
    );
    const h = 1e-5;
    for (const [i, at] of x.dataSync().entries())
      expect(slope[i]).toBeCloseTo((truth(at + h) - truth(at - h)) / (2 * h), 4);
    x.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('sums on wasm', () => {
  it.each([
    [[7, 5], [0]],
    [[1, 9], [0]],
    [[300, 1030], [0]],
    [[8, 3], [0]],
    [[4, 6, 5], [1]],
    [
      [4, 6, 5],
      [0, 1],
    ],
    [
      [3, 17, 2, 9],
      [1, 2],
    ],
    [[3, 4, 5], [-2]],
    [
      [3, 4, 5],
      [0, 2],
    ],
    [[3, 4, 5], [2]],
  ] as [number[], number[]][])('of %j over axes %j are those of float64', (shape, axes) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const values = Float32Array.from(new Random(size).normals(size));
    const sums = new Map<string, number>();
    const places = axes.map((a) => (a + shape.length) % shape.length);
    for (const [i, value] of values.entries()) {
      let rest = i;
      const index = shape.map(() => 0);
      for (let a = shape.length - 1; a >= 0; a--) {
        index[a] = rest % shape[a];
        rest = Math.floor(rest / shape[a]);
      }
      const key = index.filter((_, a) => !places.includes(a)).join();
      sums.set(key, (sums.get(key) ?? 0) + value);
    }
    for (const keepDims of [false, true]) {
      const before = tf.memory().numTensors;
      const x = tf.tensor(values, shape);
      const y = tf.sum(x, axes, keepDims);
      const expected = keepDims
        ? shape.map((n, a) => (places.includes(a) ? 1 : n))
        : shape.filter((_, a) => !places.includes(a));
      expect(y.shape).toEqual(expected);
      const count = size / y.size;
      for (const [i, sum] of [...sums.values()].entries())
        expect(Math.abs(y.dataSync()[i] - sum)).toBeLessThan(2e-7 * (count + 4));
      tf.dispose([x, y]);
      expect(tf.memory().numTensors).toBe(before);
    }
  });
});

it('the committed module is what its sources compile to', async () => {
  const { moduleText } = await import('../../src/core/linalg/wasm/compile.mjs');
  const { compileInPlace } = await import('../../src/network/backends/inPlace/compile.mjs');
  const file = new URL('../../src/network/backends/inPlace/binary.ts', import.meta.url);
  const same = (await readFile(file, 'utf8')) === moduleText(await compileInPlace());
  expect(same, 'run: npm run build:wasm').toBe(true);
});
