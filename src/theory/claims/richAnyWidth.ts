import type { Claim } from '../claim.js';
import { dataOf, interactionTask, networkOf, short, twoLayerNet } from '../laboratory.js';
import { distanceOf, measureSweep, powerLawOf, powerLawsFigure } from '../powerLaws.js';
import { stepOf, subSeeds } from '../subSeeds.js';

/** Largest ratio between the drifts of any two widths. */
const flat = 1.3;

/** Mei, Montanari, Nguyen 2018; Chizat, Bach 2018: at a fixed alpha features move by O(1) however wide the network. */
export const richAnyWidth: Claim = {
  id: 'rich-any-width',
  title: 'At alpha = 1 features move at any width',
  theme: ['D'],
  statement: 'With alpha = 1 the drift of the kernel over a training run does not shrink with the width.',
  setting:
    'Two-layer tanh, d = 10, n = 48, symmetrised, alpha = 1, eta = .1 n / lambda_max, until 1 % of the initial loss, m = 64 .. 4096 (quick), 16384 (full); 5 tasks and starts, geometric means.',
  tolerance: `kernel drift of all widths within x${flat}`,
  source: 'Mei, Montanari, Nguyen 2018; Chizat, Bach 2018; Fang, Dong, Zhang 2021',
  sabotage: 'wrong-alpha',
  async measure(context) {
    const widths = context.preset === 'full' ? [64, 256, 1024, 4096, 16384] : [64, 256, 1024, 4096];
    const seeds = subSeeds(context, 5);
    const runs = await measureSweep(
      ['drift', 'features'],
      {
        seeds,
        points: widths,
        text: (width) => `width ${width}`,
        async measure(width, seed) {
          const data = dataOf(interactionTask(), seed);
          const built = networkOf(twoLayerNet(width, { scale: 'mean-field' }), data, context, seed);
          const learningRate = await stepOf(built, data, 0.1);
          return distanceOf(built, data, { learningRate, steps: 20000, left: 0.01, seed }, context);
        },
      },
      context,
    );
    const drift = powerLawOf(widths, runs.drift);
    const movement = powerLawOf(widths, runs.features);
    const ratio = Math.max(...drift.typical) / Math.min(...drift.typical);
    return {
      passed: ratio <= flat,
      predicted: 1,
      measured: ratio,
      interval: null,
      note: `Drift ${drift.typical.map(short).join(', ')} at m = ${widths.join(', ')} (slope ${short(drift.fit.slope)}); theta moves by ${movement.typical.map((v) => short(100 * v)).join(', ')} %.`,
      figures: [
        powerLawsFigure('Drift and movement of theta against width at alpha = 1', 'width m', widths, {
          drift,
          movement,
        }),
      ],
    };
  },
};
