import type { Claim } from '../claim.js';
import { short } from '../laboratory.js';
import { digitsOf, readoutAccuracy, trainedFeatures } from '../learnedFeatures.js';

/** How many times as many random features it must take to err as little as the fewest learned ones. */
const factor = 3;

const sizes = {
  full: {
    width: 10000,
    l2: 1e-3,
    phases: [{ steps: 9360, rate: 1e-3 }],
    counts: [125, 250, 500, 1000],
    readout: { steps: 23400, rate: 1e-4 },
  },
  quick: {
    width: 1000,
    l2: 3e-3,
    phases: [
      { steps: 600, rate: 2e-2 },
      { steps: 300, rate: 3e-3 },
    ],
    counts: [15, 30, 60, 120],
    readout: { steps: 300, rate: 1e-2 },
  },
} as const;

/** Number of random features at which their error falls to `error`, on a line between counts on log axes; NaN beyond. */
function countAt(error: number, counts: readonly number[], errors: readonly number[]): number {
  const i = errors.findIndex((e) => e <= error);
  if (i < 0) return Number.POSITIVE_INFINITY;
  if (i === 0) return counts[0];
  const share = Math.log(errors[i - 1] / error) / Math.log(errors[i - 1] / errors[i]);
  return counts[i - 1] * (counts[i] / counts[i - 1]) ** share;
}

/** Fang, Dong, Zhang 2019 and 2021: training moves the features to where they are needed. */
export const repopulatedFeatures: Claim = {
  id: 'repopulated-features',
  title: 'Learned features need far fewer neurons',
  theme: ['F'],
  statement:
    'A linear readout on features drawn by importance from a trained network errs less than one on several times as many random features.',
  setting: `Two-layer tanh, theta ~ N(0, I), cross-entropy, Adam with L2 on all weights; then a readout alone, on drawn and on random features N(0, I). Quick: the 1,797 digits that come with Kernelscope, m = ${sizes.quick.width}, ${sizes.quick.counts.join(', ')} features; full: MNIST, m = ${sizes.full.width}, ${sizes.full.counts.join(', ')} features, lr 1e-4, 50 epochs.`,
  tolerance: `at least ${factor} times as many random features to err as little as the fewest learned ones; learned ones err less at every number`,
  source: 'Fang, Dong, Zhang 2019; published .9764 against .9468 with 1000 features of MNIST',
  sabotage: 'frozen-features',
  async measure(context) {
    const { width, l2, phases, counts, readout } = sizes[context.preset];
    const data = digitsOf(context.preset, context.seed);
    context.progress?.(0, `training ${width} neurons`);
    const built = await trainedFeatures(data, width, phases, l2, context);
    const learned: number[] = [];
    const random: number[] = [];
    try {
      for (const [i, count] of counts.entries()) {
        context.progress?.(0.4 + (0.6 * i) / counts.length, `${count} features`);
        const seed = 1000 * context.seed + i;
        const drawn = { built, by: 'importance' } as const;
        learned.push(1 - (await readoutAccuracy(data, count, drawn, readout, context, seed)));
        random.push(1 - (await readoutAccuracy(data, count, 'random', readout, context, seed)));
      }
    } finally {
      built.model.dispose();
    }
    const needed = countAt(learned[0], counts, random) / counts[0];
    const last = counts.length - 1;
    return {
      passed: needed >= factor && learned.every((error, i) => error < random[i]),
      predicted: factor,
      measured: Number.isFinite(needed) ? needed : counts[last] / counts[0],
      interval: null,
      note: `${counts[0]} learned features err on ${short(100 * learned[0])} %, ${counts[0]} random ones on ${short(100 * random[0])} %; ${Number.isFinite(needed) ? `it takes ${short(needed)} times as many random ones` : `even ${counts[last]} random ones err more`}. With ${counts[last]}: accuracy ${short(1 - learned[last])} against ${short(1 - random[last])}.`,
      figures: [
        {
          title: 'Error of a readout against the number of features',
          xLabel: 'features',
          yLabel: 'test error',
          logX: true,
          logY: true,
          series: [
            { label: 'drawn from the trained network', x: [...counts], y: learned, style: 'line' },
            { label: 'random', x: [...counts], y: random, style: 'line' },
          ],
        },
      ],
    };
  },
};
