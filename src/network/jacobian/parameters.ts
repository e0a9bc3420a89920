import { FailureError } from '../../core/errors.js';
import { trainableWeights } from '../graph/program.js';
import * as tf from '../tf.js';

/**
 * The trainable weights of a model, in the order of `model.trainableWeights`, and its other weights. Vectors over parameters
 * are lists of tensors, one a weight, with the weight's shape.
 */
export class Parameters {
  readonly variables: readonly tf.Variable[];
  /** Name of the layer that owns each variable. */
  readonly owners: readonly string[];
  /** Number of trainable scalars, P. */
  readonly size: number;
  private readonly others: readonly tf.Variable[];

  constructor(model: tf.LayersModel) {
    const weights = trainableWeights(model);
    const trained = new Set(weights.map(({ variable }) => variable));
    this.variables = [...trained];
    this.owners = weights.map(({ group }) => group);
    this.size = this.variables.reduce((sum, v) => sum + v.size, 0);
    this.others = model.weights.map((w) => w.read() as tf.Variable).filter((v) => !trained.has(v));
    if (this.size === 0)
      throw new FailureError(
        'The model has no trainable weights, so it has no Jacobian. Set `trainable: true` on a layer.',
      );
  }

  /** A list of tensors from P numbers in order; the caller disposes. */
  split(values: ArrayLike<number>): tf.Tensor[] {
    let at = 0;
    return this.variables.map((variable) => {
      const part = new Float32Array(variable.size);
      for (let i = 0; i < part.length; i++) part[i] = values[at + i];
      at += part.length;
      return tf.tensor(part, variable.shape);
    });
  }

  /** The P numbers of a list of tensors, in float64. */
  join(parts: readonly tf.Tensor[]): Float64Array {
    const out = new Float64Array(this.size);
    let at = 0;
    for (const part of parts) {
      out.set(part.dataSync(), at);
      at += part.size;
    }
    return out;
  }

  /** Each part times the factor of its layer (1 where none is given). Inside `tf.tidy`. */
  scale(parts: readonly tf.Tensor[], factors: Readonly<Record<string, number>>): tf.Tensor[] {
    return parts.map((part, k) => {
      const factor = factors[this.owners[k]] ?? 1;
      return factor === 1 ? part : tf.mul(part, factor);
    });
  }

  /** What all weights are now, for `during`. Shares memory until the weights change. */
  freeze(): FrozenWeights {
    const trainable = this.variables.map((v) => tf.clone(v) as tf.Tensor);
    const others = this.others.map((v) => tf.clone(v) as tf.Tensor);
    return {
      trainable,
      others,
      dispose: () => {
        tf.dispose(trainable);
        tf.dispose(others);
      },
    };
  }

  /** Runs `work` with the model at other weights and puts its own back, whatever happens. */
  during<T>(weights: Pick<FrozenWeights, 'trainable' | 'others'>, work: () => T): T {
    const own = this.freeze();
    try {
      this.put(weights);
      return work();
    } finally {
      this.put(own);
      own.dispose();
    }
  }

  /** Weights that are what they should be already are not written. */
  private put({ trainable, others }: Pick<FrozenWeights, 'trainable' | 'others'>): void {
    const write = (variable: tf.Variable, value: tf.Tensor): void => {
      if (memoryOf(variable) !== memoryOf(value)) variable.assign(value);
    };
    for (const [k, value] of trainable.entries()) write(this.variables[k], value);
    for (const [k, value] of others.entries()) write(this.others[k], value);
  }
}

const memoryOf = (t: tf.Tensor): object => (t as tf.Tensor & { readonly dataId: object }).dataId;

export interface FrozenWeights {
  readonly trainable: readonly tf.Tensor[];
  /** Weights that are not trained, such as the moving statistics of a batch normalisation. */
  readonly others: readonly tf.Tensor[];
  dispose(): void;
}

/** <a, b> of two lists of tensors, summed in float64 over tensors. */
export function inner(a: readonly tf.Tensor[], b: readonly tf.Tensor[]): number {
  return tf.tidy(() => a.reduce((sum, part, k) => sum + tf.sum(tf.mul(part, b[k])).dataSync()[0], 0));
}

/** Euclidean norm of a list of tensors. */
export const normOf = (a: readonly tf.Tensor[]): number => Math.sqrt(inner(a, a));
