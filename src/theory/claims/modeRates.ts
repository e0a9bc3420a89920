import { eigenvalues } from '../../core/linalg/eigen.js';
import { matrixFrom } from '../../core/linalg/matrix.js';
import { linearFit, median } from '../../core/stats/index.js';
import type { Claim, ClaimContext } from '../claim.js';
import {
  dataOf,
  interactionTask,
  kernelOn,
  networkOf,
  snapshotsOf,
  training,
  trainToEnd,
  twoLayerNet,
} from '../laboratory.js';
import { subSeeds } from '../subSeeds.js';

const width = 4096;
const modes = 12;
/** A mode is followed until this share of its residual is left; below, what leaks in from larger modes shows. */
const followed = 0.1;

interface ModeCourse {
  readonly steps: readonly number[];
  /** |v_k . (f - y)| relative to its start, [measurements]. */
  readonly left: readonly number[];
  /** Theory's share left after one step, 1 - eta lambda_k / n. */
  readonly factor: number;
  /** Fitted over predicted rate. */
  readonly ratio: number;
}

async function coursesOf(context: ClaimContext, seed: number): Promise<ModeCourse[]> {
  const data = dataOf(interactionTask(), seed);
  const n = data.train.size;
  const built = networkOf(twoLayerNet(width), data, context, seed);
  const spectrum = eigenvalues(matrixFrom(n, n, await kernelOn(built, data)));
  const rate = (0.2 * n) / spectrum[0];
  const { records } = await trainToEnd(
    built,
    data,
    training({
      optimizer: { kind: 'sgd', learningRate: rate },
      steps: 400,
      stop: { lossFraction: 0.01 },
      seed,
      measure: { kernels: 32, metricsEvery: 400 },
    }),
    context,
  );
  built.model.dispose();
  const residuals = snapshotsOf(records, 'residual');
  return Array.from({ length: modes }, (_, k) => {
    const left = residuals.map((r) => r.data[k] / residuals[0].data[k]);
    const end = left.findIndex((v) => v < followed);
    const used = Math.max(2, end < 0 ? left.length : end);
    const steps = residuals.map((r) => r.step);
    const factor = 1 - (rate * spectrum[k]) / n;
    const fit = linearFit(steps.slice(0, used), left.slice(0, used).map(Math.log));
    return { steps, left, factor, ratio: fit.slope / Math.log(factor) };
  });
}

/** Du et al. 2019; Arora et al. 2019: in the lazy regime every eigenmode of the residual decays at its own rate. */
export const modeRates: Claim = {
  id: 'mode-rates',
  title: 'Every eigenmode is learned at its own rate',
  theme: ["C'"],
  statement:
    'Under full-batch gradient descent the residual along eigenvector i of the kernel shrinks by 1 - eta lambda_i / n a step.',
  setting: `Two-layer tanh, d = 10, n = 48, m = ${width}, alpha = sqrt(m), symmetrised, eta = .2 n / lambda_max, until 1 % of the initial loss; rate of each mode fitted down to ${100 * followed} % of its residual, medians over 3 tasks and starts.`,
  tolerance: `fitted / predicted rate in [.95, 1.05] for each of the top ${modes} modes`,
  source: 'Arora, Du, Hu, Li, Wang 2019; Fang, Dong, Zhang 2021',
  sabotage: 'doubled-step',
  async measure(context) {
    const seeds = subSeeds(context, 3);
    const runs: ModeCourse[][] = [];
    for (const [i, seed] of seeds.entries()) {
      context.progress?.(i / seeds.length, `task ${i + 1} of ${seeds.length}`);
      runs.push(await coursesOf(context, seed));
    }
    const ratios = Array.from({ length: modes }, (_, k) => median(runs.map((run) => run[k].ratio)));
    const low = Math.min(...ratios);
    const high = Math.max(...ratios);
    const shown = [0, 1, 4, 8, 11];
    return {
      passed: low >= 0.95 && high <= 1.05,
      predicted: 1,
      measured: Math.abs(low - 1) > Math.abs(high - 1) ? low : high,
      interval: null,
      note: `Ratios of the top ${modes} modes, first to last: ${ratios.map((r) => r.toFixed(3)).join(', ')}.`,
      figures: [
        {
          title: 'Residual of single modes, measured and predicted',
          xLabel: 'step',
          yLabel: 'share left',
          logY: true,
          series: shown.flatMap((k) => {
            const { steps, left, factor } = runs[0][k];
            const end = left.findIndex((v) => v < 0.01);
            const until = end < 0 ? steps : steps.slice(0, end);
            return [
              { label: `mode ${k + 1}`, x: until, y: left.slice(0, until.length), style: 'dots' as const },
              {
                label: `mode ${k + 1}, theory`,
                x: until,
                y: until.map((t) => factor ** t),
                style: 'dashed' as const,
              },
            ];
          }),
        },
        {
          title: 'Fitted over predicted rate',
          xLabel: 'mode',
          yLabel: 'ratio',
          series: [
            { label: 'median over tasks', x: ratios.map((_, k) => k + 1), y: ratios, style: 'dots' },
            { label: 'theory', x: [1, modes], y: [1, 1], style: 'dashed' },
          ],
        },
      ],
    };
  },
};
