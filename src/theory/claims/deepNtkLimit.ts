import { limitKernel } from '../../core/kernels/limit.js';
import { architectureOf } from '../../network/limit/architectureOf.js';
import type { Claim } from '../claim.js';
import { differenceTask } from '../formulaTasks.js';
import {
  deepNet,
  kernelOn,
  networkOf,
  powerLawFigure,
  relativeDistance,
  short,
  within,
} from '../laboratory.js';
import { geometricMeans, pooledFit, subSeeds } from '../subSeeds.js';

const depths = [1, 2, 5];

/** Jacot, Gabriel, Hongler 2018; Arora et al. 2019: the kernel of a wide deep network follows a recursion over its layers. */
export const deepNtkLimit: Claim = {
  id: 'deep-ntk-limit',
  title: 'The kernel of a deep network has a limit',
  theme: ['I'],
  statement:
    'At the start the tangent kernel of a network of any depth under the NTK parameterisation is that of the layer-wise recursion for infinite width, up to a relative error of order m^-1/2.',
  setting:
    '1, 2 and 5 hidden tanh layers of equal width, NTK parameterisation, d = 5, n = 24, m = 32 .. 512 (quick), 2048 (full); 20 starts at each width, geometric means; the limit is read off the network itself.',
  tolerance: 'slope of log relative error (Frobenius) in log width: -1/2 ± .1 at each depth',
  source: 'Jacot, Gabriel, Hongler 2018; Arora, Du, Hu, Li, Salakhutdinov, Wang 2019',
  sabotage: 'wrong-start-variance',
  async measure(context) {
    const widths = [32, 64, 128, 256, 512, ...(context.preset === 'full' ? [1024, 2048] : [])];
    const seeds = subSeeds(context, 20);
    const laws: Parameters<typeof powerLawFigure>[2][number][] = [];
    for (const [a, depth] of depths.entries()) {
      const errors: number[][] = [];
      for (const [i, seed] of seeds.entries()) {
        context.progress?.((a + i / seeds.length) / depths.length, `depth ${depth}, start ${i + 1}`);
        const data = differenceTask(seed);
        const inputs = { shape: [data.train.size, 5], data: Float64Array.from(data.train.x) };
        let limit: Float64Array | null = null;
        const row: number[] = [];
        for (const width of widths) {
          context.signal?.throwIfAborted();
          const built = networkOf(deepNet(Array<number>(depth).fill(width)), data, context, seed);
          // Every width of a depth has the same limit.
          limit ??= limitKernel(architectureOf(built.model), inputs, null, { kind: 'ntk' }).data;
          row.push(relativeDistance(await kernelOn(built, data), limit));
          built.model.dispose();
        }
        errors.push(row);
      }
      laws.push({
        label: depth === 1 ? '1 hidden layer' : `${depth} hidden layers`,
        x: widths,
        y: geometricMeans(errors),
        fit: pooledFit(widths, errors),
      });
    }
    const worst = laws.reduce((a, b) => (Math.abs(b.fit.slope + 0.5) > Math.abs(a.fit.slope + 0.5) ? b : a));
    return {
      passed: laws.every((law) => within(law.fit.slope, -0.5, 0.1)),
      predicted: -0.5,
      measured: worst.fit.slope,
      interval: worst.fit.interval,
      note: laws
        .map(
          ({ label, fit, y }) =>
            `${label}: slope ${short(fit.slope)}, error ${short(100 * y[0])} % at m = ${widths[0]}, ${short(100 * (y.at(-1) as number))} % at m = ${widths.at(-1)}`,
        )
        .join('; ')
        .concat('. ', 'Measured is the slope furthest from theory.'),
      figures: [powerLawFigure('Relative error of the deep kernel against its limit', 'width m', laws)],
    };
  },
};
