import { neuronVariance, resampleByWeight } from '../../core/measures/neurons.js';
import { Random } from '../../core/random.js';
import * as tf from '../tf.js';
import type { BuiltModel } from './build.js';
import { activationsOf, neuronsOf, pickNeurons, writeNeurons } from './neurons.js';

export interface SubsamplingOptions {
  /** Numbers of neurons drawn. */
  readonly counts: readonly number[];
  /** Networks drawn of each size. */
  readonly draws: number;
  readonly seed: number;
}

export interface SubsamplingErrors {
  /** E |f_m - f|^2 over draws and inputs (summed over outputs) for each of `counts`. */
  readonly errors: readonly number[];
  /** Variance of u h over the neurons, mean over the inputs: m E |f_m - f|^2 in theory where alpha is 1. */
  readonly variance: number;
}

/**
 * What it costs to keep m neurons of a wide two-layer network, drawn independently and uniformly: mean square distance of
 * the outputs on inputs x [n, d]. `build` makes an untrained network of a width with the same scaling (disposed of here).
 */
export function subsamplingErrors(
  wide: BuiltModel,
  build: (width: number) => BuiltModel,
  x: tf.Tensor,
  { counts, draws, seed }: SubsamplingOptions,
): SubsamplingErrors {
  const neurons = neuronsOf(wide);
  const even = new Float64Array(neurons.u.rows).fill(1);
  const random = new Random(seed).fork('subsampling');
  const output = ({ model }: BuiltModel) => model.apply(x) as tf.Tensor;
  const f = tf.tidy(() => output(wide));
  const errors = counts.map((count) => {
    const small = build(count);
    let sum = 0;
    for (let k = 0; k < draws; k++) {
      writeNeurons(small, pickNeurons(neurons, resampleByWeight(even, count, random).indices));
      sum += tf.tidy(() => tf.sum(tf.square(tf.sub(output(small), f))).dataSync()[0]);
    }
    small.model.dispose();
    return sum / draws / (x.shape[0] as number);
  });
  f.dispose();
  return { errors, variance: neuronVariance(neurons.u, activationsOf(wide, x)) };
}
