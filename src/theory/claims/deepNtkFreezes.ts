import type { Claim, ClaimContext } from '../claim.js';
import { centredOn, differenceTask } from '../formulaTasks.js';
import {
  deepNet,
  lastOf,
  networkOf,
  outputsOf,
  powerLawFigure,
  short,
  training,
  trainToEnd,
  within,
} from '../laboratory.js';
import { geometricMeans, pooledFit, stepOf, subSeeds } from '../subSeeds.js';

interface Run {
  readonly drift: number;
  readonly movement: number;
}

async function runOf(context: ClaimContext, width: number, seed: number): Promise<Run> {
  const task = differenceTask(seed);
  const built = networkOf(deepNet([width, width, width]), task, context, seed);
  try {
    const data = centredOn(task, outputsOf(built, task));
    const { rows } = await trainToEnd(
      built,
      data,
      training({
        optimizer: { kind: 'sgd', learningRate: await stepOf(built, data, 0.5) },
        steps: 2000,
        stop: { lossFraction: 0.05 },
        seed,
        measure: { kernels: 2, metricsEvery: 2000 },
      }),
      context,
    );
    return { drift: lastOf(rows, 'drift'), movement: lastOf(rows, 'movement') };
  } finally {
    built.model.dispose();
  }
}

/** Jacot, Gabriel, Hongler 2018; Huang, Yau 2020: the kernel of a deep network under the NTK parameterisation freezes. */
export const deepNtkFreezes: Claim = {
  id: 'deep-ntk-freezes',
  title: 'The kernel of a wide deep network freezes',
  theme: ['I'],
  statement:
    'Under the NTK parameterisation the kernel of a network with three hidden layers drifts by O(1/m) over a training run.',
  setting:
    'Three hidden tanh layers of equal width, NTK parameterisation, d = 5, n = 24, y = tanh(x1 - x2), network minus its start, eta = .5 n / lambda_max, until 5 % of the initial loss, m = 32 .. 512 (quick), 2048 (full); 10 tasks and starts, geometric means.',
  tolerance: 'slope of log drift in log width: -1 ± .2',
  source: 'Jacot, Gabriel, Hongler 2018; Huang, Yau 2020; Fang, Dong, Zhang 2021',
  sabotage: 'wrong-alpha',
  async measure(context) {
    const widths = [32, 64, 128, 256, 512, ...(context.preset === 'full' ? [1024, 2048] : [])];
    const seeds = subSeeds(context, 10);
    const drift: number[][] = [];
    const movement: number[][] = [];
    for (const [i, seed] of seeds.entries()) {
      const runs: Run[] = [];
      for (const [k, width] of widths.entries()) {
        context.progress?.((i + k / widths.length) / seeds.length, `width ${width}`);
        runs.push(await runOf(context, width, seed));
      }
      drift.push(runs.map((r) => r.drift));
      movement.push(runs.map((r) => r.movement));
    }
    const laws = { drift: geometricMeans(drift), movement: geometricMeans(movement) };
    const fits = { drift: pooledFit(widths, drift), movement: pooledFit(widths, movement) };
    return {
      passed: within(fits.drift.slope, -1, 0.2),
      predicted: -1,
      measured: fits.drift.slope,
      interval: fits.drift.interval,
      note: `Drift ${laws.drift.map((v) => short(100 * v)).join(', ')} % at m = ${widths.join(', ')}; relative movement of all weights has slope ${short(fits.movement.slope)}.`,
      figures: [
        powerLawFigure(
          'Drift and movement of a deep network against width',
          'width m',
          (['drift', 'movement'] as const).map((name) => ({
            label: name,
            x: widths,
            y: laws[name],
            fit: fits[name],
          })),
        ),
      ],
    };
  },
};
