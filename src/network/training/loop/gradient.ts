import type { LossName } from '../../data/spec.js';
import { activations } from '../../models/activations.js';
import { type ChainLayer, chainOf } from '../../tangent/chain.js';
import { trainableLayers } from '../../tangent/index.js';
import { timesTransposed, transposedTimes } from '../../tangent/products.js';
import * as tf from '../../tf.js';

/** Gradient of the loss for one trainable weight. */
export interface WeightGradient {
  readonly layer: string;
  readonly variable: tf.Variable;
  readonly gradient: tf.Tensor;
}

export interface LossAndGradients {
  /** Scalar. */
  readonly loss: tf.Scalar;
  readonly gradients: readonly WeightGradient[];
}

/** Loss of outputs [n, O] against targets [n, O]: sum |f - y|^2 / (2 n O), or the mean cross-entropy. Scalar. */
export function lossOf(f: tf.Tensor, y: tf.Tensor, loss: LossName): tf.Scalar {
  const n = f.shape[0] as number;
  if (loss === 'mse') return tf.div(tf.sum(tf.square(tf.sub(f, y))), 2 * f.size) as tf.Scalar;
  return tf.div(tf.neg(tf.sum(tf.mul(y, tf.logSoftmax(f)))), n) as tf.Scalar;
}

/** d loss / d f, [n, O]. */
export function lossGradient(f: tf.Tensor2D, y: tf.Tensor2D, loss: LossName): tf.Tensor2D {
  if (loss === 'mse') return tf.div(tf.sub(f, y), f.size);
  return tf.div(tf.sub(tf.softmax(f), y), f.shape[0]);
}

export type GradientFunction = (x: tf.Tensor | tf.Tensor[], y: tf.Tensor) => LossAndGradients;

/**
 * The loss and its gradients for one model. Chains of dense layers get theirs from products written by hand, without a
 * tape (three times less time a step at small sizes); everything else from TensorFlow.js. The caller tidies.
 */
export function gradientFunction(model: tf.LayersModel, loss: LossName): GradientFunction {
  const chain = chainOf(model);
  if (chain)
    return (x, y) =>
      chainGradients(chain, (Array.isArray(x) ? x[0] : x) as tf.Tensor2D, y as tf.Tensor2D, loss);
  const owners = trainableLayers(model).flatMap((layer) =>
    layer.trainableWeights.map((weight) => ({ layer: layer.name, variable: weight.read() as tf.Variable })),
  );
  return (x, y) => {
    const { value, grads } = tf.variableGrads(
      () => lossOf(tf.reshape(model.apply(x, { training: true }) as tf.Tensor, y.shape), y, loss),
      owners.map((o) => o.variable),
    );
    const gradients = owners.map((o) => ({
      ...o,
      gradient: grads[o.variable.name] ?? tf.zerosLike(o.variable),
    }));
    return { loss: value, gradients };
  };
}

function chainGradients(
  chain: readonly ChainLayer[],
  x: tf.Tensor2D,
  y: tf.Tensor2D,
  loss: LossName,
): LossAndGradients {
  const inputs: tf.Tensor2D[] = [];
  const pre: tf.Tensor2D[] = [];
  const post: tf.Tensor2D[] = [];
  let a = x;
  for (const { kernel, bias, scale, biasScale, activation } of chain) {
    inputs.push(a);
    let h = tf.matMul(a, kernel.read() as tf.Tensor2D) as tf.Tensor2D;
    if (scale !== 1) h = tf.mul(h, scale);
    if (bias) h = tf.add(h, biasScale === 1 ? bias.read() : tf.mul(bias.read(), biasScale));
    pre.push(h);
    a = activation === 'identity' ? h : (activations[activation].forward(h) as tf.Tensor2D);
    post.push(a);
  }
  let d = lossGradient(a, y, loss);
  const gradients: WeightGradient[] = [];
  const first = chain.findIndex((layer) => layer.trainable);
  for (let l = chain.length - 1; l >= Math.max(0, first); l--) {
    const { layer, kernel, bias, scale, biasScale, activation, trainable } = chain[l];
    if (activation !== 'identity') d = tf.mul(d, activations[activation].derivative(pre[l], post[l]));
    const scaled = scale === 1 ? d : tf.mul(d, scale);
    if (trainable) {
      if (bias)
        gradients.push({
          layer: layer.name,
          variable: bias.read() as tf.Variable,
          gradient: tf.mul(tf.sum(d, 0), biasScale),
        });
      const gradient = transposedTimes(inputs[l], scaled as tf.Tensor2D);
      gradients.push({ layer: layer.name, variable: kernel.read() as tf.Variable, gradient });
    }
    if (l > first) d = timesTransposed(scaled as tf.Tensor2D, kernel.read() as tf.Tensor2D);
  }
  return { loss: lossOf(a, y, loss), gradients };
}
