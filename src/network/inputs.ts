import * as tf from './tf.js';

/** Inputs of a model, [n, ...], an array for several inputs. */
export type Inputs = tf.Tensor | tf.Tensor[];

export const sampleCount = (x: Inputs): number => (Array.isArray(x) ? x[0] : x).shape[0] as number;

/** The samples from `start` on, as new tensors. */
export function samplesOf(x: Inputs, start: number, count: number): Inputs {
  const cut = (t: tf.Tensor) =>
    tf.slice(t, [start, ...t.shape.slice(1).map(() => 0)], [count, ...t.shape.slice(1)]);
  return Array.isArray(x) ? x.map(cut) : cut(x);
}
