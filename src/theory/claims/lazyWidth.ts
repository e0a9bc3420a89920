import { limitKernel } from '../../core/kernels/limit.js';
import { eigenvalues } from '../../core/linalg/eigen.js';
import type { Dataset } from '../../network/data/index.js';
import { architectureOf } from '../../network/limit/architectureOf.js';
import type { BuiltModel } from '../../network/models/build.js';
import type { Claim } from '../claim.js';
import { dataOf, interactionTask, networkOf, short, twoLayerNet, within } from '../laboratory.js';
import { distanceOf, measureSweep, powerLawOf, powerLawsFigure } from '../powerLaws.js';
import { medians, spectrumOf, subSeeds } from '../subSeeds.js';

/**
 * The slope of the twin gap over these widths is -1.11 in the mean over tasks, and .1 of deviation from task to task: with
 * fewer tasks single runs of the claim leave the bar by chance alone.
 */
const tasks = 8;

/** lambda_min of the infinite-width kernel on the training inputs, at the scale of the empirical one. */
function limitOfLambdaMin(built: BuiltModel, data: Dataset): number {
  const inputs = { shape: [data.train.size, ...data.inputShape], data: Float64Array.from(data.train.x) };
  const limit = limitKernel(architectureOf(built.model), inputs, null, { kind: 'ntk' });
  return eigenvalues(limit)[data.train.size - 1];
}

/** Jacot 2018; Chizat, Oyallon, Bach 2019: at alpha = sqrt(m) the network approaches its linearisation as it widens. */
export const lazyWidth: Claim = {
  id: 'lazy-width',
  title: 'Wide networks stay near their start',
  theme: ['C'],
  statement:
    'With alpha = sqrt(m), relative movement falls as m^-1/2, kernel drift and the distance from the linearised twin as 1/m, and lambda_min approaches that of the infinite-width kernel.',
  setting: `Two-layer tanh, d = 10, n = 48, symmetrised, eta = .5 n / lambda_max, until 1 % of the initial loss, m = 64 .. 4096 (quick), 16384 (full); ${tasks} tasks and starts, geometric means.`,
  tolerance:
    'slopes: movement -1/2 ± .1, kernel drift -1 ± .15, twin gap -1 ± .2; lambda_min nearer to its limit at the largest width than at the smallest',
  source: 'Fang, Dong, Zhang 2021; Jacot, Gabriel, Hongler 2018; Lee et al. 2019',
  sabotage: 'wrong-alpha',
  async measure(context) {
    const widths = context.preset === 'full' ? [64, 256, 1024, 4096, 16384] : [64, 256, 1024, 4096];
    const seeds = subSeeds(context, tasks);
    let limit = Number.NaN;
    const runs = await measureSweep(
      ['movement', 'drift', 'twinGap', 'lambdaGap'],
      {
        seeds,
        points: widths,
        text: (width) => `width ${width}`,
        async measure(width, seed) {
          const data = dataOf(interactionTask(), seed);
          // A planted alpha grows with the width, so that it shows in the exponents and not only in the offset.
          const built = networkOf(twoLayerNet(width), data, context, seed);
          const spectrum = await spectrumOf(built, data);
          // The limit is that of the inputs, which change with the seed and not with the width.
          if (width === widths[0]) limit = limitOfLambdaMin(built, data);
          const learningRate = (0.5 * data.train.size) / spectrum[0];
          const run = { learningRate, steps: 4000, left: 0.01, seed, twin: true };
          return {
            ...(await distanceOf(built, data, run, context)),
            lambdaGap: Math.abs(spectrum[spectrum.length - 1] / limit - 1),
          };
        },
      },
      context,
    );
    const movement = powerLawOf(widths, runs.movement);
    const drift = powerLawOf(widths, runs.drift);
    const twinGap = powerLawOf(widths, runs.twinGap);
    const lambdaGap = medians(runs.lambdaGap);
    const last = widths.length - 1;
    const passed =
      within(movement.fit.slope, -0.5, 0.1) &&
      within(drift.fit.slope, -1, 0.15) &&
      within(twinGap.fit.slope, -1, 0.2) &&
      lambdaGap[last] < lambdaGap[0];
    return {
      passed,
      predicted: -1,
      measured: drift.fit.slope,
      interval: drift.fit.interval,
      note: `Slopes: movement ${short(movement.fit.slope)}, drift ${short(drift.fit.slope)}, twin gap ${short(twinGap.fit.slope)}. lambda_min is ${short(100 * lambdaGap[0])} % from its limit at m = ${widths[0]}, ${short(100 * lambdaGap[last])} % at m = ${widths[last]}.`,
      figures: [
        powerLawsFigure('Movement, drift and twin gap against width', 'width m', widths, {
          movement,
          drift,
          twinGap,
        }),
        {
          title: 'Smallest eigenvalue against its limit',
          xLabel: 'width m',
          yLabel: '|lambda_min / limit - 1|',
          logX: true,
          logY: true,
          series: [{ label: 'median over starts', x: widths, y: lambdaGap, style: 'line' }],
        },
      ],
    };
  },
};
