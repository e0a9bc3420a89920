import { kernelRidge } from '../../core/dynamics/kernelRidge.js';
import { matrixFrom } from '../../core/linalg/matrix.js';
import { say } from '../../core/say.js';
import type { TwoLayerModel } from '../../experiment/definition.js';
import type { Dataset } from '../../network/data/index.js';
import type { Claim, ClaimContext } from '../claim.js';
import {
  columnOf,
  dataOf,
  kernelOn,
  networkOf,
  ridgeTask,
  scaledDescent,
  short,
  testKernelOn,
  trainToEnd,
  twoLayerNet,
} from '../laboratory.js';
import { geometricMeans, subSeeds, typicalOf } from '../subSeeds.js';

const richBar = 0.01;
/** What theory's runs found for the methods that learn no features, and how far from it a method may be. */
const expected = { kernel: 0.2, sqrt: 0.15, tolerance: 0.1 };

const nets = [
  { label: 'network, alpha = m', scale: 'm^1' },
  { label: 'network, alpha = sqrt(m)', scale: 'ntk' },
  { label: 'network, alpha = 1', scale: 'mean-field' },
] as const;
const methods = [say`random features`, say`tangent kernel`, ...nets.map((net) => net.label)];

/** Mean square of the test targets: the error of the answer 0. */
const sizeOf = ({ test }: Dataset): number => test.y.reduce((sum, y) => sum + y * y, 0) / test.size;

/** Test error of kernel regression with the network's kernel at the start and the best ridge. */
async function regression(
  more: Partial<TwoLayerModel>,
  width: number,
  data: Dataset,
  context: ClaimContext,
  seed: number,
): Promise<number> {
  const built = networkOf(twoLayerNet(width, more), data, context, seed);
  const [n, M] = [data.train.size, data.test.size];
  const { best } = kernelRidge(
    matrixFrom(n, n, await kernelOn(built, data)),
    matrixFrom(M, n, await testKernelOn(built, data)),
    matrixFrom(n, 1, data.train.y),
    matrixFrom(M, 1, data.test.y),
  );
  built.model.dispose();
  return best.error;
}

/** Test error along training, over the size of the targets. */
async function descent(
  scale: (typeof nets)[number]['scale'],
  { width, steps, rate }: { width: number; steps: number; rate: number },
  data: Dataset,
  context: ClaimContext,
  seed: number,
): Promise<{ step: number[]; error: number[] }> {
  const built = networkOf(twoLayerNet(width, { scale }), data, context, seed);
  const { rows } = await trainToEnd(
    built,
    data,
    scaledDescent(rate, { steps, seed, measure: { kernels: 0, metricsEvery: steps / 10 } }),
    context,
  );
  built.model.dispose();
  const { step, value } = columnOf(rows, 'testLoss');
  return { step, error: value.map((half) => (2 * half) / sizeOf(data)) };
}

/** Ghorbani, Mei, Misiakiewicz, Montanari 2020; Fang, Dong, Zhang 2021: learnt features find a direction that kernels do not. */
export const featuresBeatKernels: Claim = {
  id: 'features-beat-kernels',
  title: 'Learnt features beat kernels',
  theme: ['B', 'D'],
  statement:
    'On a target with one hidden direction, random features, the tangent kernel and lazy networks generalise badly; the network at alpha = 1 learns the direction.',
  setting: `y = tanh(3 w.x), d = 20, x ~ N(0, I), n = 400, 2000 test points (1000 in quick); two-layer tanh, m = 400 (quick) or 1000, symmetrised, 300 steps of .4 m / alpha^2 (quick) or 3000 of .2; kernel regression with the ridge that is best on the test set; test error over that of the answer 0, 3 tasks and starts, geometric means.`,
  tolerance: `error at alpha = 1 at most ${richBar}; random features, tangent kernel and alpha = m ${expected.kernel} ± ${expected.tolerance}, alpha = sqrt(m) ${expected.sqrt} ± ${expected.tolerance}`,
  source: 'Fang, Dong, Zhang 2021; Ghorbani, Mei, Misiakiewicz, Montanari 2020',
  sabotage: 'frozen-features',
  async measure(context) {
    const full = context.preset === 'full';
    const run = full ? { width: 1000, steps: 3000, rate: 0.2 } : { width: 400, steps: 300, rate: 0.4 };
    const seeds = subSeeds(context, 3);
    const errors: number[][] = [];
    const courses: { label: string; step: number[]; error: number[] }[] = [];
    for (const [i, seed] of seeds.entries()) {
      const data = dataOf(ridgeTask({ test: full ? 2000 : 1000 }), seed);
      context.progress?.(i / seeds.length, `kernels, task ${i + 1}`);
      const row = [
        (await regression({ train: 'readout', init: 'gaussian' }, run.width, data, context, seed)) /
          sizeOf(data),
        (await regression({}, run.width, data, context, seed)) / sizeOf(data),
      ];
      for (const [k, { label, scale }] of nets.entries()) {
        context.progress?.((i + (k + 1) / 4) / seeds.length, `${label}, task ${i + 1}`);
        const course = await descent(scale, run, data, context, seed);
        row.push(course.error[course.error.length - 1]);
        if (i === 0) courses.push({ label, ...course });
      }
      errors.push(row);
    }
    const law = geometricMeans(errors);
    const rich = typicalOf(errors.map((row) => row[4]));
    const near = (k: number, value: number) => Math.abs(law[k] - value) <= expected.tolerance;
    const kernels = [0, 1, 2].every((k) => near(k, expected.kernel)) && near(3, expected.sqrt);
    const [{ step }] = courses;
    return {
      passed: rich.value <= richBar && kernels,
      predicted: richBar,
      measured: rich.value,
      interval: rich.interval,
      note: `Relative test error: ${methods.map((name, k) => `${name} ${short(law[k])}`).join(', ')}. Theory's number is the largest error allowed at alpha = 1.`,
      figures: [
        {
          title: 'Test error of one task',
          xLabel: 'step',
          yLabel: 'test error / error of 0',
          logY: true,
          series: [
            ...courses.map((c) => ({ label: c.label, x: c.step, y: c.error, style: 'line' as const })),
            ...[0, 1].map((k) => ({
              label: `${methods[k]}, best ridge`,
              x: [0, step[step.length - 1]],
              y: [errors[0][k], errors[0][k]],
              style: 'dashed' as const,
            })),
          ],
        },
        {
          title: 'Test error of every method',
          xLabel: '1 random features, 2 tangent kernel, 3 alpha = m, 4 sqrt(m), 5 1',
          yLabel: 'test error / error of 0',
          logY: true,
          series: [
            {
              label: 'single tasks',
              x: errors.flatMap(() => methods.map((_, k) => k + 1)),
              y: errors.flat(),
              style: 'dots',
            },
            { label: 'geometric mean', x: methods.map((_, k) => k + 1), y: law, style: 'dashed' },
          ],
        },
      ],
    };
  },
};
