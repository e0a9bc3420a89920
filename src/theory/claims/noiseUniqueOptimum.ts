import { slicedWasserstein } from '../../core/measures/index.js';
import type { Claim, ClaimContext } from '../claim.js';
import { planeTask } from '../formulaTasks.js';
import { short } from '../laboratory.js';
import { type NoisyState, noisyDescent, noisyStep } from '../noisyDescent.js';
import { subSeeds } from '../subSeeds.js';

const width = 600;
const lambda = 0.1;
const temperature = 0.1;
const withNoise = 1.2;
const withoutNoise = 2;
/** Steps between snapshots: the memory of a neuron's place is of the order of 1 / lambda. */
const every = 50;
/** Runs from either start; those after the first of a start measure what another seed alone does. */
const repeats = { noisy: 2, still: 3 } as const;

/** Root mean square over pairs of runs of the distances at every snapshot. */
function distances(pairs: readonly (readonly [NoisyState[], NoisyState[]])[]): number[] {
  return pairs[0][0].map((_, t) =>
    rootMeanSquare(pairs.map(([a, b]) => slicedWasserstein(a[t].cloud, b[t].cloud))),
  );
}

const rootMeanSquare = (values: readonly number[]): number =>
  Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);

/** All pairs of different runs of a list. */
const among = <T>(runs: readonly T[]): (readonly [T, T])[] =>
  runs.flatMap((a, i) => runs.slice(i + 1).map((b) => [a, b] as const));
const across = <T>(as: readonly T[], bs: readonly T[]): (readonly [T, T])[] =>
  as.flatMap((a) => bs.map((b) => [a, b] as const));

interface LearningCurve {
  readonly time: readonly number[];
  /** Between runs from different starts, and between runs from the same. */
  readonly between: readonly number[];
  readonly seeds: readonly number[];
}

async function course(
  context: ClaimContext,
  steps: number,
  noise: boolean,
  tell: (share: number) => void,
): Promise<LearningCurve> {
  const data = planeTask(context.seed);
  const counts = noise ? [repeats.noisy, repeats.noisy] : [repeats.still, 1];
  const seeds = subSeeds(context, counts[0] + counts[1]);
  const runs: NoisyState[][] = [];
  for (const [i, seed] of seeds.entries()) {
    tell(i / seeds.length);
    const start = i < counts[0] ? 'near' : 'far';
    const tau = noise ? temperature : 0;
    runs.push(
      await noisyDescent({ data, width, start, lambda, temperature: tau, steps, every, seed }, context),
    );
  }
  const [near, far] = [runs.slice(0, counts[0]), runs.slice(counts[0])];
  return {
    time: near[0].map((s) => s.time),
    between: distances(across(near, far)),
    seeds: distances([...among(near), ...among(far)]),
  };
}

/** Mei, Montanari, Nguyen 2018: entropy makes the problem convex in the distribution, so noisy descent forgets its start. */
export const noiseUniqueOptimum: Claim = {
  id: 'noise-unique-optimum',
  title: 'With noise the start is forgotten',
  theme: ['E'],
  statement:
    'Noisy gradient descent with L2 ends at the same distribution of neurons from any start; without noise the start decides where it ends.',
  setting: `f = (1/m) sum u tanh(theta.x), d = 2, n = 100, y = tanh(2 x1) - .5 tanh(x1 - 1.5 x2), m = ${width}, lambda = ${lambda}, tau = ${temperature}, dt = ${noisyStep}, T = 120 with and 80 without noise (quick), 800 (full); starts N(0, I) and N((2; 2, -2), .09 I), ${repeats.noisy} runs each with noise, ${repeats.still} and 1 without; sliced Wasserstein-2 distance, root mean square over pairs of runs, with noise over snapshots ${every * noisyStep} apart in the last third of the run, without noise at the end.`,
  tolerance: `distance between starts / between seeds of one start: at most ${withNoise} with noise, at least ${withoutNoise} without`,
  source: 'Mei, Montanari, Nguyen 2018; Fang, Dong, Zhang 2021',
  sabotage: 'drop-noise',
  async measure(context) {
    const steps = context.preset === 'full' ? { noisy: 8000, still: 8000 } : { noisy: 1200, still: 800 };
    const noisy = await course(context, steps.noisy, true, (s) => context.progress?.(s / 2, 'with noise'));
    const still = await course(context, steps.still, false, (s) =>
      context.progress?.(0.5 + s / 2, 'without'),
    );
    const settled = (values: readonly number[]) =>
      rootMeanSquare(values.slice(Math.ceil((2 / 3) * (values.length - 1))));
    const [between, seeds] = [settled(noisy.between), settled(noisy.seeds)];
    const [stillBetween, stillSeeds] = [still.between, still.seeds].map((d) => d[d.length - 1]);
    const ratio = between / seeds;
    const stillRatio = stillBetween / stillSeeds;
    return {
      passed: ratio <= withNoise && stillRatio >= withoutNoise,
      predicted: 1,
      measured: ratio,
      interval: null,
      note: `With noise ${short(between)} between starts against ${short(seeds)} between seeds; without ${short(stillBetween)} against ${short(stillSeeds)} (ratio ${short(stillRatio)}).`,
      figures: [
        { title: 'With noise', run: noisy },
        { title: 'Without noise', run: still },
      ].map(({ title, run }) => ({
        title: `${title}: distance of the distributions of neurons`,
        xLabel: 'training time',
        yLabel: 'sliced Wasserstein-2',
        logY: true,
        series: [
          { label: 'between starts', x: run.time, y: run.between, style: 'line' as const },
          { label: 'between seeds of one start', x: run.time, y: run.seeds, style: 'dashed' as const },
        ],
      })),
    };
  },
};
