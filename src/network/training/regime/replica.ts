import { eigh } from '../../../core/linalg/eigen.js';
import { matrixFrom } from '../../../core/linalg/matrix.js';
import type { LossName } from '../../data/spec.js';
import { type FrozenWeights, Parameters } from '../../jacobian/parameters.js';
import { type ChainLayer, chainOf } from '../../patterns/denseChain.js';
import * as tf from '../../tf.js';
import {
  chainForward,
  chainGradients,
  type GradientFunction,
  gradientFunction,
  lossOf,
  type WeightGradient,
} from '../loop/gradient.js';

export type Weights = readonly tf.Tensor[];

/**
 * A network on fixed inputs whose weights are given with every call, in inference form.
 */
export interface Replica {
  /** The weights that the model has now, and their step sizes relative to the base one. */
  readonly start: Weights;
  readonly rates: readonly number[];
  /** f, [n O], and its loss. */
  look(weights: Weights): { readonly outputs: Float64Array; readonly loss: number };
  /** Gradient of the loss, one tensor a weight; the caller disposes. */
  gradient(weights: Weights): Weights;
  dispose(): void;
}

export interface ReplicaOptions {
  readonly loss: LossName;
  /** Step size of every layer relative to the base one, by name. */
  readonly factors: Readonly<Record<string, number>>;
}

/** The replica of a model on inputs x [n, ...] and targets y [n, O], which must live as long. */
export function replicaOf(
  model: tf.LayersModel,
  x: tf.Tensor,
  y: tf.Tensor2D,
  options: ReplicaOptions,
): Replica {
  const chain = chainOf(model, x);
  return chain
    ? new ChainReplica(chain, x as tf.Tensor2D, y, options)
    : new ModelReplica(model, x, y, options);
}

/** Eigenvalues of X X' below this share of the largest are directions that no input has. */
const noDirection = 1e-10;

/**
 * Fewer inputs than they have entries span a small space, and the first kernel moves within it alone: X = R Q with Q Q' = 1
 * gives X W = R (Q W), and the gradient in Q W is that in W. R [n, r] and Q [r, d]; null where it would save little.
 */
function reduced(x: tf.Tensor2D): { readonly inputs: tf.Tensor2D; readonly directions: tf.Tensor2D } | null {
  const [n, d] = x.shape;
  if (2 * n > d) return null;
  const values = x.dataSync();
  const gram = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0; k < d; k++) sum += values[i * d + k] * values[j * d + k];
      gram[i * n + j] = sum;
      gram[j * n + i] = sum;
    }
  const modes = eigh(matrixFrom(n, n, gram));
  const rank = modes.values.filter((v) => v > noDirection * modes.values[0]).length;
  const inputs = new Float32Array(n * rank);
  const directions = new Float64Array(rank * d);
  for (let r = 0; r < rank; r++) {
    const length = Math.sqrt(modes.values[r]);
    for (let i = 0; i < n; i++) {
      const v = modes.vectors.data[r * n + i];
      inputs[i * rank + r] = v * length;
      for (let k = 0; k < d; k++) directions[r * d + k] += (v / length) * values[i * d + k];
    }
  }
  return {
    inputs: tf.tensor2d(inputs, [n, rank]),
    directions: tf.tensor2d(Float32Array.from(directions), [rank, d]),
  };
}

/** A chain of dense layers with weights of its own. */
class ChainReplica implements Replica {
  readonly start: Weights;
  readonly rates: readonly number[];
  private readonly chain: readonly ChainLayer[];
  private readonly variables: tf.Variable[] = [];
  private readonly x: tf.Tensor2D;

  constructor(
    chain: readonly ChainLayer[],
    x: tf.Tensor2D,
    private readonly y: tf.Tensor2D,
    private readonly options: ReplicaOptions,
  ) {
    const small = reduced(x);
    this.x = small?.inputs ?? tf.clone(x);
    const rates: number[] = [];
    const own = (layer: ChainLayer, weight: tf.Variable, directions?: tf.Tensor2D): tf.Variable => {
      const variable = tf.tidy(() =>
        tf.variable(directions ? tf.matMul(directions, weight as tf.Tensor2D) : tf.clone(weight), false),
      );
      this.variables.push(variable);
      rates.push(layer.trainable ? (options.factors[layer.name] ?? 1) : 0);
      return variable;
    };
    this.chain = chain.map((layer, l) => ({
      ...layer,
      kernel: own(layer, layer.kernel, l === 0 ? small?.directions : undefined),
      bias: layer.bias && own(layer, layer.bias),
    }));
    small?.directions.dispose();
    this.rates = rates;
    this.start = this.variables.map((v) => tf.clone(v));
  }

  look(weights: Weights): { readonly outputs: Float64Array; readonly loss: number } {
    this.put(weights);
    const read = { outputs: new Float64Array(), loss: Number.NaN };
    tf.tidy(() => {
      const f = chainForward(this.chain, this.x).output;
      read.outputs = Float64Array.from(f.dataSync());
      read.loss = lossOf(f, this.y, this.options.loss).dataSync()[0];
    });
    return read;
  }

  gradient(weights: Weights): Weights {
    this.put(weights);
    return tf.tidy(() => {
      const { gradients } = chainGradients(this.chain, this.x, this.y, this.options.loss);
      return inOrder(gradients, this.variables);
    });
  }

  dispose(): void {
    tf.dispose([this.x, ...this.variables, ...this.start]);
  }

  private put(weights: Weights): void {
    for (const [k, variable] of this.variables.entries()) variable.assign(weights[k]);
  }
}

/** Any layers model, which has the weights given while it computes and its own before anyone else has a turn. */
class ModelReplica implements Replica {
  readonly start: Weights;
  readonly rates: readonly number[];
  private readonly parameters: Parameters;
  private readonly frozen: FrozenWeights;
  private readonly gradients: GradientFunction;

  constructor(
    private readonly model: tf.LayersModel,
    private readonly x: tf.Tensor,
    private readonly y: tf.Tensor2D,
    private readonly options: ReplicaOptions,
  ) {
    this.parameters = new Parameters(model);
    this.frozen = this.parameters.freeze();
    this.rates = this.parameters.owners.map((owner) => options.factors[owner] ?? 1);
    this.start = this.frozen.trainable;
    this.gradients = gradientFunction(model, options.loss, { form: 'inference' });
  }

  look(weights: Weights): { readonly outputs: Float64Array; readonly loss: number } {
    const read = { outputs: new Float64Array(), loss: Number.NaN };
    this.at(weights, () => {
      const f = tf.reshape(this.model.apply(this.x) as tf.Tensor, this.y.shape);
      read.outputs = Float64Array.from(f.dataSync());
      read.loss = lossOf(f, this.y, this.options.loss).dataSync()[0];
      return [];
    });
    return read;
  }

  gradient(weights: Weights): Weights {
    return this.at(weights, () =>
      inOrder(this.gradients(this.x, this.y).gradients, this.parameters.variables),
    );
  }

  dispose(): void {
    this.frozen.dispose();
  }

  private at(weights: Weights, work: () => tf.Tensor[]): tf.Tensor[] {
    const { parameters, frozen } = this;
    return tf.tidy(() => parameters.during({ trainable: weights, others: frozen.others }, work));
  }
}

/** Gradients in the order of the weights; zero where a weight has none. */
function inOrder(gradients: readonly WeightGradient[], variables: readonly tf.Variable[]): tf.Tensor[] {
  const by = new Map(gradients.map(({ variable, gradient }) => [variable, gradient]));
  return variables.map((variable) => by.get(variable) ?? tf.zerosLike(variable));
}
