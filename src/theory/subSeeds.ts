import { eigenvalues } from '../core/linalg/eigen.js';
import { matrixFrom } from '../core/linalg/matrix.js';
import { commonSlopeFit, type LineFit, mean, meanInterval, median } from '../core/stats/index.js';
import type { Dataset } from '../network/data/index.js';
import type { BuiltModel } from '../network/models/build.js';
import type { ClaimContext } from './claim.js';
import { kernelOn } from './laboratory.js';

/** One network is one draw; claims about typical behaviour average over several tasks and starts. */

/** Seeds of `count` independent repetitions within one run of a claim. */
export const subSeeds = (context: Pick<ClaimContext, 'seed'>, count: number): number[] =>
  Array.from({ length: count }, (_, i) => context.seed * 1000 + i);

/** Median of each column over `runs`, [repetitions][points] to [points]. */
export const medians = (runs: readonly (readonly number[])[]): number[] =>
  runs[0].map((_, k) => median(runs.map((run) => run[k])));

/** Geometric mean of each column over `runs`: for positive quantities whose logarithms scatter evenly. */
export const geometricMeans = (runs: readonly (readonly number[])[]): number[] =>
  runs[0].map((_, k) => Math.exp(mean(runs.map((run) => Math.log(run[k])))));

/** Geometric mean of one positive quantity over runs, with its 95 % confidence interval (Student t on the logarithms). */
export function typicalOf(values: readonly number[]): {
  readonly value: number;
  readonly interval: readonly [number, number];
} {
  const logs = values.map(Math.log);
  const [low, high] = meanInterval(logs).map(Math.exp);
  return { value: Math.exp(mean(logs)), interval: [low, high] };
}

/**
 * The power law through all points of all `runs`: its slope is that of the geometric means, and the interval leaves out
 * what runs differ by as a whole (their constants).
 */
export const pooledFit = (x: readonly number[], runs: readonly (readonly number[])[]): LineFit => {
  const log = (value: number) => (value > 0 ? Math.log(value) : Number.NaN);
  return commonSlopeFit(
    x.map(log),
    runs.map((run) => run.map(log)),
  );
};

/** Eigenvalues of the trace kernel on the training inputs, descending. */
export async function spectrumOf(built: BuiltModel, data: Dataset): Promise<Float64Array> {
  const n = data.train.size;
  return eigenvalues(matrixFrom(n, n, await kernelOn(built, data)));
}

/** The step `share` n / lambda_max of the kernel at the start (one output); 2 n / lambda_max is the stability limit. */
export async function stepOf(built: BuiltModel, data: Dataset, share: number): Promise<number> {
  return (share * data.train.size) / (await spectrumOf(built, data))[0];
}
