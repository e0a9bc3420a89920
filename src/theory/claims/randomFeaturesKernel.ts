import { limitKernel } from '../../core/kernels/limit.js';
import type { ActivationName } from '../../experiment/definition.js';
import { architectureOf } from '../../network/limit/architectureOf.js';
import type { Claim } from '../claim.js';
import {
  dataOf,
  interactionTask,
  kernelOn,
  networkOf,
  powerLawFigure,
  relativeDistance,
  short,
  twoLayerNet,
  within,
} from '../laboratory.js';
import { geometricMeans, pooledFit, subSeeds } from '../subSeeds.js';

const activations: readonly ActivationName[] = ['tanh', 'relu'];

/** Rahimi, Recht 2007: m random features approximate their kernel like any mean of m independent terms. */
export const randomFeaturesKernel: Claim = {
  id: 'random-features-kernel',
  title: 'Random features approach their kernel',
  theme: ['B'],
  statement:
    "With theta drawn once and only u trained, the kernel (1/m) sum h h' approaches E h h' with a relative error of order m^-1/2.",
  setting:
    'Two-layer tanh and relu, only the readout trained, alpha = sqrt(m), independent neurons, d = 10, n = 48, m = 64 .. 16384 (quick), 65536 (full); 8 tasks and starts, geometric means; limit in closed form or by quadrature.',
  tolerance: 'slope of log relative error (Frobenius) in log m: -1/2 ± .1, for both activations',
  source: 'Rahimi, Recht 2007; Fang, Dong, Zhang 2021',
  sabotage: 'wrong-start-variance',
  async measure(context) {
    const widths = [64, 256, 1024, 4096, 16384, ...(context.preset === 'full' ? [65536] : [])];
    const seeds = subSeeds(context, 8);
    const laws: Parameters<typeof powerLawFigure>[2][number][] = [];
    for (const [a, activation] of activations.entries()) {
      const errors: number[][] = [];
      for (const [i, seed] of seeds.entries()) {
        context.progress?.((a + i / seeds.length) / activations.length, `${activation}, start ${i + 1}`);
        const data = dataOf(interactionTask({ test: 0 }), seed);
        const inputs = {
          shape: [data.train.size, ...data.inputShape],
          data: Float64Array.from(data.train.x),
        };
        const row: number[] = [];
        for (const width of widths) {
          context.signal?.throwIfAborted();
          const spec = twoLayerNet(width, { activation, init: 'gaussian', train: 'readout' });
          const built = networkOf(spec, data, context, seed);
          const limit = limitKernel(architectureOf(built.model), inputs, null, { kind: 'ntk' });
          row.push(relativeDistance(await kernelOn(built, data), limit.data));
          built.model.dispose();
        }
        errors.push(row);
      }
      laws.push({
        label: activation,
        x: widths,
        y: geometricMeans(errors),
        fit: pooledFit(widths, errors),
      });
    }
    const [{ fit }] = laws;
    return {
      passed: laws.every((law) => within(law.fit.slope, -0.5, 0.1)),
      predicted: -0.5,
      measured: fit.slope,
      interval: fit.interval,
      note: laws
        .map(
          ({ label, fit: line, y }) =>
            `${label}: slope ${short(line.slope)}, error ${short(100 * y[0])} % at m = ${widths[0]}, ${short(100 * (y.at(-1) as number))} % at m = ${widths.at(-1)}`,
        )
        .join('; ')
        .concat('.'),
      figures: [powerLawFigure('Relative error of the random-features kernel', 'width m', laws)],
    };
  },
};
