import { beforeAll, describe, expect, it } from 'vitest';
import { backendInUse, useBackend } from '../../src/network/backends/index.js';
import * as tf from '../../src/network/tf.js';

const close = (a: ArrayLike<number>, b: ArrayLike<number>, tolerance = 1e-4): void => {
  expect(a.length).toBe(b.length);
  for (let i = 0; i < a.length; i++)
    expect(Math.abs(a[i] - b[i])).toBeLessThan(tolerance * (1 + Math.abs(b[i])));
};

/** The same computation on the plain JavaScript backend. */
async function bothBackends(compute: () => tf.Tensor): Promise<[ArrayLike<number>, ArrayLike<number>]> {
  const values: ArrayLike<number>[] = [];
  for (const name of ['wasm', 'cpu'] as const) {
    await useBackend(name);
    values.push(tf.tidy(() => compute().dataSync()));
  }
  return [values[0], values[1]];
}

describe('wasm backend', () => {
  beforeAll(async () => void (await useBackend('wasm')));

  it('was written for this version of TensorFlow.js; check every repair before changing it', () => {
    expect(tf.version_core).toBe('4.22.0');
  });

  it('reports what runs and leaves no process listener behind', async () => {
    const before = process.listenerCount('uncaughtException');
    const report = await useBackend('wasm');
    expect(report).toMatchObject({ name: 'wasm', requested: 'wasm', fallbacks: [] });
    expect(backendInUse()).toEqual(report);
    expect(process.listenerCount('uncaughtException')).toBe(before);
  });

  for (const [ta, tb] of [
    [false, true],
    [true, false],
    [true, true],
  ]) {
    it(`multiplies with transposes ${ta}, ${tb}, single and batched`, async () => {
      for (const batch of [[], [3]]) {
        const [a, b] = await bothBackends(() =>
          tf.matMul(
            tf.randomNormal([...batch, ...(ta ? [5, 4] : [4, 5])], 0, 1, 'float32', 1),
            tf.randomNormal([...batch, ...(tb ? [6, 5] : [5, 6])], 0, 1, 'float32', 2),
            ta,
            tb,
          ),
        );
        close(a, b);
      }
    });
  }

  it('multiplies by the same data at two shapes', async () => {
    const [a, b] = await bothBackends(() => {
      const left = tf.randomNormal<tf.Rank.R2>([4, 3], 0, 1, 'float32', 1);
      const wide = tf.randomNormal<tf.Rank.R2>([3, 2], 0, 1, 'float32', 2);
      const tall = tf.reshape(wide, [2, 3]) as tf.Tensor2D;
      return tf.matMul(tf.matMul(left, wide), tall);
    });
    close(a, b);
  });

  for (const [shape, begin, size] of [
    [[7], [2], [4]],
    [
      [5, 4],
      [1, 0],
      [3, 4],
    ],
    [
      [5, 4],
      [1, 2],
      [3, 2],
    ],
    [
      [3, 4, 5],
      [1, 1, 0],
      [2, 2, 5],
    ],
    [
      [2, 3, 4, 5],
      [0, 1, 2, 1],
      [2, 2, 2, 3],
    ],
    [
      [2, 3, 2, 2, 4],
      [1, 0, 1, 0, 1],
      [1, 3, 1, 2, 0],
    ],
  ]) {
    it(`slices ${JSON.stringify(size)} at ${JSON.stringify(begin)} out of ${JSON.stringify(shape)}`, async () => {
      const [a, b] = await bothBackends(() =>
        tf.slice(
          tf.reshape(
            tf.range(
              0,
              shape.reduce((p, n) => p * n, 1),
            ),
            shape,
          ),
          begin,
          size,
        ),
      );
      expect(Array.from(a)).toEqual(Array.from(b));
    });
  }

  it('keeps a copy when the original goes', () => {
    const x = tf.tensor1d([1, 2, 3]);
    const copy = tf.clone(x);
    const second = tf.engine().runKernel('Identity', { x }) as tf.Tensor;
    x.dispose();
    expect(Array.from(copy.dataSync())).toEqual([1, 2, 3]);
    expect(Array.from(second.dataSync())).toEqual([1, 2, 3]);
    tf.dispose([copy, second]);
  });

  for (const pad of ['same', 'valid'] as const) {
    for (const stride of [1, 2]) {
      it(`differentiates a convolution by its filter (${pad}, stride ${stride})`, async () => {
        const [a, b] = await bothBackends(() => {
          const x = tf.randomNormal<tf.Rank.R4>([2, 8, 7, 3], 0, 1, 'float32', 3);
          const w = tf.randomNormal<tf.Rank.R4>([3, 3, 3, 4], 0, 1, 'float32', 4);
          return tf.grad((f) => tf.sum(tf.square(tf.conv2d(x, f as tf.Tensor4D, stride, pad))))(w);
        });
        close(a, b, 1e-3);
      });
    }
  }

  it('differentiates through comparisons, and twice through tanh, exp and sigmoid', async () => {
    await useBackend('wasm');
    const x = tf.tensor1d([-0.7, 0.4, 1.3]);
    close(
      tf
        .grad((v) => tf.sum(tf.where(tf.greater(v, 0), tf.mul(v, 2), v)))(x)
        .dataSync(),
      [1, 2, 2],
    );
    const second = (f: (v: tf.Tensor) => tf.Tensor) =>
      tf
        .grad((v) => tf.sum(tf.grad((u) => tf.sum(f(u)))(v)))(x)
        .dataSync();
    const at = (f: (v: number) => number) => [-0.7, 0.4, 1.3].map(f);
    const s = (v: number) => 1 / (1 + Math.exp(-v));
    close(
      second(tf.tanh),
      at((v) => -2 * Math.tanh(v) * (1 - Math.tanh(v) ** 2)),
    );
    close(second(tf.exp), at(Math.exp));
    close(
      second(tf.sigmoid),
      at((v) => s(v) * (1 - s(v)) * (1 - 2 * s(v))),
    );
  });
});
