import { limitKernel } from '../../core/kernels/limit.js';
import { type Matrix, matrixFrom } from '../../core/linalg/matrix.js';
import { labelComplexity as complexityOf } from '../../core/measures/kernel.js';
import { shuffleLabels } from '../../core/measures/labels.js';
import { Random } from '../../core/random.js';
import { mean } from '../../core/stats/index.js';
import { architectureOf } from '../../network/limit/architectureOf.js';
import type { Claim, ClaimContext } from '../claim.js';
import { dataOf, kernelOn, networkOf, ridgeTask, short, twoLayerNet } from '../laboratory.js';
import { geometricMeans, subSeeds, typicalOf } from '../subSeeds.js';

const bar = 0.5;
const shares = [0, 0.25, 0.5, 0.75, 1];
const shuffles = 4;

interface Measured {
  /** Complexity of the labels with a share of them shuffled, mean over shuffles, on the network's kernel. */
  readonly network: readonly number[];
  /** The same on the infinite-width kernel, for the true and the shuffled labels. */
  readonly limit: readonly number[];
}

async function complexities(
  width: number,
  n: number,
  context: ClaimContext,
  seed: number,
): Promise<Measured> {
  const { sabotage } = context;
  const data = dataOf(ridgeTask({ train: n, test: 0 }), seed, { sabotage });
  const built = networkOf(twoLayerNet(width), data, context, seed);
  const y = matrixFrom(n, 1, data.train.y);
  const along = (k: Matrix, which: readonly number[]) =>
    which.map((share) => {
      const random = new Random(seed).fork(`shuffle/${share}`);
      const count = share === 0 ? 1 : shuffles;
      return mean(
        Array.from(
          { length: count },
          () => complexityOf(k, shuffleLabels(y, share, random), { traceNormalised: true }).value,
        ),
      );
    });
  const inputs = { shape: [n, ...data.inputShape], data: Float64Array.from(data.train.x) };
  const limit = limitKernel(architectureOf(built.model), inputs, null, { kind: 'ntk' });
  const network = matrixFrom(n, n, await kernelOn(built, data));
  built.model.dispose();
  return { network: along(network, shares), limit: along(limit, [0, 1]) };
}

/** Arora, Du, Hu, Li, Wang 2019: the kernel at the start tells tasks that can be learnt from those that cannot. */
export const labelComplexity: Claim = {
  id: 'label-complexity',
  title: 'The kernel at the start ranks tasks',
  theme: ['H'],
  statement:
    "sqrt(2 y' Theta^-1 y / n) bounds the test error of wide networks up to lower-order terms; it is small for labels with structure and large for shuffled ones.",
  setting: `y = tanh(3 w.x), d = 20, x ~ N(0, I), n = 200 (quick) or 400; kernel of a two-layer tanh network at its symmetrised start, m = 1000, alpha = sqrt(m), and that of infinite width, divided by tr / n, inverted in float64 without a ridge; a share 0 .. 1 of the labels shuffled, ${shuffles} shuffles, 5 tasks and starts.`,
  tolerance: `true labels below ${bar} of shuffled ones, on both kernels; the more are shuffled, the higher`,
  source: 'Arora, Du, Hu, Li, Wang 2019; Fang, Dong, Zhang 2021',
  sabotage: 'shifted-labels',
  async measure(context) {
    const n = context.preset === 'full' ? 400 : 200;
    const seeds = subSeeds(context, 5);
    const runs: Measured[] = [];
    for (const [i, seed] of seeds.entries()) {
      context.signal?.throwIfAborted();
      context.progress?.(i / seeds.length, `task ${i + 1} of ${seeds.length}`);
      runs.push(await complexities(1000, n, context, seed));
    }
    const last = shares.length - 1;
    const network = typicalOf(runs.map((r) => r.network[0] / r.network[last]));
    const limit = typicalOf(runs.map((r) => r.limit[0] / r.limit[1]));
    const law = geometricMeans(runs.map((r) => r.network));
    const ranked = law.every((value, k) => k === 0 || value > law[k - 1]);
    return {
      passed: network.value < bar && limit.value < bar && ranked,
      predicted: bar,
      measured: network.value,
      interval: network.interval,
      note: `Complexity ${law.map(short).join(', ')} with ${shares.map((s) => 100 * s).join(', ')} % of the labels shuffled; at infinite width the true labels cost ${short(limit.value)} of shuffled ones. Theory's number is the largest ratio allowed.`,
      figures: [
        {
          title: 'Label complexity against the share of shuffled labels',
          xLabel: 'share shuffled',
          yLabel: "sqrt(2 y' K^-1 y / n), tr K = n",
          series: [
            {
              label: 'single tasks',
              x: runs.flatMap(() => shares),
              y: runs.flatMap((r) => r.network),
              style: 'dots',
            },
            { label: 'geometric mean', x: shares, y: law, style: 'line' },
            {
              label: `bar for true labels, ${bar} of all shuffled`,
              x: [0, 1],
              y: [bar * law[last], bar * law[last]],
              style: 'dashed',
            },
          ],
        },
      ],
    };
  },
};
