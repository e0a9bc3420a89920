import { ScaledDense } from '../models/layers.js';
import * as tf from '../tf.js';

/**
 * What the engine must know of a layer: its pre-activation z(input, weights), the activation behind it, and how the
 * weights enter z. Rules read the layer's weights anew at each use, so they follow training.
 */
export interface LayerRule {
  readonly kind: 'dense' | 'positions' | 'explicit';
  readonly preActivation: (input: tf.Tensor) => tf.Tensor;
  readonly activate: (z: tf.Tensor) => tf.Tensor;
  /** Constant in front of the weights' product (dense only). */
  readonly scale: number;
  /** Factor of the bias in z; 0 where there is no trainable bias. */
  readonly biasScale: number;
  /** dense, positions: [N, S, k] rows whose product with the kernel is z; S = 1 for dense. */
  readonly patches?: (input: tf.Tensor) => tf.Tensor3D;
  /** explicit: per-sample gradients [N, p] of one output, all trainable weights of the layer concatenated. */
  readonly gradients?: (input: tf.Tensor, cotangent: tf.Tensor) => tf.Tensor2D;
}

interface OpenLayer {
  readonly activation?: { apply(x: tf.Tensor): tf.Tensor } | null;
  readonly kernel?: tf.LayerVariable;
  readonly bias?: tf.LayerVariable | null;
  readonly useBias?: boolean;
  readonly strides?: number[];
  readonly padding?: string;
  readonly dilationRate?: number[];
  readonly kernelSize?: number[];
  readonly dataFormat?: string;
  readonly embeddings?: tf.LayerVariable;
  readonly depthwiseKernel?: tf.LayerVariable;
  readonly gamma?: tf.LayerVariable | null;
  readonly beta?: tf.LayerVariable | null;
  readonly movingMean?: tf.LayerVariable;
  readonly movingVariance?: tf.LayerVariable;
  readonly epsilon?: number;
  readonly axis?: number | number[];
}

const identity = (z: tf.Tensor): tf.Tensor => z;

/** The structured rule of a layer, or null: then its gradients are taken one sample and output at a time. */
export function ruleOf(layer: tf.layers.Layer): LayerRule | null {
  if (layer instanceof ScaledDense) return scaledDense(layer);
  const open = layer as unknown as OpenLayer;
  switch (layer.getClassName()) {
    case 'Dense':
      return dense(layer, open);
    case 'Conv1D':
    case 'Conv2D':
      return open.dataFormat === 'channelsFirst' || open.padding === 'causal'
        ? null
        : convolution(layer, open);
    case 'DepthwiseConv2D':
      return open.dataFormat === 'channelsFirst' ? null : depthwise(layer, open);
    case 'BatchNormalization':
    case 'LayerNormalization':
      return normalization(layer, open);
    case 'Embedding':
      return embedding(open);
    default:
      return null;
  }
}

const trainable = (layer: tf.layers.Layer, weight: tf.LayerVariable | null | undefined): boolean =>
  weight !== null && weight !== undefined && layer.trainableWeights.includes(weight);

const activateBy = (open: OpenLayer) => (z: tf.Tensor) => open.activation?.apply(z) ?? z;

function rows(input: tf.Tensor): tf.Tensor3D {
  const size = input.shape[input.rank - 1];
  return tf.reshape(input, [input.shape[0], -1, size]) as tf.Tensor3D;
}

function product(input: tf.Tensor, kernel: tf.Tensor): tf.Tensor {
  const size = input.shape[input.rank - 1];
  const units = kernel.shape[1] as number;
  const flat = tf.matMul(tf.reshape(input, [-1, size]) as tf.Tensor2D, kernel as tf.Tensor2D);
  return tf.reshape(flat, [...input.shape.slice(0, -1), units]);
}

function scaledDense(layer: ScaledDense): LayerRule {
  return {
    kind: 'dense',
    // Not `layer.call`, which the tap stands in for while it records.
    preActivation: (input) => ScaledDense.prototype.call.call(layer, input),
    activate: identity,
    scale: layer.factor,
    biasScale: layer.bias ? layer.biasFactor : 0,
    patches: rows,
  };
}

function dense(layer: tf.layers.Layer, open: OpenLayer): LayerRule | null {
  if (!open.kernel || !trainable(layer, open.kernel)) return null;
  const kernel = open.kernel;
  return {
    kind: 'dense',
    preActivation: (input) => {
      const z = product(input, kernel.read());
      return open.bias ? tf.add(z, open.bias.read()) : z;
    },
    activate: activateBy(open),
    scale: 1,
    biasScale: trainable(layer, open.bias) ? 1 : 0,
    patches: rows,
  };
}

function convolution(layer: tf.layers.Layer, open: OpenLayer): LayerRule | null {
  if (!open.kernel || !trainable(layer, open.kernel)) return null;
  const kernel = open.kernel;
  const padding = open.padding as 'same' | 'valid';
  const flat = kernel.shape.length === 3;
  const pair = (v: number[] | undefined, otherwise: number): [number, number] =>
    flat ? [1, v?.[0] ?? otherwise] : [v?.[0] ?? otherwise, v?.[1] ?? v?.[0] ?? otherwise];
  const strides = pair(open.strides, 1);
  const dilations = pair(open.dilationRate, 1);
  const [kh, kw, channels, filters] = (flat ? [1, ...kernel.shape] : kernel.shape) as number[];
  const image = (input: tf.Tensor) => (flat ? tf.expandDims(input, 1) : input) as tf.Tensor4D;
  const back = (z: tf.Tensor) => (flat ? tf.squeeze(z, [1]) : z);
  const convolve = (input: tf.Tensor, weights: tf.Tensor4D) =>
    tf.conv2d(image(input), weights, strides, padding, 'NHWC', dilations);
  return {
    kind: 'positions',
    preActivation: (input) => {
      const z = back(convolve(input, tf.reshape(kernel.read(), [kh, kw, channels, filters]) as tf.Tensor4D));
      return open.bias ? tf.add(z, open.bias.read()) : z;
    },
    activate: activateBy(open),
    scale: 1,
    biasScale: trainable(layer, open.bias) ? 1 : 0,
    // Patches by a convolution with an identity filter: as fast as the backend's own convolution.
    patches: (input) => {
      const k = kh * kw * channels;
      const eye = tf.reshape(tf.eye(k), [kh, kw, channels, k]) as tf.Tensor4D;
      return tf.reshape(convolve(input, eye), [input.shape[0], -1, k]) as tf.Tensor3D;
    },
  };
}

function depthwise(layer: tf.layers.Layer, open: OpenLayer): LayerRule | null {
  if (!open.depthwiseKernel || !trainable(layer, open.depthwiseKernel)) return null;
  const kernel = open.depthwiseKernel;
  const [kh, kw, channels, multiplier] = kernel.shape as number[];
  const strides = (open.strides ?? [1, 1]) as [number, number];
  const padding = open.padding as 'same' | 'valid';
  const dilations = (open.dilationRate?.length === 2 ? open.dilationRate : [1, 1]) as [number, number];
  const hasBias = trainable(layer, open.bias);
  return {
    kind: 'explicit',
    preActivation: (input) => {
      const z = tf.depthwiseConv2d(
        input as tf.Tensor4D,
        kernel.read() as tf.Tensor4D,
        strides,
        padding,
        'NHWC',
        dilations,
      );
      return open.bias ? tf.add(z, open.bias.read()) : z;
    },
    activate: activateBy(open),
    scale: 1,
    biasScale: hasBias ? 1 : 0,
    gradients: (input, cotangent) => {
      const n = input.shape[0];
      const window = kh * kw;
      const k = window * channels;
      const eye = tf.reshape(tf.eye(k), [kh, kw, channels, k]) as tf.Tensor4D;
      const patches = tf.conv2d(input as tf.Tensor4D, eye, strides, padding, 'NHWC', dilations);
      const positions = (patches.shape[1] as number) * (patches.shape[2] as number);
      // [N, S, window, c, 1] * [N, S, 1, c, multiplier], summed over positions.
      const p = tf.reshape(patches, [n * positions, window, channels, 1]);
      const d = tf.reshape(cotangent, [n * positions, 1, channels, multiplier]);
      const g = tf.sum(tf.reshape(tf.mul(p, d), [n, positions, k * multiplier]), 1);
      if (!hasBias) return g as tf.Tensor2D;
      const bias = tf.sum(tf.reshape(cotangent, [n, positions, channels * multiplier]), 1);
      return tf.concat([g, bias], 1) as tf.Tensor2D;
    },
  };
}

/** Batch normalisation in its inference form (moving statistics), and layer normalisation: gains and offsets. */
function normalization(layer: tf.layers.Layer, open: OpenLayer): LayerRule | null {
  const axes = Array.isArray(open.axis) ? open.axis : [open.axis ?? -1];
  const epsilon = open.epsilon ?? 1e-3;
  const isBatch = layer.getClassName() === 'BatchNormalization';
  const lastAxis = (rank: number) => axes.length === 1 && (axes[0] === -1 || axes[0] === rank - 1);
  const rank = (layer.inputSpec?.[0]?.ndim ?? 0) || 0;
  if (rank > 0 && !lastAxis(rank)) return null;
  const normalized = (input: tf.Tensor): tf.Tensor => {
    if (isBatch && open.movingMean && open.movingVariance)
      return tf.div(
        tf.sub(input, open.movingMean.read()),
        tf.sqrt(tf.add(open.movingVariance.read(), epsilon)),
      );
    const { mean, variance } = tf.moments(input, -1, true);
    return tf.div(tf.sub(input, mean), tf.sqrt(tf.add(variance, epsilon)));
  };
  return {
    kind: 'explicit',
    preActivation: (input) => {
      const x = normalized(input);
      const scaled = open.gamma ? tf.mul(x, open.gamma.read()) : x;
      return open.beta ? tf.add(scaled, open.beta.read()) : scaled;
    },
    activate: identity,
    scale: 1,
    biasScale: 0,
    gradients: (input, cotangent) => {
      const [n, c] = [input.shape[0], input.shape[input.rank - 1]];
      const over = (t: tf.Tensor) => tf.sum(tf.reshape(t, [n, -1, c]), 1);
      const parts: tf.Tensor[] = [];
      if (trainable(layer, open.gamma)) parts.push(over(tf.mul(normalized(input), cotangent)));
      if (trainable(layer, open.beta)) parts.push(over(cotangent));
      return tf.concat(parts, 1) as tf.Tensor2D;
    },
  };
}

function embedding(open: OpenLayer): LayerRule | null {
  if (!open.embeddings) return null;
  const table = open.embeddings;
  const [vocabulary, size] = table.shape as [number, number];
  return {
    kind: 'positions',
    preActivation: (input) => {
      const flat = tf.reshape(tf.cast(input, 'int32'), [-1]) as tf.Tensor1D;
      return tf.reshape(tf.gather(table.read(), flat), [...input.shape, size]);
    },
    activate: identity,
    scale: 1,
    biasScale: 0,
    patches: (input) => {
      const flat = tf.reshape(tf.cast(input, 'int32'), [-1]) as tf.Tensor1D;
      return tf.reshape(tf.cast(tf.oneHot(flat, vocabulary), 'float32'), [
        input.shape[0],
        -1,
        vocabulary,
      ]) as tf.Tensor3D;
    },
  };
}
