import { beforeAll, describe, expect, it } from 'vitest';
import type { BackendName } from '../../src/network/backends/index.js';
import { empiricalKernel } from '../../src/network/kernel/index.js';
import * as tf from '../../src/network/tf.js';
import { inputs } from '../helpers/architectures.js';
import { backendsUnderTest, startBackend } from '../helpers/backend.js';
import { expectKernel, expectKernelOf } from '../helpers/expectKernel.js';
import { architectureGrid, gridFunctions, straightThroughModel } from '../helpers/grid/index.js';

const backends = [...backendsUnderTest, 'cpu'] as readonly BackendName[];
it('has 120 models, and 10 functions', () => {
  const names = architectureGrid.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThanOrEqual(120);
  expect(gridFunctions.length).toBeGreaterThanOrEqual(10);
});

describe.each(backends)('kernels on %s', (backend) => {
  beforeAll(() => startBackend(backend));

  it.each(architectureGrid.map((test) => [test.name, test] as const))('%s', (_name, test) =>
    expectKernelOf(test),
  );

  it(straightThroughModel.name, () => expectKernelOf(straightThroughModel, false));

  it.each(gridFunctions.map((test) => [test.name, test] as const))('function: %s', async (_name, test) => {
    const shape = { name: test.name, shapes: [test.shape], build: () => tf.sequential() };
    const x = inputs(shape, 3, 7) as tf.Tensor;
    const variables = test.variables.map((size, k) =>
      tf.variable(tf.mul(tf.randomNormal([...size], 0, 1, 'float32', k + 1), 0.6) as tf.Tensor),
    );
    const f = (some: tf.Tensor | tf.Tensor[]) => test.f([some].flat()[0], variables);
    await expectKernel(
      (options) => empiricalKernel(f, variables, x, options),
      ([one]) => [f(one)],
      [x],
      variables,
    );
    tf.dispose(variables);
  });
});
