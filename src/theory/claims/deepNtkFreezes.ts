import type { Claim } from '../claim.js';
import { centredOn, differenceTask } from '../formulaTasks.js';
import { deepNet, networkOf, outputsOf, short, within } from '../laboratory.js';
import { distanceOf, measureSweep, powerLawOf, powerLawsFigure } from '../powerLaws.js';
import { stepOf, subSeeds } from '../subSeeds.js';

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
    const runs = await measureSweep(
      ['drift', 'movement'],
      {
        seeds,
        points: widths,
        text: (width) => `width ${width}`,
        async measure(width, seed) {
          const task = differenceTask(seed);
          const built = networkOf(deepNet([width, width, width]), task, context, seed);
          const data = centredOn(task, outputsOf(built, task));
          const learningRate = await stepOf(built, data, 0.5);
          return distanceOf(built, data, { learningRate, steps: 2000, left: 0.05, seed }, context);
        },
      },
      context,
    );
    const drift = powerLawOf(widths, runs.drift);
    const movement = powerLawOf(widths, runs.movement);
    return {
      passed: within(drift.fit.slope, -1, 0.2),
      predicted: -1,
      measured: drift.fit.slope,
      interval: drift.fit.interval,
      note: `Drift ${drift.typical.map((v) => short(100 * v)).join(', ')} % at m = ${widths.join(', ')}; relative movement of all weights has slope ${short(movement.fit.slope)}.`,
      figures: [
        powerLawsFigure('Drift and movement of a deep network against width', 'width m', widths, {
          drift,
          movement,
        }),
      ],
    };
  },
};
