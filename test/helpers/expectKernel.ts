import { expect } from 'vitest';
import { empiricalKernel } from '../../src/network/kernel/index.js';
import * as tf from '../../src/network/tf.js';
import { type Architecture, inputs } from './architectures.js';
import { randomise } from './grid/index.js';
import { contracted, gap, traceOf } from './kernels.js';
import { gapToDifferences, perSampleJacobian, type Run } from './perSample.js';

const bar = 1e-6;

/** The kernels of a function against its per-sample gradients and those against differences. */
export async function expectKernel(
  kernel: (options: object) => ReturnType<typeof empiricalKernel>,
  run: Run,
  x: readonly tf.Tensor[],
  variables: readonly tf.Variable[],
  differentiable = true,
): Promise<void> {
  const jacobian = perSampleJacobian(run, x, variables);
  if (differentiable) expect(gapToDifferences(run, x, variables, jacobian)).toBeLessThan(0.02);
  const expected = contracted(jacobian, jacobian);
  const n = x[0].shape[0];
  const outputs = jacobian.shape[0] / n;
  const held = tf.memory().numTensors;
  const full = await kernel({ mode: 'full' });
  expect(full.notes.filter((note) => !note.includes('inference form'))).toEqual([]);
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

/** The same for a model with random weights, on three random samples. */
export async function expectKernelOf(test: Architecture, differentiable?: boolean): Promise<void> {
  const x = [inputs(test, 3, 7)].flat();
  await expectModelKernel(randomise(test.build(), 1), x, differentiable);
}

/** The same for a model as it is. Disposes both. */
export async function expectModelKernel(
  model: tf.LayersModel,
  x: readonly tf.Tensor[],
  differentiable?: boolean,
): Promise<void> {
  const run: Run = (some) =>
    [
      model.apply(some.length === 1 ? some[0] : [...some], { training: false }) as tf.Tensor | tf.Tensor[],
    ].flat();
  const variables = model.trainableWeights.map((w) => w.read() as tf.Variable);
  await expectKernel((options) => empiricalKernel(model, [...x], options), run, x, variables, differentiable);
  model.dispose();
}
