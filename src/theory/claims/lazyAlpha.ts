import type { Claim } from '../claim.js';
import {
  dataOf,
  interactionTask,
  lastOf,
  networkOf,
  powerLawFigure,
  short,
  training,
  trainToEnd,
  twoLayerNet,
  within,
} from '../laboratory.js';
import { geometricMeans, pooledFit, stepOf, subSeeds } from '../subSeeds.js';

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
    const movement: number[][] = [];
    const drift: number[][] = [];
    for (const [i, seed] of seeds.entries()) {
      const data = dataOf(interactionTask(), seed);
      const moved: number[] = [];
      const drifted: number[] = [];
      for (const [k, t] of exponents.entries()) {
        context.progress?.((i + k / exponents.length) / seeds.length, `alpha = m^${t}`);
        const built = networkOf(twoLayerNet(width, { scale: `m^${t}` }), data, context, seed);
        const { rows } = await trainToEnd(
          built,
          data,
          training({
            optimizer: { kind: 'sgd', learningRate: await stepOf(built, data, 0.5) },
            steps: 4000,
            stop: { lossFraction: 0.01 },
            seed,
            measure: { kernels: 2, metricsEvery: 4000 },
          }),
          context,
        );
        moved.push(lastOf(rows, 'movement.features'));
        drifted.push(lastOf(rows, 'drift'));
        built.model.dispose();
      }
      movement.push(moved);
      drift.push(drifted);
    }
    const large = (runs: readonly (readonly number[])[]) => runs.map((run) => run.slice(firstLazy));
    const fits = {
      movement: pooledFit(alphas.slice(firstLazy), large(movement)),
      drift: pooledFit(alphas.slice(firstLazy), large(drift)),
    };
    const laws = { movement: geometricMeans(movement), drift: geometricMeans(drift) };
    return {
      passed: within(fits.movement.slope, -1, 0.15) && within(fits.drift.slope, -2, 0.3),
      predicted: -2,
      measured: fits.drift.slope,
      interval: fits.drift.interval,
      note: `Slopes at large alpha: movement of theta ${short(fits.movement.slope)}, drift ${short(fits.drift.slope)}. At alpha = 1 theta moves by ${short(100 * laws.movement[0])} %, at alpha = m by ${short(100 * laws.movement[exponents.length - 1])} %.`,
      figures: [
        powerLawFigure(
          'Movement of theta and kernel drift against alpha',
          'scale alpha',
          (['movement', 'drift'] as const).map((name) => ({
            label: name,
            x: alphas,
            y: laws[name],
            fit: fits[name],
          })),
        ),
      ],
    };
  },
};
