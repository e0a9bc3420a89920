import { mean } from '../../core/stats/index.js';
import type { ParameterizationName } from '../../experiment/definition.js';
import { unitSpread } from '../../network/models/units.js';
import type { Claim } from '../claim.js';
import { differenceTask } from '../formulaTasks.js';
import { deepNet, networkOf, powerLawFigure, short, within } from '../laboratory.js';
import { geometricMeans, pooledFit, subSeeds } from '../subSeeds.js';

interface Scaling {
  readonly label: string;
  readonly parameterization: ParameterizationName;
  readonly slope: number;
}

const scalings: readonly Scaling[] = [
  { label: '1/m between hidden layers', parameterization: 'mean-field', slope: -0.5 },
  { label: '1/sqrt(m) between hidden layers', parameterization: 'ntk', slope: 0 },
];
const tolerance = 0.1;

/** Fang, Lee, Yang, Zhang 2020; Nguyen, Pham 2020: from an i.i.d. start the 1/m scaling makes all units of a layer alike. */
export const deepMeanFieldCollapse: Claim = {
  id: 'deep-mean-field-collapse',
  title: 'Under the mean-field scaling hidden units collapse',
  theme: ['J'],
  statement:
    'With the factor 1/m between hidden layers and an i.i.d. start, every unit of the second layer is an average of m independent terms: the units differ by O(m^-1/2) only, while under 1/sqrt(m) they keep apart.',
  setting:
    'Two hidden tanh layers of equal width, i.i.d. N(0, 1) weights, d = 5, 24 inputs, m = 32 .. 1024 (quick), 4096 (full); standard deviation over the units of the second hidden layer on each input, mean over inputs, geometric means over 8 starts.',
  tolerance: `slope of log spread in log width: -1/2 ± ${tolerance} under 1/m, 0 ± ${tolerance} under 1/sqrt(m)`,
  source: 'Fang, Lee, Yang, Zhang 2020; Nguyen, Pham 2020; Fang, Dong, Zhang 2021',
  sabotage: 'wrong-alpha',
  async measure(context) {
    const widths = [32, 64, 128, 256, 512, 1024, ...(context.preset === 'full' ? [2048, 4096] : [])];
    const seeds = subSeeds(context, 8);
    const laws: (Parameters<typeof powerLawFigure>[2][number] & { readonly theory: number })[] = [];
    for (const [a, { label, parameterization, slope }] of scalings.entries()) {
      const spreads: number[][] = [];
      for (const [i, seed] of seeds.entries()) {
        context.progress?.((a + i / seeds.length) / scalings.length, `${label}, start ${i + 1}`);
        context.signal?.throwIfAborted();
        const data = differenceTask(seed);
        spreads.push(
          widths.map((width) => {
            const built = networkOf(deepNet([width, width], { parameterization }), data, context, seed);
            try {
              return mean(unitSpread(built, data.train.x, 'activation2'));
            } finally {
              built.model.dispose();
            }
          }),
        );
        await new Promise((resolve) => setImmediate(resolve));
      }
      laws.push({
        label,
        x: widths,
        y: geometricMeans(spreads),
        fit: pooledFit(widths, spreads),
        theory: slope,
      });
    }
    const [{ fit }] = laws;
    return {
      passed: laws.every((law) => within(law.fit.slope, law.theory, tolerance)),
      predicted: -0.5,
      measured: fit.slope,
      interval: fit.interval,
      note: laws
        .map(
          ({ label, fit: line, y }) =>
            `${label}: slope ${short(line.slope)}, spread ${short(y[0])} at m = ${widths[0]}, ${short(y.at(-1) as number)} at m = ${widths.at(-1)}`,
        )
        .join('; ')
        .concat('.'),
      figures: [powerLawFigure('Spread over the units of the second hidden layer', 'width m', laws)],
    };
  },
};
