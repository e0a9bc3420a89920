import { importance, outputNorms } from '../../core/measures/neurons.js';
import { mean, median, standardDeviation } from '../../core/stats/index.js';
import type { Dataset } from '../../network/data/index.js';
import type { BuiltModel } from '../../network/models/build.js';
import { activationsOf, neuronsOf } from '../../network/models/neurons.js';
import { tensorsOf } from '../../network/training/index.js';
import type { Claim, ClaimContext } from '../claim.js';
import { dataOf, networkOf, short, training, trainToEnd, twoLayerNet } from '../laboratory.js';
import { geometricMeans, medians, subSeeds, typicalOf } from '../subSeeds.js';
import { fourNeuronTask } from '../tasks.js';

const strengths = [0, 1e-3, 1e-2];
/**
 * Share of the mean importance from which a neuron counts as active. Not of the largest: that is one neuron's, and L2
 * takes it down first, so that the set would change with what is compared.
 */
const active = 0.5;
const lossBar = 2;

/** |u| of the active neurons, by their importance |u| sd(h) on the first test inputs; descending. */
function activeNorms(built: BuiltModel, data: Dataset): number[] {
  const { u } = neuronsOf(built);
  const rows = Uint32Array.from({ length: Math.min(1000, data.test.size) }, (_, i) => i);
  const { x, y } = tensorsOf(data.test, data, rows);
  const weights = importance(u, activationsOf(built, x));
  x.dispose();
  y.dispose();
  const least = active * mean(weights);
  return Array.from(outputNorms(u))
    .filter((_, j) => weights[j] >= least)
    .sort((a, b) => b - a);
}

interface Trained {
  readonly norms: readonly number[];
  /** Coefficient of variation of |u| over the active neurons. */
  readonly spread: number;
  /** mean (f - y)^2 on the training set, without the L2 term; and against the noiseless teacher. */
  readonly loss: number;
  readonly error: number;
}

async function trained(
  strength: number,
  { width, steps, rate, batch }: { width: number; steps: number; rate: number; batch: number },
  data: Dataset,
  context: ClaimContext,
  seed: number,
): Promise<Trained> {
  const spec = twoLayerNet(width, {
    activation: 'sigmoid',
    scale: 'mean-field',
    init: 'gaussian',
    thetaStart: 'unit',
  });
  const built = networkOf(spec, data, context, seed);
  const { summary } = await trainToEnd(
    built,
    data,
    training({
      // A step on mean (f - y)^2 is twice one on half of it.
      optimizer: { kind: 'sgd', learningRate: 2 * rate },
      regularization: { readout: strength },
      batch,
      steps,
      seed,
      measure: { kernels: 0, metricsEvery: steps },
    }),
    context,
  );
  const norms = activeNorms(built, data);
  built.model.dispose();
  return {
    norms,
    spread: standardDeviation(norms) / mean(norms),
    loss: 2 * summary.loss.train,
    error: 2 * (summary.loss.test ?? Number.NaN),
  };
}

/** Fang, Dong, Zhang 2019, 2021: L2 on u makes the neurons that are used equally important, which is the best use of them. */
export const l2EqualisesImportance: Claim = {
  id: 'l2-equalises-importance',
  title: 'L2 on u makes neurons equally important',
  theme: ['F'],
  statement:
    'For a given function, the sum of u^2 is least when neurons sit in proportion to what they carry: the stronger the L2 on u, the more equal the |u| of active neurons, at little cost in loss.',
  setting: `Teacher of 4 sigmoid neurons in the plane, x ~ 100 N(0, I), label noise .1; student f = (1/m) sum u sigmoid(theta.x), m = 200 (quick) or 400, plain N(0, 1) start, mean (f - y)^2 + lambda sum u^2 / m with lambda = ${strengths.join(', ')}; 10000 steps of 10, batch 1000 (full), or 500 steps of 160, batch 500 (quick); active are neurons whose importance |u| sd(h) is at least ${active} of the mean; 3 starts, medians.`,
  tolerance: `coefficient of variation of |u| over active neurons falls from each lambda to the next; training loss without the L2 term at most x${lossBar}`,
  source: 'Fang, Dong, Zhang 2019 (arXiv 1910.11508); Fang, Dong, Zhang 2021',
  sabotage: 'drop-l2',
  async measure(context) {
    const length =
      context.preset === 'full'
        ? { width: 400, steps: 10000, rate: 10, batch: 1000 }
        : { width: 200, steps: 500, rate: 160, batch: 500 };
    const seeds = subSeeds(context, 3);
    const runs: Trained[][] = [];
    for (const [i, seed] of seeds.entries()) {
      const data = dataOf(fourNeuronTask, seed);
      const row: Trained[] = [];
      for (const [k, strength] of strengths.entries()) {
        context.progress?.((i + k / strengths.length) / seeds.length, `lambda = ${strength}`);
        row.push(await trained(strength, length, data, context, seed));
      }
      runs.push(row);
    }
    const spreads = medians(runs.map((row) => row.map((r) => r.spread)));
    const fall = typicalOf(runs.map((row) => row[strengths.length - 1].spread / row[0].spread));
    const losses = geometricMeans(runs.map((row) => row.map((r) => r.loss)));
    const dearer = median(runs.map((row) => Math.max(...row.map((r) => r.loss)) / row[0].loss));
    const falls = spreads.every((value, k) => k === 0 || value < spreads[k - 1]);
    return {
      passed: falls && dearer <= lossBar,
      predicted: 1,
      measured: fall.value,
      interval: fall.interval,
      note: `Spread of |u| ${spreads.map(short).join(', ')} at lambda = ${strengths.join(', ')} over ${runs[0].map((r) => r.norms.length).join(', ')} active neurons; measured is the last over the first, theory's number the largest allowed. Training loss ${losses.map((l) => l.toExponential(2)).join(', ')} (x${short(dearer)}); error against the noiseless teacher ${geometricMeans(
        runs.map((row) => row.map((r) => r.error)),
      )
        .map((e) => e.toExponential(1))
        .join(', ')}.`,
      figures: [
        {
          title: '|u| of active neurons, largest first, one start',
          xLabel: 'share of active neurons',
          yLabel: '|u|',
          series: runs[0].map(({ norms }, k) => ({
            label: `lambda = ${strengths[k]}`,
            x: norms.map((_, j) => j / norms.length),
            y: norms,
            style: 'line' as const,
          })),
        },
        {
          title: 'Spread of |u| against the strength of L2',
          xLabel: 'lambda, in order',
          yLabel: 'coefficient of variation',
          series: [
            {
              label: 'single starts',
              x: runs.flatMap(() => strengths.map((_, k) => k)),
              y: runs.flatMap((row) => row.map((r) => r.spread)),
              style: 'dots',
            },
            { label: 'median', x: strengths.map((_, k) => k), y: spreads, style: 'dashed' },
          ],
        },
      ],
    };
  },
};
