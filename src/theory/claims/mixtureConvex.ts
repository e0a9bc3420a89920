import { lossesAlongPaths, type PathLosses } from '../../network/training/index.js';
import type { Claim, ClaimContext } from '../claim.js';
import {
  dataOf,
  meanSquare,
  networkOf,
  outputsOf,
  scaledDescent,
  short,
  trainToEnd,
  twoLayerNet,
} from '../laboratory.js';
import { subSeeds } from '../subSeeds.js';
import { threeNeuronTask } from '../tasks.js';

const width = 256;
/** Rise of the mixture above the chord that float32 may cause. */
const rounding = 1e-6;

async function pathsOf(steps: number, context: ClaimContext, seed: number): Promise<PathLosses> {
  const data = dataOf(threeNeuronTask(seed, { test: 0 }), seed);
  const net = (units: number, start: number) =>
    networkOf(twoLayerNet(units, { scale: 'mean-field' }), data, context, start);
  const trained = async (start: number) => {
    const built = net(width, start);
    await trainToEnd(built, data, scaledDescent(0.2, { steps, seed }), context);
    return built;
  };
  const [a, b] = [await trained(2 * seed), await trained(2 * seed + 1)];
  const paths = lossesAlongPaths(
    a,
    b,
    (units) => net(units, seed),
    (built) => meanSquare(outputsOf(built, data), data.train.y) / 2,
  );
  a.model.dispose();
  b.model.dispose();
  return paths;
}

/** Largest height of a path above the chord. */
const above = (path: readonly number[], { chord }: PathLosses): number =>
  Math.max(...path.map((loss, k) => loss - chord[k]));

/** Fang, Gu, Zhang, Zhang 2019; Fang, Dong, Zhang 2021: the loss is convex in the distribution of neurons, not in their parameters. */
export const mixtureConvex: Claim = {
  id: 'mixture-convex',
  title: 'The loss is convex in the distribution of neurons',
  theme: ['K'],
  statement:
    'Mixing the neurons of two trained networks keeps the loss below the chord between theirs; the straight path between their parameters crosses a barrier.',
  setting: `Teacher y = (1, -1, .7) . tanh(W x), d = 5, n = 200; two-layer tanh, m = ${width}, alpha = 1, symmetrised, eta = .2 m, 600 (quick) or 3000 steps from two seeds; losses on 21 points of each path, 3 pairs.`,
  tolerance: `mixture at most ${rounding.toExponential(0)} above the chord for every pair; every parameter path higher than both its ends`,
  source: 'Fang, Dong, Zhang 2021 (arXiv 2012.13982); Fang, Dong, Zhang 2019 (arXiv 1910.11508)',
  sabotage: 'wrong-alpha',
  async measure(context) {
    const steps = context.preset === 'full' ? 3000 : 600;
    const seeds = subSeeds(context, 3);
    const pairs: PathLosses[] = [];
    for (const [i, seed] of seeds.entries()) {
      context.progress?.(i / seeds.length, `pair ${i + 1} of ${seeds.length}`);
      pairs.push(await pathsOf(steps, context, seed));
    }
    const violation = Math.max(...pairs.map((p) => above(p.mixture, p)));
    const ends = pairs.map(({ chord }) => Math.max(chord[0], chord[chord.length - 1]));
    const tops = pairs.map(({ parameters }) => Math.max(...parameters));
    const barriers = tops.map((top, i) => top / ends[i]);
    const [first] = pairs;
    return {
      passed: violation <= rounding && barriers.every((ratio) => ratio > 1 + rounding),
      predicted: 0,
      measured: violation,
      interval: null,
      note: `Largest height of a mixture above its chord ${violation.toExponential(1)}; the parameter paths rise to ${barriers.map(short).join(', ')} times the larger end loss (${ends.map(short).join(', ')}).`,
      figures: [
        {
          title: 'Loss between two trained networks',
          xLabel: 'from the first to the second',
          yLabel: 'loss',
          logY: true,
          series: [
            { label: 'mixture of neurons', x: first.t, y: first.mixture, style: 'line' },
            { label: 'path of parameters', x: first.t, y: first.parameters, style: 'line' },
            { label: 'chord', x: first.t, y: first.chord, style: 'dashed' },
          ],
        },
        {
          title: 'Mixture against the chord',
          xLabel: 'from the first to the second',
          yLabel: 'loss of the mixture - chord',
          series: [
            ...pairs.map((p, i) => ({
              label: `pair ${i + 1}`,
              x: p.t,
              y: p.mixture.map((loss, k) => loss - p.chord[k]),
              style: 'line' as const,
            })),
            { label: 'chord', x: [0, 1], y: [0, 0], style: 'dashed' as const },
          ],
        },
      ],
    };
  },
};
