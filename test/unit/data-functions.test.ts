import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../../src/core/errors.js';
import { resolveDefinition } from '../../src/experiment/schema.js';
import { useBackend } from '../../src/network/backends/index.js';
import { type Dataset, dataOf } from '../../src/network/data/index.js';
import * as tf from '../../src/network/tf.js';

beforeAll(async () => {
  await useBackend('cpu');
});
const before = { tensors: 0 };
afterAll(() => expect(tf.memory().numTensors).toBeGreaterThanOrEqual(before.tensors));

const load = (data: unknown, loss: 'mse' | 'crossEntropy' = 'mse'): Promise<Dataset> =>
  dataOf(data as never, { folder: '.', seed: 1, loss }, 'model.js');

const samples = (data: Dataset) =>
  [data.train, data.test]
    .flatMap(({ size, x, y }) =>
      Array.from(
        { length: size },
        (_, i) =>
          `${x.slice((i * x.length) / size, ((i + 1) * x.length) / size).join(' ')} | ${y.slice((i * y.length) / size, ((i + 1) * y.length) / size).join(' ')}`,
      ),
    )
    .sort();
const three = ['1 2 | 0.5', '3 4 | -1', '5 6 | 2'].sort();
const rows = [
  [1, 2],
  [3, 4],
  [5, 6],
];
const y = [0.5, -1, 2];

describe('data as a function', () => {
  type T = typeof tf;
  const kinds: [string, (t: T) => unknown][] = [
    ['lists', () => ({ x: rows, y })],
    ['a promise', async () => ({ x: rows, y })],
    ['a pair', () => [rows, y]],
    ['xs and ys', () => ({ xs: rows, ys: y })],
    ['rows of typed arrays', () => ({ x: rows.map((r) => Float32Array.from(r)), y: Float64Array.from(y) })],
    ['a flat typed array', () => ({ x: Float32Array.from(rows.flat()), y })],
    ['tensors', (t) => ({ x: t.tensor2d(rows), y: t.tensor1d(y) })],
    ['targets of one column', (t) => ({ x: t.tensor2d(rows), y: t.tensor2d(y, [3, 1]) })],
    ['a dataset', (t) => t.data.zip({ xs: t.data.array(rows), ys: t.data.array(y) } as never)],
    [
      'a dataset in batches',
      (t) => t.data.zip({ xs: t.data.array(rows), ys: t.data.array(y) } as never).batch(2),
    ],
    ['a dataset of pairs', (t) => t.data.array(rows.map((xs, i) => ({ xs, ys: [y[i]] })))],
    [
      'a dataset of columns',
      (t) => t.data.array(rows.map(([a, b], i) => ({ xs: { a, b }, ys: { y: y[i] } }))),
    ],
    ['a dataset of train', (t) => ({ train: t.data.array(rows.map((xs, i) => ({ xs, ys: y[i] }))) })],
  ];
  it.each(kinds)('takes %s', async (_, make) => {
    const data = await load(make);
    expect(samples(data)).toEqual(three);
    expect(data.inputShape).toEqual([2]);
    expect(data.notes).toBeUndefined();
  });

  it('keeps images in their shape, and a test set apart', async () => {
    const data = await load((t: T) => ({
      x: t.zeros([4, 3, 5, 1]),
      y: t.tensor1d([0, 1, 1, 0], 'int32'),
      xTest: t.ones([2, 3, 5, 1]),
      yTest: t.tensor1d([1, 0], 'int32'),
    }));
    expect(data.inputShape).toEqual([3, 5, 1]);
    expect([data.train.size, data.test.size, data.classes]).toEqual([4, 2, 2]);
    expect(data.test.x.every((v) => v === 1)).toBe(true);
  });

  it('tells labels from numbers', async () => {
    const x = [[1], [2], [3], [4]];
    expect((await load(() => ({ x, y: [0, 2, 1, 2] }))).classes).toBeNull();
    expect((await load(() => ({ x, y: [0, 2, 1, 2] }), 'crossEntropy')).classes).toBe(3);
    expect((await load(() => ({ x, y: [0, 2, 1, 2], task: 'classification' }))).classes).toBe(3);
    expect((await load((t: T) => ({ x, y: t.oneHot([0, 2, 1, 2], 3) }), 'crossEntropy')).classes).toBe(3);
    const named = await load(() => ({ x, y: ['cat', 'dog', 'cat', 'eel'] }));
    expect([named.classes, named.notes?.[0]]).toEqual([
      3,
      'y holds texts, taken for 3 labels (cat, dog, eel).',
    ]);
  });

  it('leaves no tensor of a dataset behind', async () => {
    const source = tf.data.zip({ xs: tf.data.array(rows), ys: tf.data.array(y) } as never).batch(2);
    const held = tf.memory().numTensors;
    await load(() => source);
    expect(tf.memory().numTensors).toBe(held);
  });

  const wrong: [string, (t: T) => unknown, RegExp][] = [
    ['nothing', () => undefined, /model\.js: the data function returned nothing\. It must return \{ x, y \}/],
    ['a number', () => 3, /returned 3\./],
    ['no y', () => ({ x: rows }), /an object without y/],
    [
      'unequal rows',
      () => ({ x: [[1, 2], [3]], y: [1, 2] }),
      /x\[1\] has 1 entries, but the first one beside it has 2/,
    ],
    [
      'unequal depth',
      () => ({ x: [[1, 2], 3], y: [1, 2] }),
      /x\[1\] is no list, but the first one beside it is/,
    ],
    ['unequal sizes', () => ({ x: rows, y: [1, 2] }), /x has 3 samples, but y has 2/],
    ['a hole', () => ({ x: [[1, null]], y: [1] }), /x holds null at place 1 of 2; it must hold numbers/],
    ['NaN', () => ({ x: [[1, Number.NaN]], y: [1] }), /x is NaN in row 0, column 1/],
    [
      'half a test set',
      () => ({ x: rows, y, xTest: rows }),
      /gives one of xTest and yTest, but not the other/,
    ],
    [
      'a task that is none',
      () => ({ x: rows, y, task: 'ranking' }),
      /gives task "ranking"; it must be one of regression, classification/,
    ],
    [
      'a test set by the name of its size',
      () => ({ x: rows, y, test: rows }),
      /gives test an object; it must be a number of samples/,
    ],
    ['an empty dataset', (t) => t.data.array([]), /a dataset without elements/],
    ['a dataset of numbers', (t) => t.data.array([1, 2]), /a dataset whose elements are no \{ xs, ys \}/],
  ];
  it.each(wrong)('refuses %s', async (_, make, message) => {
    const error = await load(make).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(InputError);
    expect((error as InputError).message).toMatch(message);
  });

  it('passes the schema, which names it among what is allowed', () => {
    const model = { kind: 'twoLayer', width: 4 };
    const data = () => [rows, y];
    expect(resolveDefinition({ model, data }).data).toBe(data);
    expect(() => resolveDefinition({ model, data: 3 })).toThrow(/data is 3; .*or be a function/);
  });
});
