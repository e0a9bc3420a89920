import { median } from '../../core/stats/index.js';
import type { Claim } from '../claim.js';
import {
  columnOf,
  dataOf,
  interactionTask,
  networkOf,
  short,
  training,
  trainToEnd,
  twoLayerNet,
} from '../laboratory.js';
import { medians, stepOf, subSeeds } from '../subSeeds.js';

const width = 1024;
const lazyBar = 0.01;
/** How many times larger the gap must be at alpha = 1. */
const growth = 10;

/** alpha = m^t and the step in units of n / lambda_max. */
const scales = [
  { t: 0, share: 0.1 },
  { t: 0.25, share: 0.1 },
  { t: 0.5, share: 0.5 },
] as const;

/** Jacot 2018; Lee et al. 2019: a lazy network computes what its linearisation at the start computes, a rich one does not. */
export const linearisedTwin: Claim = {
  id: 'linearised-twin',
  title: 'A lazy network trains like its linearisation',
  theme: ['C'],
  statement:
    'Network and linearised twin, trained on the same batches, give the same outputs at alpha = sqrt(m) and part as alpha falls to 1.',
  setting: `Two-layer tanh, d = 10, n = 48, m = ${width}, symmetrised, alpha = 1, m^.25, sqrt(m), eta = .1, .1, .5 n / lambda_max, until 1 % of the initial loss; largest relative distance of the outputs on the training inputs along the run, medians over 3 tasks and starts.`,
  tolerance: `gap at sqrt(m) <= ${100 * lazyBar} %; it grows as alpha falls, to at least x${growth} at alpha = 1`,
  source: 'Lee et al. 2019; Chizat, Oyallon, Bach 2019; Fang, Dong, Zhang 2021',
  sabotage: 'half-jacobian',
  async measure(context) {
    const seeds = subSeeds(context, 3);
    const gaps: number[][] = [];
    const courses: { label: string; step: number[]; value: number[] }[] = [];
    for (const [i, seed] of seeds.entries()) {
      const data = dataOf(interactionTask(), seed);
      const row: number[] = [];
      for (const [k, { t, share }] of scales.entries()) {
        context.progress?.((i + k / scales.length) / seeds.length, `alpha = m^${t}`);
        const built = networkOf(twoLayerNet(width, { scale: `m^${t}` }), data, context, seed);
        const { rows } = await trainToEnd(
          built,
          data,
          training({
            optimizer: { kind: 'sgd', learningRate: await stepOf(built, data, share) },
            steps: 4000,
            stop: { lossFraction: 0.01 },
            seed,
            measure: { kernels: 16, twin: true, metricsEvery: 4000 },
          }),
          context,
        );
        const course = columnOf(rows, 'twinGap');
        row.push(Math.max(...course.value));
        if (i === 0) courses.push({ label: `alpha = m^${t}`, ...course });
        built.model.dispose();
      }
      gaps.push(row);
    }
    const [rich, between, lazy] = medians(gaps);
    return {
      passed: lazy <= lazyBar && lazy < between && between < rich && rich >= growth * lazy,
      predicted: 0,
      measured: lazy,
      interval: null,
      note: `Gap ${short(lazy)} at sqrt(m) (single tasks up to ${short(Math.max(...gaps.map((g) => g[2])))}), ${short(between)} at m^.25, ${short(rich)} at 1 (${short(median(gaps.map((g) => g[0] / g[2])))} times as large).`,
      figures: [
        {
          title: 'Gap between network and twin',
          xLabel: 'step',
          yLabel: '|f - f_lin| / |f_lin|',
          logY: true,
          series: [
            ...courses.map(({ label, step, value }) => {
              // Both start at the same outputs; a gap of zero has no place on a log axis.
              const from = value.findIndex((v) => v > 0);
              return { label, x: step.slice(from), y: value.slice(from), style: 'line' as const };
            }),
            {
              label: 'bar of the lazy regime',
              x: [1, Math.max(...courses.flatMap((c) => c.step))],
              y: [lazyBar, lazyBar],
              style: 'dashed' as const,
            },
          ],
        },
        {
          title: 'Largest gap against alpha',
          xLabel: 'scale alpha',
          yLabel: 'gap',
          logX: true,
          logY: true,
          series: [
            {
              label: 'single tasks',
              x: gaps.flatMap(() => scales.map(({ t }) => width ** t)),
              y: gaps.flat(),
              style: 'dots',
            },
            {
              label: 'median',
              x: scales.map(({ t }) => width ** t),
              y: [rich, between, lazy],
              style: 'dashed',
            },
          ],
        },
      ],
    };
  },
};
