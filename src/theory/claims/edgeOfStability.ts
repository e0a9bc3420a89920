import { mean } from '../../core/stats/index.js';
import type { Claim, ClaimContext } from '../claim.js';
import { formulaTask } from '../formulaTasks.js';
import { columnOf, networkOf, short, training, trainToEnd, twoLayerNet, within } from '../laboratory.js';

const width = 64;
const tolerance = 0.05;
/** Step sizes; at the large ones the loss would take more curvature than the step allows, which is the claim's case. */
const rates = [0.5, 2, 4, 8];
const large = [4, 8];
/** Measurements of the sharpness in a run, evenly spaced. */
const looks = 16;

interface Run {
  readonly rate: number;
  readonly step: readonly number[];
  /** sharpness * eta / 2 */
  readonly stability: readonly number[];
  readonly settled: number;
}

async function runOf(context: ClaimContext, rate: number, steps: number): Promise<Run> {
  const data = formulaTask(
    'sign of a product',
    { dimension: 5, train: 60 },
    (x) => Math.sign(x[0] * x[1]),
    context.seed,
  );
  const built = networkOf(twoLayerNet(width, { init: 'gaussian' }), data, context);
  try {
    const { rows } = await trainToEnd(
      built,
      data,
      training({
        optimizer: { kind: 'sgd', learningRate: rate },
        steps,
        probe: 2,
        seed: context.seed,
        measure: {
          kernels: 2,
          every: Math.round(steps / looks),
          sharpness: true,
          metricsEvery: steps,
        },
      }),
      context,
    );
    const { step, value } = columnOf(rows, 'sharpness');
    const stability = value.map((sharpness) => (sharpness * rate) / 2);
    return { rate, step, stability, settled: mean(stability.filter((_, i) => step[i] >= 0.75 * steps)) };
  } finally {
    built.model.dispose();
  }
}

/** Cohen, Kaur, Li, Kolter, Talwalkar 2021: at a large step the sharpness rises to 2 / eta and hovers there. */
export const edgeOfStability: Claim = {
  id: 'edge-of-stability',
  title: 'At a large step training lives at the edge of stability',
  theme: ['beyond'],
  statement:
    'Full-batch gradient descent at a large step size eta neither diverges nor stays below: the top eigenvalue of the Hessian of the loss settles at 2 / eta.',
  setting: `Two-layer tanh, m = ${width}, alpha = sqrt(m), plain start, d = 5, n = 60, y = sign(x1 x2), eta = ${rates.join(', ')}, 2000 (quick) or 8000 steps; sharpness by Lanczos on exact Hessian products, mean over the last quarter.`,
  tolerance: `sharpness * eta / 2 = 1 ± ${tolerance} at eta = ${large.join(' and ')}`,
  source: 'Cohen, Kaur, Li, Kolter, Talwalkar 2021',
  sabotage: 'doubled-step',
  async measure(context) {
    const steps = context.preset === 'full' ? 8000 : 2000;
    const runs: Run[] = [];
    for (const [i, rate] of rates.entries()) {
      context.progress?.(i / rates.length, `eta = ${rate}`);
      runs.push(await runOf(context, rate, steps));
    }
    const edge = runs.filter(({ rate }) => large.includes(rate));
    const worst = edge.reduce((a, b) => (Math.abs(b.settled - 1) > Math.abs(a.settled - 1) ? b : a));
    return {
      passed: edge.every(({ settled }) => within(settled, 1, tolerance)),
      predicted: 1,
      measured: worst.settled,
      interval: null,
      note: `sharpness * eta / 2 settles at ${runs.map(({ rate, settled }) => `${short(settled)} (eta = ${rate})`).join(', ')}.`,
      figures: [
        {
          title: 'Sharpness against the stability limit',
          xLabel: 'step',
          yLabel: 'sharpness * eta / 2',
          series: [
            ...runs.map(({ rate, step, stability }) => ({
              label: `eta = ${rate}`,
              x: step,
              y: stability,
              style: 'line' as const,
            })),
            { label: 'edge of stability', x: [0, steps], y: [1, 1], style: 'dashed' as const },
          ],
        },
      ],
    };
  },
};
