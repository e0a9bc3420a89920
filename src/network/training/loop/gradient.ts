import type { LossName } from '../../data/spec.js';
import { trainableWeights } from '../../graph/program.js';
import { activations } from '../../models/activations.js';
import { type ChainLayer, chainOf } from '../../patterns/denseChain.js';
import { timesTransposed, transposedTimes } from '../../products.js';
import * as tf from '../../tf.js';
import { penaltiesOf, trainingForm, withRandom } from './trainingForm.js';

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
 * The loss and its gradients for one model: TensorFlow.js's own reverse mode of what it runs in training form, with the
 * penalties of the layers' regularisers in the gradients. The loss is that of the outputs alone, as everywhere. Chains of
 * plain dense layers, where training runs what inference does, get their gradients from products written by hand, without
 * a tape (three times less time a step at small sizes). The caller tidies.
 */
export function gradientFunction(
  model: tf.LayersModel,
  loss: LossName,
  options: GradientOptions = {},
): GradientFunction {
  let chosen: GradientFunction | null = null;
  return (x, y) => {
    chosen ??= chainGradient(model, loss, x, options) ?? tapeGradient(model, loss, options);
    return chosen(x, y);
  };
}

export interface GradientOptions {
  /** Numbers that seed dropout and noise; drawn anew without them. */
  readonly random?: () => number;
  /** 'inference': of the loss of what inference runs, without penalties. Default 'training'. */
  readonly form?: 'training' | 'inference';
}

/** The gradient of a chain by hand, or null where training runs or adds anything else. */
function chainGradient(
  model: tf.LayersModel,
  loss: LossName,
  x: tf.Tensor | tf.Tensor[],
  { form }: GradientOptions,
): GradientFunction | null {
  const chain = chainOf(model, x);
  if (!chain) return null;
  if (form !== 'inference') {
    const { differs, penalised } = trainingForm(model, x);
    if (differs || penalised.length > 0) return null;
  }
  return (inputs, y) =>
    chainGradients(
      chain,
      (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor2D,
      y as tf.Tensor2D,
      loss,
    );
}

function tapeGradient(
  model: tf.LayersModel,
  loss: LossName,
  { random, form = 'training' }: GradientOptions,
): GradientFunction {
  const training = form === 'training';
  const owners = trainableWeights(model).map(({ variable, group }) => ({ layer: group, variable }));
  return (x, y) => {
    let ofOutputs: tf.Scalar | null = null;
    const forward = (): tf.Scalar => {
      const f = model.apply(x, { training }) as tf.Tensor;
      const value = lossOf(tf.reshape(f, y.shape), y, loss);
      const penalties = training ? penaltiesOf(model) : [];
      if (penalties.length === 0) return value;
      ofOutputs = tf.keep(tf.clone(value));
      return tf.addN([value, ...penalties]);
    };
    const taken = () =>
      tf.variableGrads(
        forward,
        owners.map((o) => o.variable),
      );
    const { value, grads } = random ? withRandom(random, taken) : taken();
    const gradients = owners.map((o) => ({
      ...o,
      gradient: grads[o.variable.name] ?? tf.zerosLike(o.variable),
    }));
    return { loss: released(ofOutputs) ?? value, gradients };
  };
}

/** A kept tensor as one that the caller's scope disposes of. */
function released(kept: tf.Scalar | null): tf.Scalar | null {
  if (!kept) return null;
  const value = tf.clone(kept);
  kept.dispose();
  return value;
}

/** A chain on inputs [n, d]: inputs of every layer, values before and behind its activation, outputs [n, O]. Inside `tf.tidy`. */
export function chainForward(
  chain: readonly ChainLayer[],
  x: tf.Tensor2D,
): {
  readonly inputs: readonly tf.Tensor2D[];
  readonly pre: readonly tf.Tensor2D[];
  readonly post: readonly tf.Tensor2D[];
  readonly output: tf.Tensor2D;
} {
  const inputs: tf.Tensor2D[] = [];
  const pre: tf.Tensor2D[] = [];
  const post: tf.Tensor2D[] = [];
  let a = x;
  for (const { kernel, bias, scale, biasScale, activation } of chain) {
    inputs.push(a);
    let h = tf.matMul(a, kernel as tf.Tensor2D) as tf.Tensor2D;
    if (scale !== 1) h = tf.mul(h, scale);
    if (bias) h = tf.add(h, biasScale === 1 ? bias : tf.mul(bias, biasScale));
    pre.push(h);
    a = activation === 'identity' ? h : (activations[activation].forward(h) as tf.Tensor2D);
    post.push(a);
  }
  return { inputs, pre, post, output: a };
}

/** Loss and gradients of a chain on a batch. Inside `tf.tidy`. */
export function chainGradients(
  chain: readonly ChainLayer[],
  x: tf.Tensor2D,
  y: tf.Tensor2D,
  loss: LossName,
): LossAndGradients {
  const { inputs, pre, post, output } = chainForward(chain, x);
  let d = lossGradient(output, y, loss);
  const gradients: WeightGradient[] = [];
  const first = chain.findIndex((layer) => layer.trainable);
  for (let l = chain.length - 1; l >= Math.max(0, first); l--) {
    const { name, kernel, bias, scale, biasScale, activation, trainable } = chain[l];
    if (activation !== 'identity') d = tf.mul(d, activations[activation].derivative(pre[l], post[l]));
    const scaled = scale === 1 ? d : tf.mul(d, scale);
    if (trainable) {
      if (bias)
        gradients.push({
          layer: name,
          variable: bias,
          gradient: tf.mul(tf.sum(d, 0), biasScale),
        });
      const gradient = transposedTimes(inputs[l], scaled as tf.Tensor2D);
      gradients.push({ layer: name, variable: kernel, gradient });
    }
    if (l > first) d = timesTransposed(scaled as tf.Tensor2D, kernel as tf.Tensor2D);
  }
  return { loss: lossOf(output, y, loss), gradients };
}
