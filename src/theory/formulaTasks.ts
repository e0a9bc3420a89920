import { Random } from '../core/random.js';
import { type Dataset, type Split, targetsOf } from '../network/data/index.js';

/** Tasks of the claims whose targets are a formula that no data spec names. */

interface Sizes {
  readonly dimension: number;
  readonly train: number;
  readonly test?: number;
}

function inputs(size: number, dimension: number, random: Random): Float32Array {
  return Float32Array.from(random.normals(size * dimension));
}

/** x ~ N(0, I_d) with the targets y = target(x). */
export function formulaTask(
  name: string,
  { dimension, train, test = 0 }: Sizes,
  target: (x: Float32Array) => number,
  seed: number,
): Dataset {
  const random = new Random(seed).fork(`task/${name}`);
  const part = (size: number, stream: string): Split => {
    const x = inputs(size, dimension, random.fork(stream));
    const y = Float32Array.from({ length: size }, (_, i) =>
      target(x.subarray(i * dimension, (i + 1) * dimension)),
    );
    return { size, x, y, labels: null };
  };
  return {
    name,
    inputShape: [dimension],
    outputs: 1,
    classes: null,
    train: part(train, 'train'),
    test: part(test, 'test'),
  };
}

/** x ~ N(0, I_d) in two classes, the sign of score(x), with one-hot targets for cross-entropy. */
export function signTask(
  name: string,
  { dimension, train, test = 0 }: Sizes,
  score: (x: Float32Array) => number,
  seed: number,
): Dataset {
  const scored = formulaTask(name, { dimension, train, test }, score, seed);
  const part = ({ size, x, y }: Split): Split => {
    const labels = Int32Array.from(y, (s) => (s > 0 ? 1 : 0));
    return { size, x, labels, y: targetsOf(labels, 2, 'crossEntropy').y };
  };
  return { ...scored, outputs: 2, classes: 2, train: part(scored.train), test: part(scored.test) };
}

/** y = tanh(2 x1) - .5 tanh(x1 - 1.5 x2) on 100 points of the plane: the task of the claims about noisy descent. */
export const planeTask = (seed: number): Dataset =>
  formulaTask(
    'plane',
    { dimension: 2, train: 100 },
    (x) => Math.tanh(2 * x[0]) - 0.5 * Math.tanh(x[0] - 1.5 * x[1]),
    seed,
  );

/** y = tanh(x1 - x2) in five dimensions: the task of the claims about deep networks. */
export const differenceTask = (seed: number, train = 24, test = 0): Dataset =>
  formulaTask('difference', { dimension: 5, train, test }, (x) => Math.tanh(x[0] - x[1]), seed);

/**
 * The task with the outputs `start` [n, O] of a network added to its training targets, so that training that network on
 * it is training the network minus its start on the task.
 */
export function centredOn(data: Dataset, start: ArrayLike<number>): Dataset {
  const { train } = data;
  return { ...data, train: { ...train, y: train.y.map((y, i) => y + start[i]) } };
}
