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
} from '../laboratory.js';
import { geometricMeans, pooledFit, stepOf, subSeeds } from '../subSeeds.js';

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
    const drift: number[][] = [];
    const movement: number[][] = [];
    for (const [i, seed] of seeds.entries()) {
      const data = dataOf(interactionTask(), seed);
      const drifts: number[] = [];
      const moves: number[] = [];
      for (const [k, width] of widths.entries()) {
        context.progress?.((i + k / widths.length) / seeds.length, `width ${width}`);
        const built = networkOf(twoLayerNet(width, { scale: 'mean-field' }), data, context, seed);
        const { rows } = await trainToEnd(
          built,
          data,
          training({
            optimizer: { kind: 'sgd', learningRate: await stepOf(built, data, 0.1) },
            steps: 20000,
            stop: { lossFraction: 0.01 },
            seed,
            measure: { kernels: 2, metricsEvery: 20000 },
          }),
          context,
        );
        drifts.push(lastOf(rows, 'drift'));
        moves.push(lastOf(rows, 'movement.features'));
        built.model.dispose();
      }
      drift.push(drifts);
      movement.push(moves);
    }
    const laws = { drift: geometricMeans(drift), movement: geometricMeans(movement) };
    const fits = { drift: pooledFit(widths, drift), movement: pooledFit(widths, movement) };
    const ratio = Math.max(...laws.drift) / Math.min(...laws.drift);
    return {
      passed: ratio <= flat,
      predicted: 1,
      measured: ratio,
      interval: null,
      note: `Drift ${laws.drift.map(short).join(', ')} at m = ${widths.join(', ')} (slope ${short(fits.drift.slope)}); theta moves by ${laws.movement.map((v) => short(100 * v)).join(', ')} %.`,
      figures: [
        powerLawFigure(
          'Drift and movement of theta against width at alpha = 1',
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
