import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { FailureError } from '../../src/core/errors.js';
import { isOutOfMemory, limitWasmMemory, OutOfMemoryError } from '../../src/network/backends/memory.js';
import { empiricalKernel } from '../../src/network/kernel/index.js';
import { seedModel } from '../../src/network/models/seeding.js';
import * as tf from '../../src/network/tf.js';
import { backendsUnderTest, startBackend } from '../helpers/backend.js';

const MB = 2 ** 20;

function network(): tf.LayersModel {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ units: 512, activation: 'relu', inputShape: [64] }),
      tf.layers.dense({ units: 512, activation: 'relu' }),
      tf.layers.dense({ units: 1 }),
    ],
  });
  seedModel(model, 3);
  return model;
}

const thrown = async (work: () => unknown): Promise<Error> => {
  try {
    await work();
  } catch (error) {
    return error as Error;
  }
  throw new Error('Nothing was thrown.');
};

describe('memory of the wasm backend', () => {
  beforeAll(() => startBackend('wasm'));

  /** Runs `work` with so many megabytes to be had beyond what is taken. */
  async function within<T>(megabytes: number, work: () => Promise<T>): Promise<T> {
    limitWasmMemory(0);
    const probe = await thrown(() => tf.zeros([1]).dispose());
    const taken = Number(/of which ([\d,]+) MB of/.exec(probe.message)?.[1].replaceAll(',', ''));
    limitWasmMemory((taken + megabytes) * MB);
    try {
      return await work();
    } finally {
      limitWasmMemory();
    }
  }

  it('says how much a tensor takes and what is left, and leaves all others as they were', async () => {
    const x = tf.randomNormal([256, 256], 0, 1, 'float32', 1);
    const before = x.dataSync().slice();
    const held = tf.memory().numTensors;
    await within(20, async () => {
      const error = await thrown(() => tf.tidy(() => tf.zeros([4000, 4000])));
      expect(error).toBeInstanceOf(OutOfMemoryError);
      expect(error.message).toMatch(
        /^A tensor of 62 MB does not fit .* of \d+ MB are taken\. Use fewer inputs/,
      );
      expect(tf.memory().numTensors).toBe(held);
      for (let i = 0; i < 50; i++) tf.zeros([1000, 1000]).dispose();
    });
    expect(x.dataSync()).toEqual(before);
    x.dispose();
  });

  it('refuses sizes beyond 32 bits, which would wrap around', async () => {
    const error = await thrown(() =>
      tf.engine().backend.write(null as never, [2 ** 16, 2 ** 14 + 1], 'float32'),
    );
    expect(error.message).toMatch(/A tensor of 4,097 MB does not fit/);
  });

  it('names the number of inputs whose kernel would fit, which does, and goes on', async () => {
    const model = network();
    const x = tf.randomNormal([6000, 64], 0, 1, 'float32', 2);
    const few = tf.slice2d(x as tf.Tensor2D, [0, 0], [32, 64]);
    const reference = (await empiricalKernel(model, few)).data;
    const held = tf.memory().numTensors;
    await within(450, async () => {
      const wide = tf.tile(x as tf.Tensor2D, [6, 1]) as tf.Tensor2D;
      const error = await thrown(() => empiricalKernel(model, wide));
      expect(error).toBeInstanceOf(FailureError);
      const fits = Number(
        /kernel of 36000 inputs does not fit .*; about (\d+) inputs do/.exec(error.message)?.[1],
      );
      expect(fits).toBeGreaterThan(500);
      const fitting = tf.slice2d(wide, [0, 0], [fits, 64]);
      expect((await empiricalKernel(model, fitting)).rows).toBe(fits);
      tf.dispose([wide, fitting]);
    });
    expect(tf.memory().numTensors).toBe(held);
    expect((await empiricalKernel(model, few)).data).toEqual(reference);
    tf.dispose([x, few]);
    model.dispose();
  }, 120_000);
});

describe.each(backendsUnderTest)('memory of the machine, %s backend', (backend) => {
  beforeAll(() => startBackend(backend));

  afterEach(() => vi.restoreAllMocks());
  const withFree = (bytes: number) => vi.spyOn(process, 'availableMemory').mockReturnValue(bytes);

  it('leaves nothing behind after a thousand kernels', async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.dense({ units: 8, activation: 'relu', inputShape: [64] }),
        tf.layers.dense({ units: 2 }),
      ],
    });
    const deep = tf.sequential({
      layers: [
        tf.layers.conv2d({ filters: 2, kernelSize: 3, activation: 'relu', inputShape: [6, 6, 1] }),
        tf.layers.batchNormalization(),
        tf.layers.flatten(),
        tf.layers.dense({ units: 2 }),
      ],
    });
    const x = tf.randomNormal([6, 64]);
    const images = tf.randomNormal([4, 6, 6, 1]);
    const round = async (k: number) => {
      await empiricalKernel(model, x, { mode: k % 2 ? 'full' : 'trace', perLayer: k % 3 === 0 });
      await empiricalKernel(deep, images, k % 5 === 0 ? { against: images, output: 1 } : {});
    };
    for (let k = 0; k < 10; k++) await round(k);
    const before = tf.memory();
    for (let k = 0; k < 500; k++) await round(k);
    const after = tf.memory();
    expect([after.numTensors, after.numBytes]).toEqual([before.numTensors, before.numBytes]);
    tf.dispose([x, images]);
    for (const m of [model, deep]) m.dispose();
  }, 240_000);

  it('refuses a result that does not fit before it starts, with the size that does', async () => {
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [64] })] });
    const x = tf.randomNormal([3000, 64], 0, 1, 'float32', 4);
    const held = tf.memory().numTensors;
    withFree(40 * MB);
    const error = await thrown(() => empiricalKernel(model, x));
    expect(error).toBeInstanceOf(FailureError);
    expect(error.message).toMatch(
      /^A kernel of 3000 x 3000 values takes 0\.034 GB, .*; up to 2896 x 2896 fits\./,
    );
    const few = tf.slice2d(x as tf.Tensor2D, [0, 0], [2896, 64]);
    expect((await empiricalKernel(model, few)).rows).toBe(2896);
    few.dispose();
    expect(tf.memory().numTensors).toBe(held);
    x.dispose();
    model.dispose();
  });

  it('refuses inputs whose passes would not fit before the system ends the process', async () => {
    const model = network();
    const x = tf.zeros([36_000, 64]);
    const held = tf.memory().numTensors;
    withFree(600 * MB);
    const error = await thrown(() => empiricalKernel(model, x));
    expect(error).toBeInstanceOf(FailureError);
    const fits = Number(/of 36000 inputs does not fit .*; about (\d+) inputs do/.exec(error.message)?.[1]);
    expect(fits).toBeGreaterThan(5000);
    expect(fits).toBeLessThan(20_000);
    expect(tf.memory().numTensors).toBe(held);
    x.dispose();
    model.dispose();
  });
});

const native = backendsUnderTest.includes('native');
describe.skipIf(!native)('memory of the native backend', () => {
  beforeAll(() => startBackend('native'));

  it('recognises that TensorFlow ran out, and works on', async () => {
    const error = await thrown(() => tf.fill([300_000, 300_000], 1));
    expect(isOutOfMemory(error)).toBe(true);
    const sum = tf.tidy(() => tf.sum(tf.matMul(tf.ones([8, 8]), tf.ones([8, 8]))).dataSync()[0]);
    expect(sum).toBe(512);
  });
});
