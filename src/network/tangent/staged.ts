import { activations } from '../models/activations.js';
import * as tf from '../tf.js';
import { type Cotangents, constantRows, inside, outside, timesSlope } from './cotangents.js';
import type { KernelMode } from './kernel.js';
import { concatenated, disposeParts, keptParts, type Part } from './part.js';
import { patchesOf } from './patches.js';
import { sampleOuter, timesTransposed } from './products.js';
import type { Stage } from './stages.js';

type ConvStage = Extract<Stage, { kind: 'conv' }>;
type DenseStage = Extract<Stage, { kind: 'dense' }>;

/** Most values of one tensor in a chunk of samples: some 8 MB stay in the caches and in freed memory. */
const chunkValues = 2 ** 21;

export interface StagedRequest {
  readonly mode: KernelMode;
  readonly outputs: number;
  /** One output only. */
  readonly output?: number;
  /** Samples of the whole kernel, by which the form of a part is chosen. */
  readonly samples: number;
}

/**
 * Parts of the kernel for a network of stages, x being [N, h, w, c]: one forward pass, and one backward pass for all
 * outputs together, a chunk of samples at a time. The tensors of the result are kept; the caller disposes them.
 */
export function stagedParts(
  stages: readonly Stage[],
  x: tf.Tensor4D,
  request: StagedRequest,
): readonly Part[] {
  const samples = x.shape[0];
  const size = samplesInChunk(stages, request.outputs);
  const chunks: (readonly Part[])[] = [];
  for (let i = 0; i < samples; i += size) {
    const n = Math.min(size, samples - i);
    chunks.push(
      keptParts(() => {
        const [h, w, c] = x.shape.slice(1);
        const chunk = n === samples ? x : tf.slice4d(x, [i, 0, 0, 0], [n, h, w, c]);
        return chunkParts(stages, chunk, request);
      }),
    );
  }
  if (chunks.length === 1) return chunks[0];
  return chunks[0].flatMap((_, k) => {
    const pieces = chunks.map((parts) => parts[k]);
    const whole = keptParts(() => [concatenated(pieces)]);
    disposeParts(pieces);
    return whole;
  });
}

function samplesInChunk(stages: readonly Stage[], outputs: number): number {
  let most = 1;
  for (const stage of stages) {
    if (stage.kind !== 'conv') continue;
    const [, height, width, filters] = stage.layer.outputShape as number[];
    const [kh, kw, channels] = stage.kernel.shape as number[];
    const positions = height * width;
    most = Math.max(most, positions * kh * kw * channels, positions * outputs * filters);
  }
  return Math.max(1, Math.floor(chunkValues / most));
}

/** Everything for one chunk of samples. The caller tidies. */
function chunkParts(stages: readonly Stage[], x: tf.Tensor4D, request: StagedRequest): Part[] {
  const first = stages.findIndex((stage) => 'trainable' in stage && stage.trainable);
  const inputs: tf.Tensor[] = [];
  let a: tf.Tensor = x;
  for (const stage of stages) {
    inputs.push(a);
    a = forward(stage, a);
  }
  const n = x.shape[0];
  const units = a.size / n;
  const eye = tf.eye(units) as tf.Tensor2D;
  const { output } = request;
  const rows = output === undefined ? eye : tf.slice2d(eye, [output, 0], [1, units]);
  let d: Cotangents = {
    form: 'shared',
    rows: tf.reshape(rows, [rows.shape[0], ...a.shape.slice(1)]),
    slope: null,
  };
  const parts: Part[] = [];
  for (let s = stages.length - 1; s >= first && first >= 0; s--) {
    const stage = stages[s];
    const input = inputs[s];
    if (stage.kind === 'dense' && stage.trainable) parts.unshift(densePart(stage, input as tf.Tensor2D, d));
    if (stage.kind === 'conv' && stage.trainable)
      parts.unshift(convPart(stage, input as tf.Tensor4D, d, request));
    if (s > first) d = backward(stage, input, inputs[s + 1] ?? a, d);
  }
  return parts;
}

function forward(stage: Stage, a: tf.Tensor): tf.Tensor {
  switch (stage.kind) {
    case 'dense': {
      const z = tf.matMul(a as tf.Tensor2D, stage.kernel.read() as tf.Tensor2D);
      const scaled = stage.scale === 1 ? z : tf.mul(z, stage.scale);
      return stage.bias ? tf.add(scaled, tf.mul(stage.bias.read(), stage.biasScale)) : scaled;
    }
    case 'conv': {
      const { strides, padding } = stage.window;
      const z = tf.conv2d(
        a as tf.Tensor4D,
        stage.kernel.read() as tf.Tensor4D,
        [strides[0], strides[1]],
        padding,
      );
      return stage.bias ? tf.add(z, stage.bias.read()) : z;
    }
    case 'activation':
      return activations[stage.activation].forward(a);
    case 'mean':
      return tf.mean(a, [1, 2]);
    case 'flatten':
      return tf.reshape(a, [a.shape[0], -1]);
    case 'free':
      return stage.layer.apply(a) as tf.Tensor;
  }
}

/** Cotangents of a stage's input from those of its output. */
function backward(stage: Stage, input: tf.Tensor, result: tf.Tensor, d: Cotangents): Cotangents {
  const n = input.shape[0];
  switch (stage.kind) {
    case 'activation':
      return timesSlope(d, activations[stage.activation].derivative(input, result));
    case 'dense': {
      const weights = stage.kernel.read() as tf.Tensor2D;
      const scaled = stage.scale === 1 ? weights : tf.mul(weights, stage.scale);
      if (d.form === 'shared' && !d.slope)
        return { ...d, rows: timesTransposed(d.rows as tf.Tensor2D, scaled as tf.Tensor2D) };
      const rows = outside(d, n, result.shape.slice(1));
      const outputs = rows.shape[1] as number;
      const flat = tf.reshape(rows, [n * outputs, weights.shape[1]]) as tf.Tensor2D;
      return {
        form: 'outside',
        rows: tf.reshape(timesTransposed(flat, scaled as tf.Tensor2D), [n, outputs, weights.shape[0]]),
      };
    }
    case 'conv':
      return throughConvolution(stage, input as tf.Tensor4D, result, d);
    case 'mean': {
      const [, h, w, c] = input.shape;
      if (d.form === 'shared' && !d.slope)
        return { ...d, rows: tf.div(tf.reshape(d.rows, [-1, 1, 1, c]), h * w) };
      const rows = outside(d, n, [c]);
      const spread = tf.reshape(tf.div(rows, h * w), [n, rows.shape[1] as number, 1, 1, c]);
      return { form: 'outside', rows: tf.broadcastTo(spread, [n, rows.shape[1] as number, h, w, c]) };
    }
    case 'flatten': {
      const shape = input.shape.slice(1);
      if (d.form === 'shared' && !d.slope) return { ...d, rows: tf.reshape(d.rows, [-1, ...shape]) };
      const rows = outside(d, n, result.shape.slice(1));
      return { form: 'outside', rows: tf.reshape(rows, [n, rows.shape[1] as number, ...shape]) };
    }
    case 'free':
      return throughFree(stage.layer, stage.linear, input, result, d);
  }
}

/** A layer without weights: its own gradient, for all outputs at once where the input does not matter. */
function throughFree(
  layer: tf.layers.Layer,
  linear: boolean,
  input: tf.Tensor,
  result: tf.Tensor,
  d: Cotangents,
): Cotangents {
  const [n, ...shape] = input.shape;
  const pull = (at: tf.Tensor, dy: tf.Tensor) =>
    tf.grad((t: tf.Tensor) => layer.apply(t) as tf.Tensor)(at, dy);
  if (linear && d.form === 'shared' && !d.slope) {
    const whole = tf.broadcastTo(d.rows, [d.rows.shape[0], ...result.shape.slice(1)]);
    return { ...d, rows: pull(tf.zeros([d.rows.shape[0], ...shape]), whole) };
  }
  const rows = outside(d, n, result.shape.slice(1));
  const outputs = rows.shape[1] as number;
  const whole = tf.broadcastTo(rows, [n, outputs, ...result.shape.slice(1)]);
  if (linear) {
    const flat = tf.reshape(whole, [n * outputs, ...result.shape.slice(1)]);
    return {
      form: 'outside',
      rows: tf.reshape(pull(tf.zeros([n * outputs, ...shape]), flat), [n, outputs, ...shape]),
    };
  }
  const each = tf.unstack(whole, 1).map((dy) => pull(input, dy));
  return { form: 'outside', rows: tf.stack(each, 1) };
}

function throughConvolution(
  stage: ConvStage,
  input: tf.Tensor4D,
  result: tf.Tensor,
  d: Cotangents,
): Cotangents {
  const [n, h, w, channels] = input.shape;
  const [kh, kw] = stage.window.size;
  const kernel = stage.kernel.read() as tf.Tensor4D;
  const filters = kernel.shape[3];
  const shared = constantRows(d);
  if (shared && d.form === 'shared' && d.slope) {
    // sum_c W[.., c] rows[o, c] slope[.., c]: one convolution of the slopes, with the rows in its filter.
    const outputs = shared.shape[0];
    const weighted = tf.mul(
      tf.reshape(kernel, [kh, kw, 1, channels, filters]),
      tf.reshape(shared, [outputs, 1, filters]),
    );
    const filter = tf.reshape(weighted, [kh, kw, outputs * channels, filters]) as tf.Tensor4D;
    const rows = inputGradient(d.slope as tf.Tensor4D, filter, [n, h, w, outputs * channels], stage);
    return { form: 'inside', rows: tf.reshape(rows, [n, h, w, outputs, channels]) };
  }
  const rows = outside(d, n, result.shape.slice(1));
  const outputs = rows.shape[1] as number;
  const dy = tf.reshape(rows, [n * outputs, ...result.shape.slice(1)]) as tf.Tensor4D;
  const dx = inputGradient(dy, kernel, [n * outputs, h, w, channels], stage);
  return { form: 'outside', rows: tf.reshape(dx, [n, outputs, h, w, channels]) };
}

function inputGradient(
  dy: tf.Tensor4D,
  filter: tf.Tensor4D,
  inputShape: number[],
  stage: ConvStage,
): tf.Tensor4D {
  const { strides, padding } = stage.window;
  return tf.conv2dTranspose(
    dy,
    filter,
    inputShape as [number, number, number, number],
    [strides[0], strides[1]],
    padding,
  );
}

function densePart(stage: DenseStage, a: tf.Tensor2D, d: Cotangents): Part {
  const input = stage.scale === 1 ? tf.clone(a) : (tf.mul(a, stage.scale) as tf.Tensor2D);
  const biasScale = stage.bias ? stage.biasScale : 0;
  const common = { kind: 'product' as const, layer: stage.layer.name, input, biasScale };
  if (d.form === 'shared' && !d.slope)
    return { ...common, cotangent: tf.clone(d.rows as tf.Tensor2D), uniform: true };
  const units = stage.kernel.shape[1] as number;
  const rows = tf.clone(outside(d, a.shape[0], [units]));
  return { ...common, cotangent: tf.reshape(rows, [-1, units]) as tf.Tensor2D, uniform: false };
}

/** Per-sample gradients of a convolution, or its patches and cotangents where those would be larger. */
function convPart(stage: ConvStage, input: tf.Tensor4D, d: Cotangents, request: StagedRequest): Part {
  const [kh, kw, channels, filters] = stage.kernel.shape as number[];
  const [, height, width] = stage.layer.outputShape as number[];
  const n = input.shape[0];
  const layer = stage.layer.name;
  const patches = patchesOf(input, stage.window);
  const [positions, k] = [height * width, kh * kw * channels];
  const { outputs } = request;
  const full = request.mode === 'full';
  const shared = constantRows(d);
  if (shared && d.form === 'shared' && d.slope) {
    // Gradients of output o are those of the slope, times the row of o.
    const slope = tf.reshape(d.slope, [n, positions, filters]) as tf.Tensor3D;
    const gradients: tf.Tensor[] = [tf.reshape(sampleOuter(patches, slope), [n, 1, k, filters])];
    if (stage.bias) gradients.push(tf.reshape(tf.sum(slope, 1), [n, 1, 1, filters]));
    const weights = full ? shared : tf.expandDims(tf.sqrt(tf.sum(tf.square(shared), 0)), 0);
    const each = weights.shape[0];
    const factor = tf.reshape(weights, [1, each, 1, filters]);
    return {
      kind: 'gradients',
      layer,
      rows: gradients.map((g) => tf.reshape(tf.mul(g, factor), [n * each, -1])),
    };
  }
  const N = request.samples;
  const byGradients = 2 * N * outputs * k * filters * (positions + N);
  const byPairs = 2 * N * N * positions * positions * (k + outputs * filters);
  const tooLarge = N * outputs * k * filters > 2 ** 28;
  if (tooLarge || byPairs < byGradients) {
    const rows = outside(d, n, [height, width, filters]);
    const cotangents = tf.reshape(tf.clone(rows), [n, outputs, positions, filters]) as tf.Tensor4D;
    return {
      kind: 'positions',
      layer,
      patches: tf.clone(patches),
      cotangents,
      biasScale: stage.bias ? 1 : 0,
    };
  }
  const delta = inside(d, n, [height, width, filters]);
  const gradients: tf.Tensor[] = [sampleOuter(patches, delta)];
  if (stage.bias) gradients.push(tf.sum(delta, 1, true));
  return { kind: 'gradients', layer, rows: gradients.map((g) => arranged(g, outputs, filters, full)) };
}

/** [n, k, O c] to [n, k O c] (trace form), or to [n O, k c]. */
function arranged(g: tf.Tensor, outputs: number, filters: number, full: boolean): tf.Tensor2D {
  const [n, k] = g.shape;
  if (!full || outputs === 1) return tf.reshape(g, [n, -1]) as tf.Tensor2D;
  const turned = tf.transpose(tf.reshape(g, [n, k, outputs, filters]), [0, 2, 1, 3]);
  return tf.reshape(turned, [n * outputs, k * filters]) as tf.Tensor2D;
}
