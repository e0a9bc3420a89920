import {
  effectiveNeurons,
  type Resampled,
  resampleByWeight,
  resampleUniformly,
} from '../../core/measures/index.js';
import { Random } from '../../core/random.js';
import { mean } from '../../core/stats/index.js';
import type { Dataset } from '../../network/data/index.js';
import type { BuiltModel } from '../../network/models/build.js';
import { neuronsOf, pickNeurons, writeNeurons } from '../../network/models/neurons.js';
import { neuronImportance } from '../../network/models/repopulation.js';
import type * as tf from '../../network/tf.js';
import { Evaluator } from '../../network/training/index.js';
import type { Claim, ClaimContext } from '../claim.js';
import { networkOf, short, twoLayerNet } from '../laboratory.js';
import { digitsOf, type Phase, probeInputs, trainedFeatures } from '../learnedFeatures.js';

const kept = 10;
const draws = 30;
const bars = { importance: 0.65, uniform: 0.3 } as const;

const sizes = {
  full: { width: 10000, l2: 1e-3, phases: [{ steps: 9360, rate: 1e-3 }] },
  quick: {
    width: 4000,
    l2: 3e-3,
    phases: [
      { steps: 700, rate: 2e-2 },
      { steps: 400, rate: 3e-3 },
    ],
  },
} as const satisfies Record<string, { width: number; l2: number; phases: readonly Phase[] }>;

/** Test accuracies of networks of ten of the neurons, with the u that they were trained with, one a draw. */
function prunedAccuracies(
  built: BuiltModel,
  draw: (random: Random) => Resampled,
  data: Dataset,
  context: ClaimContext,
): number[] {
  const neurons = neuronsOf(built);
  // The mean over neurons keeps its scale alpha, whatever their number.
  const small = networkOf(twoLayerNet(kept, { scale: built.twoLayer?.alpha ?? 1, init: 'gaussian' }), data, {
    ...context,
    sabotage: undefined,
  });
  const test = new Evaluator(data.test, data, 'crossEntropy');
  try {
    return Array.from({ length: draws }, (_, i) => {
      const { indices, factors } = draw(new Random(context.seed).fork(`pruning/${i}`));
      writeNeurons(small, pickNeurons(neurons, indices, factors));
      return test.evaluate((inputs) => small.model.apply(inputs) as tf.Tensor2D).accuracy ?? Number.NaN;
    });
  } finally {
    test.dispose();
    small.model.dispose();
  }
}

/** Fang, Dong, Zhang 2019: few neurons drawn by importance speak for all, few drawn uniformly do not. */
export const importancePruning: Claim = {
  id: 'importance-pruning',
  title: 'Ten neurons by importance speak for all',
  theme: ['F', 'G'],
  statement:
    'Of a network trained under L2, ten neurons drawn in proportion to |u_j| sd(h_j), each weighed by the inverse of its probability, classify most digits; ten drawn uniformly do not.',
  setting: `Two-layer tanh, theta ~ N(0, I), cross-entropy, Adam with L2 on all weights: the 1,797 digits that come with Kernelscope, m = ${sizes.quick.width} (quick), or MNIST, m = ${sizes.full.width}, lr 1e-3, L2 1e-3, 20 epochs (full); u stays as trained, mean test accuracy over ${draws} draws.`,
  tolerance: `by importance >= ${bars.importance}, uniformly <= ${bars.uniform}`,
  source: 'Fang, Dong, Zhang 2019; published .7063 and .2412 on MNIST, with the readout trained anew',
  sabotage: 'drop-l2',
  async measure(context) {
    const { width, l2, phases } = sizes[context.preset];
    const data = digitsOf(context.preset, context.seed);
    context.progress?.(0, `training ${width} neurons`);
    const built = await trainedFeatures(data, width, phases, l2, context);
    const x = probeInputs(data);
    try {
      context.progress?.(0.9, 'drawing neurons');
      const weights = neuronImportance(built, x);
      const importance = prunedAccuracies(
        built,
        (random) => resampleByWeight(weights, kept, random),
        data,
        context,
      );
      const uniform = prunedAccuracies(
        built,
        (random) => resampleUniformly(width, kept, random),
        data,
        context,
      );
      const sorted = Array.from(weights).sort((a, b) => b - a);
      const order = Array.from({ length: draws }, (_, i) => i + 1);
      const ranked = (values: readonly number[]) => [...values].sort((a, b) => a - b);
      return {
        passed: mean(importance) >= bars.importance && mean(uniform) <= bars.uniform,
        predicted: bars.importance,
        measured: mean(importance),
        interval: null,
        note: `Ten neurons by importance ${short(mean(importance))}, uniformly ${short(mean(uniform))}; ${short(effectiveNeurons(weights))} of ${width} neurons count.`,
        figures: [
          {
            title: 'Accuracy of ten neurons, draws in order',
            xLabel: 'draw',
            yLabel: 'test accuracy',
            series: [
              { label: 'by importance', x: order, y: ranked(importance), style: 'dots' },
              { label: 'uniformly', x: order, y: ranked(uniform), style: 'dots' },
              { label: 'bars', x: [1, draws], y: [bars.importance, bars.importance], style: 'dashed' },
              { label: '', x: [1, draws], y: [bars.uniform, bars.uniform], style: 'dashed' },
            ],
          },
          {
            title: 'Importance of the neurons',
            xLabel: 'rank',
            yLabel: '|u| sd(h)',
            logX: true,
            logY: true,
            series: [{ label: 'neurons in order', x: sorted.map((_, j) => j + 1), y: sorted, style: 'line' }],
          },
        ],
      };
    } finally {
      x.dispose();
      built.model.dispose();
    }
  },
};
