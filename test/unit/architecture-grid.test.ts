import { beforeAll, describe, expect, it } from 'vitest';
import type { BackendName } from '../../src/network/backends/index.js';
import { empiricalKernel } from '../../src/network/kernel/index.js';
import * as tf from '../../src/network/tf.js';
import type { Architecture } from '../helpers/architectures.js';
import { inputs } from '../helpers/architectures.js';
import { backendsUnderTest, startBackend } from '../helpers/backend.js';
import { architectureGrid, gridFunctions, randomise, straightThroughModel } from '../helpers/grid/index.js';
import { contracted, gap, traceOf } from '../helpers/kernels.js';
import { gapToDifferences, perSampleJacobian, type Run } from '../helpers/perSample.js';

const backends = [...backendsUnderTest, 'cpu'] as readonly BackendName[];
const [n, bar] = [3, 1e-6];

/** The kernels of a function against its per-sample gradients and those against differences. */
async function check(
  kernel: (options: object) => ReturnType<typeof empiricalKernel>,
  run: Run,
  x: readonly tf.Tensor[],
  variables: readonly tf.Variable[],
  differentiable = true,
): Promise<void> {
  const jacobian = perSampleJacobian(run, x, variables);
  if (differentiable) expect(gapToDifferences(run, x, variables, jacobian)).toBeLessThan(0.02);
  const expected = contracted(jacobian, jacobian);
  const outputs = jacobian.shape[0] / n;
  const held = tf.memory().numTensors;
  const full = await kernel({ mode: 'full' });
  expect(full.notes).toEqual([]);
  expect(full.outputs).toBe(outputs);
  expect(gap(full.data, expected)).toBeLessThan(bar);
  const trace = await kernel({});
  expect(gap(trace.data, traceOf(expected, n, n, outputs))).toBeLessThan(bar);
  const last = outputs - 1;
  const one = await kernel({ output: last });
  const own = Array.from({ length: n * n }, (_, k) => {
    const [i, j] = [Math.floor(k / n), k % n];
    return expected[(i * outputs + last) * n * outputs + j * outputs + last];
  });
  expect(gap(one.data, own)).toBeLessThan(bar);
  expect(tf.memory().numTensors).toBe(held);
  tf.dispose([jacobian, ...x]);
}

async function checkModel(test: Architecture, differentiable?: boolean): Promise<void> {
  const model = randomise(test.build(), 1);
  const x = [inputs(test, n, 7)].flat();
  const run: Run = (some) =>
    [
      model.apply(some.length === 1 ? some[0] : [...some], { training: false }) as tf.Tensor | tf.Tensor[],
    ].flat();
  const variables = model.trainableWeights.map((w) => w.read() as tf.Variable);
  await check((options) => empiricalKernel(model, x, options), run, x, variables, differentiable);
  model.dispose();
}

it('has 120 models, and 10 functions', () => {
  const names = architectureGrid.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThanOrEqual(120);
  expect(gridFunctions.length).toBeGreaterThanOrEqual(10);
});

describe.each(backends)('kernels on %s', (backend) => {
  beforeAll(() => startBackend(backend));

  it.each(architectureGrid.map((test) => [test.name, test] as const))('%s', (_name, test) =>
    checkModel(test),
  );

  it(straightThroughModel.name, () => checkModel(straightThroughModel, false));

  it.each(gridFunctions.map((test) => [test.name, test] as const))('function: %s', async (_name, test) => {
    const shape = { name: test.name, shapes: [test.shape], build: () => tf.sequential() };
    const x = inputs(shape, n, 7) as tf.Tensor;
    const variables = test.variables.map((size, k) =>
      tf.variable(tf.mul(tf.randomNormal([...size], 0, 1, 'float32', k + 1), 0.6) as tf.Tensor),
    );
    const f = (some: tf.Tensor | tf.Tensor[]) => test.f([some].flat()[0], variables);
    await check(
      (options) => empiricalKernel(f, variables, x, options),
      ([one]) => [f(one)],
      [x],
      variables,
    );
    tf.dispose(variables);
  });
});
