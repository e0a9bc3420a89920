import type { Claim } from '../claim.js';
import { dataOf, interactionTask, networkOf, short, twoLayerNet, within } from '../laboratory.js';
import { distanceOf, measureSweep, powerLawOf, powerLawsFigure } from '../powerLaws.js';
import { stepOf, subSeeds } from '../subSeeds.js';

const width = 1024;
/** alpha = m^t; from t = .5 on the network is lazy and power laws hold. */
const exponents = [0, 0.15, 0.3, 0.5, 0.7, 1];
const firstLazy = 3;

/** Chizat, Oyallon, Bach 2019: the larger the scale of the top layer, the less the features move. */
export const lazyAlpha: Claim = {
  id: 'lazy-alpha',
  title: 'A larger scale alpha makes training lazy',
  theme: ['C'],
  statement:
    'At a fixed width and a symmetrised start, movement of theta falls as 1/alpha and kernel drift as 1/alpha^2 once alpha is large.',
  setting: `Two-layer tanh, d = 10, n = 48, m = ${width}, symmetrised, alpha = m^t with t = ${exponents.join(', ')}, eta = .5 n / lambda_max, until 1 % of the initial loss; 3 (quick) or 5 tasks and starts, lines fitted from t = ${exponents[firstLazy]} on.`,
  tolerance: 'slopes in alpha at large alpha: movement of theta -1 ± .15, kernel drift -2 ± .3',
  source: 'Chizat, Oyallon, Bach 2019; Fang, Dong, Zhang 2021',
  sabotage: 'wrong-alpha',
  async measure(context) {
    const alphas = exponents.map((t) => width ** t);
    const seeds = subSeeds(context, context.preset === 'full' ? 5 : 3);
    const runs = await measureSweep(
      ['features', 'drift'],
      {
        seeds,
        points: exponents,
        text: (t) => `alpha = m^${t}`,
        async measure(t, seed) {
          const data = dataOf(interactionTask(), seed);
          const built = networkOf(twoLayerNet(width, { scale: `m^${t}` }), data, context, seed);
          const learningRate = await stepOf(built, data, 0.5);
          return distanceOf(built, data, { learningRate, steps: 4000, left: 0.01, seed }, context);
        },
      },
      context,
    );
    const movement = powerLawOf(alphas, runs.features, firstLazy);
    const drift = powerLawOf(alphas, runs.drift, firstLazy);
    return {
      passed: within(movement.fit.slope, -1, 0.15) && within(drift.fit.slope, -2, 0.3),
      predicted: -2,
      measured: drift.fit.slope,
      interval: drift.fit.interval,
      note: `Slopes at large alpha: movement of theta ${short(movement.fit.slope)}, drift ${short(drift.fit.slope)}. At alpha = 1 theta moves by ${short(100 * movement.typical[0])} %, at alpha = m by ${short(100 * movement.typical[exponents.length - 1])} %.`,
      figures: [
        powerLawsFigure('Movement of theta and kernel drift against alpha', 'scale alpha', alphas, {
          movement,
          drift,
        }),
      ],
    };
  },
};
