import { Elementwise, ScaledDense } from '../../models/layers.js';
import type { ActivationName } from '../../models/spec.js';
import type * as tf from '../../tf.js';
import { activationName, kerasName } from '../dense/denseChain.js';
import type { Window } from './patches.js';

interface Weights {
  readonly layer: tf.layers.Layer;
  readonly kernel: tf.LayerVariable;
  readonly bias: tf.LayerVariable | null;
  readonly trainable: boolean;
}

/** One step of a network that is a plain sequence: what it does to a batch, and what the backward pass must know. */
export type Stage =
  | (Weights & { readonly kind: 'dense'; readonly scale: number; readonly biasScale: number })
  | (Weights & { readonly kind: 'conv'; readonly window: Window })
  | { readonly kind: 'activation'; readonly activation: ActivationName }
  | { readonly kind: 'mean' }
  | { readonly kind: 'flatten' }
  /** A layer without weights; `linear` says that its derivative does not depend on its input. */
  | { readonly kind: 'free'; readonly layer: tf.layers.Layer; readonly linear: boolean };

export type ConvStage = Extract<Stage, { kind: 'conv' }>;

interface OpenLayer {
  readonly kernel: tf.LayerVariable;
  readonly bias: tf.LayerVariable | null;
  readonly activation: { getClassName(): string } | null;
  readonly strides: number[];
  readonly kernelSize: number[];
  readonly dilationRate: number[] | number;
  readonly padding: string;
  readonly dataFormat: string;
}

const pair = (v: number[]): [number, number] => [v[0], v[1] ?? v[0]];

/**
 * A sequence of convolutions (channels last, not dilated), dense layers, activations and pools on images, or null when
 * the model is anything else. Such a network is run forward once, however many outputs it has.
 */
export function stackOf(model: tf.LayersModel): readonly Stage[] | null {
  if (model.inputs.length !== 1 || model.outputs.length !== 1 || model.inputs[0].shape.length !== 4)
    return null;
  const stages: Stage[] = [];
  let previous: tf.layers.Layer | null = null;
  for (const layer of model.layers) {
    if (layer.getClassName() === 'InputLayer') continue;
    if (layer.inboundNodes.length !== 1) return null;
    const from = layer.inboundNodes[0].inboundLayers;
    if (from.length > 1 || (previous && from[0] !== previous)) return null;
    previous = layer;
    const added = stagesOfLayer(layer);
    if (!added) return null;
    stages.push(...added);
  }
  return stages.some((stage) => stage.kind === 'conv') ? stages : null;
}

function stagesOfLayer(layer: tf.layers.Layer): readonly Stage[] | null {
  const open = layer as unknown as OpenLayer;
  const { trainable } = layer;
  if (layer instanceof Elementwise) return [{ kind: 'activation', activation: layer.activation }];
  if (layer instanceof ScaledDense) {
    const { kernel, bias, factor, biasFactor } = layer;
    return [{ kind: 'dense', layer, kernel, bias, trainable, scale: factor, biasScale: biasFactor }];
  }
  switch (layer.getClassName()) {
    case 'Dropout':
      return [];
    case 'Activation':
      return activated(open);
    case 'Dense': {
      if (flatInput(layer)) {
        const behind = activated(open);
        const { kernel, bias } = open;
        return (
          behind && [{ kind: 'dense', layer, kernel, bias, trainable, scale: 1, biasScale: 1 }, ...behind]
        );
      }
      return null;
    }
    case 'Conv2D':
      return convolution(layer, open);
    case 'GlobalAveragePooling2D':
      return open.dataFormat === 'channelsFirst' ? null : [{ kind: 'mean' }];
    case 'Flatten':
      return open.dataFormat === 'channelsFirst' ? null : [{ kind: 'flatten' }];
    case 'AveragePooling2D':
    case 'ZeroPadding2D':
      return [{ kind: 'free', layer, linear: true }];
    case 'MaxPooling2D':
    case 'GlobalMaxPooling2D':
      return [{ kind: 'free', layer, linear: false }];
    default:
      return null;
  }
}

function flatInput(layer: tf.layers.Layer): boolean {
  const shape = layer.inboundNodes[0].inputShapes[0] as tf.Shape;
  return shape.length === 2;
}

function activated(open: OpenLayer): readonly Stage[] | null {
  const activation = activationName(kerasName(open));
  if (!activation) return null;
  return activation === 'identity' ? [] : [{ kind: 'activation', activation }];
}

function convolution(layer: tf.layers.Layer, open: OpenLayer): readonly Stage[] | null {
  const { kernel, bias, padding } = open;
  const behind = activated(open);
  const dilated = [open.dilationRate].flat().some((d) => d !== 1);
  if (!behind || dilated || open.dataFormat === 'channelsFirst') return null;
  if (padding !== 'same' && padding !== 'valid') return null;
  const window: Window = {
    size: pair(open.kernelSize),
    strides: pair(open.strides),
    dilations: [1, 1],
    padding,
  };
  return [{ kind: 'conv', layer, kernel, bias, trainable: layer.trainable, window }, ...behind];
}
