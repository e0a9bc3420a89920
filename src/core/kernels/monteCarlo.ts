import { type Matrix, matrix } from '../linalg/matrix.js';

/** The estimate after `count` finite networks. */
export interface Refinement {
  readonly count: number;
  readonly mean: Matrix;
  /** Of the mean, element by element; NaN for one sample. */
  readonly standardError: Matrix;
}

/**
 * Monte-Carlo estimate of an infinite-width kernel as refinements, one a sample: `sample(seed)` gives the kernel of one
 * random finite network. The mean keeps a bias of order 1 / width. Welford's recursion. Ends after `limit` samples.
 */
export async function* monteCarloKernel(
  sample: (seed: number) => Promise<Matrix>,
  firstSeed = 0,
  limit = Infinity,
): AsyncGenerator<Refinement, void, void> {
  let mean: Float64Array | undefined;
  let squares = new Float64Array();
  for (let count = 1; count <= limit; count++) {
    const k = await sample(firstSeed + count - 1);
    mean ??= new Float64Array(k.data.length);
    if (count === 1) squares = new Float64Array(k.data.length);
    if (k.data.length !== mean.length)
      throw new RangeError(`Sample ${count} has ${k.data.length} values, the first had ${mean.length}.`);
    for (let i = 0; i < mean.length; i++) {
      const off = k.data[i] - mean[i];
      mean[i] += off / count;
      squares[i] += off * (k.data[i] - mean[i]);
    }
    const error = squares.map((s) => Math.sqrt(s / (count - 1) / count));
    yield { count, mean: matrix(k.rows, k.cols, mean.slice()), standardError: matrix(k.rows, k.cols, error) };
  }
}
