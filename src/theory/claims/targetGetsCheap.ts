import type { Claim, ClaimContext } from '../claim.js';
import {
  columnOf,
  dataOf,
  networkOf,
  ridgeTask,
  scaledDescent,
  short,
  trainToEnd,
  twoLayerNet,
} from '../laboratory.js';
import { subSeeds, typicalOf } from '../subSeeds.js';

/** Least fall of C(y) of the rich network and largest change of the lazy one. */
const bars = { rich: 8, lazy: 1.5 };
/** Tasks of the rich network: C(y) falls 7- to 15-fold, so that few tasks leave the mean uncertain. */
const tasks = 16;
/** Tasks of the lazy one, and tasks drawn in the figure with kernels on the way. */
const few = 4;

const width = 400;

interface Length {
  readonly steps: number;
  readonly rate: number;
}

interface LearningCurve {
  readonly step: readonly number[];
  /** C(y) over its start. */
  readonly cost: readonly number[];
}

async function courseOf(
  scale: 'mean-field' | 'ntk',
  { steps, rate }: Length,
  kernels: number,
  context: ClaimContext,
  seed: number,
): Promise<LearningCurve> {
  const data = dataOf(ridgeTask({ train: 200, test: 0 }), seed);
  const built = networkOf(twoLayerNet(width, { scale }), data, context, seed);
  const { rows } = await trainToEnd(
    built,
    data,
    scaledDescent(rate, { steps, seed, probe: 200, measure: { kernels, metricsEvery: steps } }),
    context,
  );
  built.model.dispose();
  const { step, value } = columnOf(rows, 'cost');
  return { step, cost: value };
}

/** Fang, Dong, Zhang 2021; Atanasov, Bordelon, Pehlevan 2022: learnt features make the target cheap for the kernel. */
export const targetGetsCheap: Claim = {
  id: 'target-gets-cheap',
  title: 'Rich training makes the target cheap for the kernel',
  theme: ['D', 'H'],
  statement:
    "C(y) = tr(Theta) / n y' Theta^-1 y / |y|^2 falls along training where features are learnt, and stays where training is lazy.",
  setting: `y = tanh(3 w.x), d = 20, x ~ N(0, I), n = 200; two-layer tanh, m = ${width}, symmetrised, alpha = 1 and sqrt(m), 1500 steps of .2 m / alpha^2 (full) or 300 of .4 m / alpha^2 (quick); C(y) on the training set in float64 with a ridge of 1e-6 tr / n; ${tasks} tasks and starts for alpha = 1, ${few} for sqrt(m), geometric means.`,
  tolerance: `C(y) falls by x${bars.rich} or more at alpha = 1, changes by x${bars.lazy} or less at sqrt(m)`,
  source: 'Fang, Dong, Zhang 2021',
  sabotage: 'frozen-features',
  async measure(context) {
    const length: Length = context.preset === 'full' ? { steps: 1500, rate: 0.2 } : { steps: 300, rate: 0.4 };
    const seeds = subSeeds(context, tasks);
    const rich: LearningCurve[] = [];
    const lazy: LearningCurve[] = [];
    for (const [i, seed] of seeds.entries()) {
      context.progress?.(i / seeds.length, `task ${i + 1} of ${seeds.length}`);
      const kernels = i < few ? 6 : 2;
      rich.push(await courseOf('mean-field', length, kernels, context, seed));
      if (i < few) lazy.push(await courseOf('ntk', length, kernels, context, seed));
    }
    const fallOf = ({ cost }: LearningCurve): number => cost[0] / cost[cost.length - 1];
    const fall = typicalOf(rich.map(fallOf));
    const flat = typicalOf(lazy.map(fallOf));
    const change = Math.max(flat.value, 1 / flat.value);
    return {
      passed: fall.value >= bars.rich && change <= bars.lazy,
      predicted: bars.rich,
      measured: fall.value,
      interval: fall.interval,
      note: `C(y) falls ${short(fall.value)}-fold at alpha = 1 (single tasks ${rich.map((c) => short(fallOf(c))).join(', ')}) and ${short(flat.value)}-fold at sqrt(m) (${lazy.map((c) => short(fallOf(c))).join(', ')}). Theory's number is the least fall.`,
      figures: [
        {
          title: 'Cost of the target along training',
          xLabel: 'step',
          yLabel: 'C(y) / C(y) at the start',
          logY: true,
          series: [
            ...rich.slice(0, few).map(({ step, cost }, i) => ({
              label: `alpha = 1, task ${i + 1}`,
              x: step,
              y: cost,
              style: 'line' as const,
            })),
            ...lazy.map(({ step, cost }, i) => ({
              label: `alpha = sqrt(m), task ${i + 1}`,
              x: step,
              y: cost,
              style: 'dots' as const,
            })),
            {
              label: `bar of the rich network, 1 / ${bars.rich}`,
              x: [0, length.steps],
              y: [1 / bars.rich, 1 / bars.rich],
              style: 'dashed' as const,
            },
          ],
        },
      ],
    };
  },
};
