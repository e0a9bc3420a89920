import type { ActivationName } from '../../experiment/definition.js';
import { activationNames } from '../../experiment/definition.js';
import { activations } from '../models/activations.js';
import { Elementwise, ScaledDense } from '../models/layers.js';
import * as tf from '../tf.js';
import { timesTransposed } from './products.js';

/** One dense layer of a chain, with the activation behind it. */
export interface ChainLayer {
  readonly layer: tf.layers.Layer;
  readonly kernel: tf.LayerVariable;
  readonly bias: tf.LayerVariable | null;
  readonly scale: number;
  readonly biasScale: number;
  readonly activation: ActivationName;
  readonly trainable: boolean;
}

/** TensorFlow.js names of activations that are ours under another name. */
const named: Readonly<Record<string, ActivationName>> = {
  linear: 'identity',
  swish: 'silu',
  mish: 'identity',
};

/** Our activation behind a layer's own name for it, or null when there is none that is the same. */
export function activationName(name: string): ActivationName | null {
  const own = name === 'linear' || name === 'swish' ? named[name] : (name as ActivationName);
  return (activationNames as readonly string[]).includes(own) && !['leakyRelu', 'gelu'].includes(own)
    ? own
    : null;
}

export interface OpenDense {
  readonly kernel: tf.LayerVariable;
  readonly bias: tf.LayerVariable | null;
  readonly activation: { getClassName(): string } | null;
}

export const kerasName = (open: Pick<OpenDense, 'activation'>): string =>
  open.activation?.getClassName() ?? 'linear';

/**
 * The model as a plain chain of dense layers and activations on flat inputs, or null when it is anything else. A chain
 * needs no tape: its cotangents are products of matrices written down by hand.
 */
export function chainOf(model: tf.LayersModel): readonly ChainLayer[] | null {
  if (model.inputs.length !== 1 || model.outputs.length !== 1 || model.inputs[0].shape.length !== 2)
    return null;
  const chain: ChainLayer[] = [];
  let previous: tf.layers.Layer | null = null;
  for (const layer of model.layers) {
    if (layer.getClassName() === 'InputLayer') continue;
    if (layer.inboundNodes.length !== 1) return null;
    const from = layer.inboundNodes[0].inboundLayers;
    if (from.length > 1 || (previous && from[0] !== previous)) return null;
    previous = layer;
    const last = chain[chain.length - 1];
    const withActivation = (activation: ActivationName | null): boolean => {
      if (!activation || !last || last.activation !== 'identity') return activation === 'identity';
      chain[chain.length - 1] = { ...last, activation };
      return true;
    };
    if (layer instanceof ScaledDense) {
      chain.push({
        layer,
        kernel: layer.kernel,
        bias: layer.bias,
        scale: layer.factor,
        biasScale: layer.biasFactor,
        activation: 'identity',
        trainable: layer.trainable,
      });
    } else if (layer instanceof Elementwise) {
      if (!withActivation(layer.activation)) return null;
    } else if (layer.getClassName() === 'Dense') {
      const open = layer as unknown as OpenDense;
      const activation = activationName(kerasName(open));
      if (!activation) return null;
      chain.push({
        layer,
        kernel: open.kernel,
        bias: open.bias,
        scale: 1,
        biasScale: 1,
        activation,
        trainable: layer.trainable,
      });
    } else if (layer.getClassName() === 'Activation') {
      if (!withActivation(activationName(kerasName(layer as unknown as OpenDense)))) return null;
    } else if (layer.getClassName() !== 'Dropout') return null;
  }
  return chain.length > 0 ? chain : null;
}

/**
 * Inputs [N, k] of every layer of a chain, times the layer's scale, and cotangents of its pre-activations: [N O, n], row
 * i O + o, or [O, n] where they are the same for every sample (behind the last activation).
 */
export interface ChainPass {
  readonly inputs: tf.Tensor2D[];
  readonly cotangents: { readonly rows: tf.Tensor2D; readonly uniform: boolean }[];
}

/** Forward and backward pass for the outputs named (all of them when absent). The caller tidies. */
export function chainPass(chain: readonly ChainLayer[], x: tf.Tensor2D, output?: number): ChainPass {
  const samples = x.shape[0];
  const inputs: tf.Tensor2D[] = [];
  const pre: tf.Tensor2D[] = [];
  const post: tf.Tensor2D[] = [];
  let a = x;
  for (const [l, { kernel, bias, scale, biasScale, activation }] of chain.entries()) {
    const weights = kernel.read() as tf.Tensor2D;
    // A constant commutes with the product: it goes where it costs least.
    const input = scale === 1 ? a : (tf.mul(a, scale) as tf.Tensor2D);
    inputs.push(input);
    // Behind the last activation nothing depends on the values.
    if (l === chain.length - 1 && activation === 'identity') break;
    let h = tf.matMul(input, weights) as tf.Tensor2D;
    if (bias) h = tf.add(h, biasScale === 1 ? bias.read() : tf.mul(bias.read(), biasScale));
    pre.push(h);
    a = activation === 'identity' ? h : (activations[activation].forward(h) as tf.Tensor2D);
    post.push(a);
  }
  const units = chain[chain.length - 1].kernel.shape[1] as number;
  const outputs = output === undefined ? units : 1;
  const eye = tf.eye(units) as tf.Tensor2D;
  let d = output === undefined ? eye : tf.slice2d(eye, [output, 0], [1, units]);
  let uniform = true;
  const cotangents: ChainPass['cotangents'] = [];
  for (let l = chain.length - 1; l >= 0; l--) {
    const { activation, kernel, scale } = chain[l];
    if (activation !== 'identity') {
      d = timesSlope(d, activations[activation].derivative(pre[l], post[l]) as tf.Tensor2D, samples, outputs);
      uniform = false;
    }
    cotangents[l] = { rows: d, uniform };
    const deeper = chain.slice(0, l).some((layer) => layer.trainable);
    if (!deeper) break;
    const weights = kernel.read() as tf.Tensor2D;
    const few = d.shape[0] < weights.shape[0];
    if (scale === 1) d = timesTransposed(d, weights);
    else if (few) d = timesTransposed(tf.mul(d, scale), weights);
    else d = timesTransposed(d, tf.mul(weights, scale));
  }
  return { inputs, cotangents };
}

/** d o slope for every sample and output: d [N O, n] or [O, n], slope [N, n]; gives [N O, n]. */
function timesSlope(d: tf.Tensor2D, slope: tf.Tensor2D, samples: number, outputs: number): tf.Tensor2D {
  if (outputs === 1) return tf.mul(slope, d);
  const width = slope.shape[1];
  const each = tf.reshape(d, [-1, outputs, width]);
  return tf.reshape(tf.mul(each, tf.reshape(slope, [samples, 1, width])), [samples * outputs, width]);
}
