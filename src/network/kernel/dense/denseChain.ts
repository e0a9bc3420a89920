import { Elementwise, ScaledDense } from '../../models/layers.js';
import type { ActivationName } from '../../models/spec.js';
import { activationNames } from '../../models/spec.js';
import type * as tf from '../../tf.js';

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
