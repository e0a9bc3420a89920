/**
 * Where the weights of layers come from. Layers keep no reference from a weight to its initialiser, and a weight that was
 * set looks like one that was drawn; both are noted here as they happen, for every layer of this process: wrapped ones,
 * cells of recurrent ones and the user's own.
 */
import type { Random } from '../../core/random.js';
import * as tf from '../tf.js';

export interface Initializer {
  apply(shape: number[], dtype?: string): tf.Tensor;
  getClassName(): string;
  getConfig(): Readonly<Record<string, unknown>>;
}

const initializers = new WeakMap<tf.LayerVariable, Initializer>();
const set = new WeakSet<tf.LayerVariable>();
let unseen = false;

type AddWeight = (this: tf.layers.Layer, ...values: unknown[]) => tf.LayerVariable;
const layer = tf.layers.Layer.prototype as unknown as { addWeight: AddWeight };
const { addWeight } = layer;
layer.addWeight = function (...values) {
  const weight = addWeight.apply(this, values);
  const initializer = values[3];
  if (initializer) initializers.set(weight, initializer as Initializer);
  return weight;
};

const variable = tf.LayerVariable.prototype as unknown as {
  write: (this: tf.LayerVariable, value: tf.Tensor) => tf.LayerVariable;
};
const { write } = variable;
variable.write = function (value) {
  if (!unseen) set.add(this);
  return write.call(this, value);
};

/** What drew a weight at first. */
export const initializerOf = (weight: tf.LayerVariable): Initializer | undefined => initializers.get(weight);

/** Whether a weight was given values after it was drawn: by `setWeights`, from a file, as a layer's `weights`. */
export const wasSet = (weight: tf.LayerVariable): boolean => set.has(weight);

/** Gives a weight values of ours, which do not count as set. */
export function writeUnseen(weight: tf.LayerVariable, value: tf.Tensor): void {
  unseen = true;
  try {
    weight.write(value);
  } finally {
    unseen = false;
  }
}

/** Runs with `Math.random`, from which TensorFlow.js takes the seeds it is not given, drawn from `stream`. */
export function withSeededRandom<T>(stream: Random, run: () => T): T {
  const { random } = Math;
  Math.random = () => stream.uniform();
  try {
    return run();
  } finally {
    Math.random = random;
  }
}
