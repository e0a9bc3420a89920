import { beforeAll, describe, expect, it } from 'vitest';
import { empiricalKernel } from '../../src/network/kernel/index.js';
import * as tf from '../../src/network/tf.js';
import { architectures, inputs, seeded } from '../helpers/architectures.js';
import { backendsUnderTest, startBackend } from '../helpers/backend.js';

const kernels = 1000;

// One for each way to a kernel: a chain of dense layers, a sequence with convolutions, and any other model.
const ways = [
  'mlp 3 hidden, relu, bias, 3 outputs',
  'conv2d twice, pooling, 3 outputs',
  'residual and concat',
];

describe.each(backendsUnderTest)(`${kernels} kernels on %s`, (backend) => {
  beforeAll(() => startBackend(backend));

  it('leave no tensor behind and no memory taken', { timeout: 240_000 }, async () => {
    const cases = ways.map((name) => {
      const found = architectures.find((a) => a.name === name);
      if (!found) throw new Error(`There is no architecture "${name}".`);
      return { model: seeded(found), x: inputs(found, 4, 1) };
    });
    const round = async (i: number) => {
      const { model, x } = cases[i % cases.length];
      await empiricalKernel(model, x, { mode: i % 2 === 0 ? 'trace' : 'full', perLayer: i % 4 === 0 });
    };
    // Once each way and form, for what is made at the first use.
    for (let i = 0; i < 12; i++) await round(i);
    const before = tf.memory();
    const resident = process.memoryUsage().rss;
    for (let i = 0; i < kernels; i++) await round(i);
    const after = tf.memory();
    expect(after.numTensors).toBe(before.numTensors);
    expect(after.numBytes).toBe(before.numBytes);
    expect(after.numDataBuffers).toBe(before.numDataBuffers);
    expect((process.memoryUsage().rss - resident) / 2 ** 20).toBeLessThan(150);
  });
});
