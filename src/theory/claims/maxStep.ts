import { DivergedError } from '../../core/errors.js';
import { median } from '../../core/stats/index.js';
import type { Dataset } from '../../network/data/index.js';
import { train } from '../../network/training/index.js';
import type { Claim, ClaimContext } from '../claim.js';
import { dataOf, interactionTask, networkOf, short, training, twoLayerNet, within } from '../laboratory.js';
import { stepOf, subSeeds } from '../subSeeds.js';

const steps = 100;
/** Rise of the loss in one step that is more than rounding. */
const rounding = 1e-4;
/** Step sizes searched, in units of theory's 2 n / lambda_max. */
const bracket = [0.4, 2.5] as const;
const halvings = 8;

interface Probe {
  readonly share: number;
  readonly losses: readonly number[];
  readonly rises: boolean;
}

/** Trains with `share` of 2 n / lambda_max until the loss rises, or for all steps. */
async function probe(
  share: number,
  width: number,
  data: Dataset,
  context: ClaimContext,
  seed: number,
): Promise<Probe> {
  const built = networkOf(twoLayerNet(width), data, context, seed);
  const definition = training({
    optimizer: { kind: 'sgd', learningRate: await stepOf(built, data, 2 * share) },
    steps,
    seed,
    measure: { kernels: 0, metricsEvery: 1 },
  });
  const losses: number[] = [];
  let rises = false;
  try {
    for await (const record of train(
      { built, data, definition, sabotage: context.sabotage },
      { signal: context.signal },
    )) {
      if (record.kind !== 'metrics') continue;
      const { loss } = record.values;
      rises = loss > (losses.at(-1) ?? Number.POSITIVE_INFINITY) * (1 + rounding);
      losses.push(loss);
      if (rises) break;
    }
  } catch (error) {
    if (!(error instanceof DivergedError)) throw error;
    rises = true;
  } finally {
    built.model.dispose();
  }
  context.signal?.throwIfAborted();
  return { share, losses, rises };
}

/** Smallest step size, as a share of 2 n / lambda_max, at which the loss rises; by bisection on a log scale. */
async function threshold(
  tryShare: (share: number) => Promise<Probe>,
): Promise<{ readonly share: number; readonly below: Probe; readonly above: Probe }> {
  let below = await tryShare(bracket[0]);
  let above = await tryShare(bracket[1]);
  for (let i = 0; i < halvings; i++) {
    const middle = await tryShare(Math.sqrt(below.share * above.share));
    if (middle.rises) above = middle;
    else below = middle;
  }
  return { share: Math.sqrt(below.share * above.share), below, above };
}

/** Fang, Dong, Zhang 2021; Lewkowycz et al. 2020: gradient descent is stable up to eta = 2 n / lambda_max of the kernel. */
export const maxStep: Claim = {
  id: 'max-step',
  title: 'The kernel gives the largest stable step',
  theme: ["C'"],
  statement: 'The loss falls at every step as long as eta < 2 n / lambda_max, and rises beyond.',
  setting: `Two-layer tanh, d = 10, n = 48, m = 1024 (quick), 4096 (full), alpha = sqrt(m), symmetrised, ${steps} steps; smallest step size at which the loss rises between two steps, bisected; median over 3 tasks and starts.`,
  tolerance: 'threshold / (2 n / lambda_max) = 1 ± .1',
  source: 'Fang, Dong, Zhang 2021; Lewkowycz, Bahri, Dyer, Sohl-Dickstein, Gur-Ari 2020',
  sabotage: 'doubled-step',
  async measure(context) {
    const width = context.preset === 'full' ? 4096 : 1024;
    const seeds = subSeeds(context, 3);
    const found: Awaited<ReturnType<typeof threshold>>[] = [];
    for (const [i, seed] of seeds.entries()) {
      const data = dataOf(interactionTask({ test: 0 }), seed);
      let tried = 0;
      found.push(
        await threshold((share) => {
          context.progress?.((i + tried++ / (halvings + 2)) / seeds.length, `step ${short(share)}`);
          return probe(share, width, data, context, seed);
        }),
      );
    }
    const shares = found.map((f) => f.share);
    const measured = median(shares);
    return {
      passed: within(measured, 1, 0.1),
      predicted: 1,
      measured,
      interval: null,
      note: `Thresholds of single tasks in units of 2 n / lambda_max: ${shares.map((s) => s.toFixed(3)).join(', ')}; just above it the loss rises at step ${found.map((f) => f.above.losses.length - 1).join(', ')}.`,
      figures: [
        {
          title: 'Loss just below and just above the threshold',
          xLabel: 'step',
          yLabel: 'loss',
          logY: true,
          series: [found[0].below, found[0].above].map(({ share, losses, rises }) => ({
            label: `eta = ${share.toFixed(3)} of 2 n / lambda_max${rises ? ', rises' : ''}`,
            x: losses.map((_, t) => t),
            y: losses,
            style: rises ? ('dots' as const) : ('line' as const),
          })),
        },
        {
          title: 'Threshold of single tasks',
          xLabel: 'task',
          yLabel: 'threshold / (2 n / lambda_max)',
          series: [
            { label: 'measured', x: shares.map((_, i) => i + 1), y: shares, style: 'dots' },
            { label: 'theory', x: [1, shares.length], y: [1, 1], style: 'dashed' },
          ],
        },
      ],
    };
  },
};
