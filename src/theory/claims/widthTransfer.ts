import { type ParameterizationName, parameterizationNames } from '../../experiment/definition.js';
import type { Dataset } from '../../network/data/index.js';
import { unitsOf } from '../../network/models/units.js';
import { Stepper, tensorsOf } from '../../network/training/index.js';
import type { Claim, ClaimContext } from '../claim.js';
import { dataOf, deepNet, interactionTask, networkOf, short } from '../laboratory.js';
import { geometricMeans, pooledFit, subSeeds } from '../subSeeds.js';

/** Largest ratio between any two widths. */
const flat = 1.2;
const steps = 3;
const rate = 0.5;
/** Pre-activations of both hidden layers, and the output. */
const layers = ['hidden1', 'hidden2', 'readout'] as const;

/** Root mean square, over units and inputs, of how far every layer's values are from their start after some steps. */
async function changes(
  context: ClaimContext,
  parameterization: ParameterizationName,
  width: number,
  data: Dataset,
  seed: number,
): Promise<number[]> {
  const built = networkOf(deepNet([width, width], { parameterization }), data, context, seed);
  const optimizer = { kind: 'sgd', learningRate: rate } as const;
  const stepper = new Stepper(built, { loss: 'mse', optimizer, seed }, rate, context.sabotage);
  const { x, y } = tensorsOf(data.train, data);
  try {
    const values = () => layers.map((layer) => unitsOf(built, data.train.x, layer).values);
    const before = values();
    for (let step = 0; step < steps; step++) stepper.step(x, y).dispose();
    return values().map((now, l) => {
      let square = 0;
      for (let i = 0; i < now.length; i++) square += (now[i] - before[l][i]) ** 2;
      return Math.sqrt(square / now.length);
    });
  } finally {
    x.dispose();
    y.dispose();
    stepper.dispose();
    built.model.dispose();
  }
}

interface Check {
  readonly parameterization: ParameterizationName;
  /** [layers][widths], geometric means over starts. */
  readonly means: readonly (readonly number[])[];
  /** [layers] slope of the log change in the log width. */
  readonly fits: readonly ReturnType<typeof pooledFit>[];
}

/** Yang, Hu 2021; Yang et al. 2022: under maximal update one step size moves every layer alike at any width. */
export const widthTransfer: Claim = {
  id: 'width-transfer',
  title: 'Under maximal update a step size fits every width',
  theme: ['beyond'],
  statement:
    'After a few steps at one step size the values of every layer have changed by an amount that does not depend on the width under the maximal-update parameterisation; under the standard one it grows, under the NTK one that of hidden layers vanishes.',
  setting: `Coordinate check: two hidden tanh layers of equal width, d = 10, n = 48, ${steps} full-batch steps of ${rate} (times each parameterisation's own factors), m = 128 .. 1024 (quick), 4096 (full); root mean square over units and inputs of the change of the pre-activations of both hidden layers and of the output, geometric means over 4 starts.`,
  tolerance: `under maximal update the change of every layer within x${flat} over all widths`,
  source: 'Yang, Hu 2021; Yang et al. 2022',
  sabotage: 'wrong-step-scale',
  async measure(context) {
    const widths = [128, 256, 512, 1024, ...(context.preset === 'full' ? [2048, 4096] : [])];
    const seeds = subSeeds(context, 4);
    const checks: Check[] = [];
    for (const [a, parameterization] of parameterizationNames.entries()) {
      const runs: number[][][] = [];
      for (const [i, seed] of seeds.entries()) {
        const data = dataOf(interactionTask({ test: 0 }), seed);
        const rows: number[][] = [];
        for (const width of widths) {
          const share = (a + i / seeds.length) / parameterizationNames.length;
          context.progress?.(share, `${parameterization}, width ${width}`);
          context.signal?.throwIfAborted();
          rows.push(await changes(context, parameterization, width, data, seed));
          await new Promise((resolve) => setImmediate(resolve));
        }
        runs.push(rows);
      }
      const of = (l: number) => runs.map((rows) => rows.map((row) => row[l]));
      checks.push({
        parameterization,
        means: layers.map((_, l) => geometricMeans(of(l))),
        fits: layers.map((_, l) => pooledFit(widths, of(l))),
      });
    }
    const ratio = (values: readonly number[]) => Math.max(...values) / Math.min(...values);
    const [chosen] = checks.filter((c) => c.parameterization === 'maximal-update');
    const ratios = chosen.means.map(ratio);
    const measured = Math.max(...ratios);
    return {
      passed: measured <= flat,
      predicted: 1,
      measured,
      interval: null,
      note: `Largest over smallest change under maximal update: ${layers.map((layer, l) => `${layer} ${short(ratios[l])}`).join(', ')}. Slopes in the width: ${checks.map((c) => `${c.parameterization} ${c.fits.map((f) => f.slope.toFixed(2)).join(', ')}`).join('; ')}.`,
      figures: checks.map(({ parameterization, means, fits }) => ({
        title: `Change after ${steps} steps: ${parameterization}`,
        xLabel: 'width m',
        yLabel: 'root mean square change',
        logX: true,
        logY: true,
        series: layers.flatMap((layer, l) => [
          { label: layer, x: widths, y: means[l], style: 'dots' as const },
          {
            label: `slope ${fits[l].slope.toFixed(2)} [${fits[l].interval.map((v) => v.toFixed(2)).join(', ')}]`,
            x: widths,
            y: widths.map((m) => Math.exp(fits[l].intercept + fits[l].slope * Math.log(m))),
            style: 'dashed' as const,
          },
        ]),
      })),
    };
  },
};
