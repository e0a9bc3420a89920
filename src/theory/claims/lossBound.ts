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
import { spectrumOf } from '../subSeeds.js';

const width = 4096;

/** Du et al. 2019: gradient descent on a wide network converges at least as fast as the smallest eigenvalue says. */
export const lossBound: Claim = {
  id: 'loss-bound',
  title: 'The loss stays below the lambda_min bound',
  theme: ["C'"],
  statement:
    'The loss falls at least by (1 - eta lambda_min / n)^2 a step, and lambda_min of the kernel never falls below half of its start.',
  setting: `Two-layer tanh, d = 10, n = 48, m = ${width}, alpha = sqrt(m), symmetrised, eta = .2 n / lambda_max, so that eta (lambda_max + lambda_min) <= 2n; 800 (quick) or 2000 steps, past 1 % of the initial loss.`,
  tolerance:
    'loss(t) / loss(s) never above (1 - eta lambda_min(0) / n)^(2 (t - s)), from the start and between rows; lambda_min(t) >= lambda_min(0) / 2',
  source: 'Du, Zhai, Poczos, Singh 2019; Fang, Dong, Zhang 2021',
  sabotage: 'frozen-features',
  async measure(context) {
    const data = dataOf(interactionTask(), context.seed);
    const n = data.train.size;
    const built = networkOf(twoLayerNet(width), data, context);
    const spectrum = await spectrumOf(built, data);
    const rate = (0.2 * n) / spectrum[0];
    const steps = context.preset === 'full' ? 2000 : 800;
    const { rows } = await trainToEnd(
      built,
      data,
      training({
        optimizer: { kind: 'sgd', learningRate: rate },
        steps,
        seed: context.seed,
        measure: { kernels: 16, metricsEvery: 20 },
      }),
      context,
    );
    built.model.dispose();
    const loss = columnOf(rows, 'loss');
    const smallest = columnOf(rows, 'lambdaMin');
    const bound = (from: number, to: number) => (1 - (rate * spectrum[n - 1]) / n) ** (2 * (to - from));
    let worst = 0;
    for (let i = 1; i < loss.step.length; i++)
      for (const from of [0, i - 1])
        worst = Math.max(worst, loss.value[i] / loss.value[from] / bound(loss.step[from], loss.step[i]));
    const least = Math.min(...smallest.value) / smallest.value[0];
    const last = loss.step.length - 1;
    return {
      passed: worst <= 1 && least >= 0.5,
      predicted: 1,
      measured: worst,
      interval: null,
      note: `The loss is at most ${short(worst)} of the bound; after ${steps} steps it is ${short(loss.value[last] / loss.value[0])} of its start, the bound ${short(bound(0, steps))}. lambda_min never falls below ${short(least)} of its start.`,
      figures: [
        {
          title: 'Loss and the lambda_min bound',
          xLabel: 'step',
          yLabel: 'share of the initial loss',
          logY: true,
          series: [
            { label: 'loss', x: loss.step, y: loss.value.map((v) => v / loss.value[0]), style: 'line' },
            {
              label: 'bound (1 - eta lambda_min / n)^(2t)',
              x: loss.step,
              y: loss.step.map((t) => bound(0, t)),
              style: 'dashed',
            },
          ],
        },
        {
          title: 'lambda_min along training',
          xLabel: 'step',
          yLabel: 'lambda_min(t) / lambda_min(0)',
          series: [
            {
              label: 'lambda_min',
              x: smallest.step,
              y: smallest.value.map((v) => v / smallest.value[0]),
              style: 'line',
            },
            { label: 'half of the start', x: [0, steps], y: [0.5, 0.5], style: 'dashed' },
          ],
        },
      ],
    };
  },
};
