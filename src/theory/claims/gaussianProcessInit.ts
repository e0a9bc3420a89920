import { limitKernel } from '../../core/kernels/limit.js';
import type { Matrix } from '../../core/linalg/matrix.js';
import { Random } from '../../core/random.js';
import { say } from '../../core/say.js';
import { ksNormal, median, normalCdf } from '../../core/stats/index.js';
import type { Dataset } from '../../network/data/index.js';
import { architectureOf } from '../../network/limit/architectureOf.js';
import type { Claim, ClaimContext } from '../claim.js';
import {
  dataOf,
  interactionTask,
  networkOf,
  outputsOf,
  powerLawFigure,
  relativeDistance,
  short,
  twoLayerNet,
  within,
} from '../laboratory.js';
import { geometricMeans, pooledFit, subSeeds } from '../subSeeds.js';

const width = 1024;
const draws = 500;
const counts = [16, 32, 63, 125, 250, 500];
const spec = twoLayerNet(width, { init: 'gaussian' });

/** Outputs at the start, [draws][n]. */
function drawn(data: Dataset, context: ClaimContext, set: string): Float32Array[] {
  return Array.from({ length: draws }, (_, i) => {
    context.signal?.throwIfAborted();
    const built = networkOf(spec, data, context, new Random(context.seed).fork(`${set}/${i}`).bits());
    try {
      return outputsOf(built, data);
    } finally {
      built.model.dispose();
    }
  });
}

/** (1 / count) sum f f' of the first draws, [n, n]; the mean is known to be zero. */
function covariance(outputs: readonly Float32Array[], count: number): Float64Array {
  const n = outputs[0].length;
  const out = new Float64Array(n * n);
  for (let s = 0; s < count; s++)
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) out[i * n + j] += (outputs[s][i] * outputs[s][j]) / count;
  return out;
}

/** The process of infinite width on the training inputs, [n, n]. */
function limitCovariance(data: Dataset, context: ClaimContext): Matrix {
  const built = networkOf(spec, data, context);
  try {
    const inputs = { shape: [data.train.size, ...data.inputShape], data: Float64Array.from(data.train.x) };
    return limitKernel(architectureOf(built.model), inputs, null, { kind: 'nngp' });
  } finally {
    built.model.dispose();
  }
}

/** Neal 1996; Lee et al. 2018: wide networks at their start are draws from a Gaussian process. */
export const gaussianProcessInit: Claim = {
  id: 'gaussian-process-init',
  title: 'At the start a wide network is a Gaussian process',
  theme: ['C'],
  statement:
    "Over plain random starts the outputs are Gaussian with the covariance E h h' of infinite width.",
  setting: `Two-layer tanh, d = 10, 24 inputs, m = ${width}, alpha = sqrt(m), plain start; 3 sets of ${draws} draws of f_0; Kolmogorov-Smirnov test of the outputs on one input of each set against N(0, K(x, x)), median p; relative covariance error of the first ${counts[0]} .. ${draws} draws.`,
  tolerance:
    'p > .01 against the analytic covariance; slope of log covariance error in log draws: -1/2 ± .15',
  source: 'Neal 1996; Lee, Bahri, Novak, Schoenholz, Pennington, Sohl-Dickstein 2018',
  sabotage: 'wrong-start-variance',
  async measure(context) {
    const data = dataOf(interactionTask({ train: 24, test: 0 }), context.seed);
    const limit = limitCovariance(data, context);
    const sets = subSeeds(context, context.preset === 'full' ? 7 : 3);
    const errors: number[][] = [];
    const tests: { readonly p: number; readonly standardised: readonly number[] }[] = [];
    for (const [i, set] of sets.entries()) {
      context.progress?.(i / sets.length, `${draws} networks, set ${i + 1}`);
      const outputs = drawn(data, context, String(set));
      errors.push(counts.map((count) => relativeDistance(covariance(outputs, count), limit.data)));
      const deviation = Math.sqrt(limit.data[i * limit.cols + i]);
      const standardised = outputs.map((f) => f[i] / deviation).sort((a, b) => a - b);
      tests.push({ p: ksNormal(standardised).pValue, standardised });
      await new Promise((resolve) => setImmediate(resolve));
    }
    const fit = pooledFit(counts, errors);
    const p = median(tests.map((t) => t.p));
    const [{ standardised }] = tests;
    const axis = Array.from({ length: 61 }, (_, k) => -3 + k / 10);
    return {
      passed: p > 0.01 && within(fit.slope, -0.5, 0.15),
      predicted: -0.5,
      measured: fit.slope,
      interval: fit.interval,
      note: `Kolmogorov-Smirnov p ${tests.map((t) => short(t.p)).join(', ')} (median ${short(p)}); covariance error ${short(100 * geometricMeans(errors)[counts.length - 1])} % after ${draws} draws.`,
      figures: [
        powerLawFigure('Covariance of the outputs against its limit', say`draws`, [
          { label: 'relative error', x: counts, y: geometricMeans(errors), fit },
        ]),
        {
          title: 'Outputs on one input over the starts',
          xLabel: 'f_0(x) / sqrt K(x, x)',
          yLabel: 'distribution function',
          series: [
            {
              label: 'measured',
              x: standardised,
              y: standardised.map((_, k) => (k + 0.5) / draws),
              style: 'line',
            },
            { label: 'normal', x: axis, y: axis.map(normalCdf), style: 'dashed' },
          ],
        },
      ],
    };
  },
};
