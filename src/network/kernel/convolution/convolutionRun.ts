import { makeOutput, valuesOf } from '../../backends/kernels/heap.js';
import {
  convolve,
  descend,
  padded,
  type RunLayer,
  type Shape,
  sampleBytes,
  type Threads,
  type Top,
} from '../../backends/simd/index.js';
import { device } from '../../devices/index.js';
import { activations } from '../../models/activations.js';
import type { ConvLayer, StackLayer, Window } from '../../patterns/convStack.js';
import * as tf from '../../tf.js';
import type { Contribution } from '../contribution.js';
import { type Cotangents, constantRows, outside } from './cotangents.js';
import { patchesOf } from './patches.js';
import type { StackRequest } from './request.js';
import { keepsPatches } from './request.js';

/** Bytes of shared memory for the samples that are done at once, and for what a thread keeps of one. */
const [batchBytes, threadBytes] = [2 ** 24, 2 ** 24];

/** Work (multiply-adds) of a convolution from which on it is worth our own threads. */
const worthThreads = 2 ** 21;

const isThreeByThree = ({ window }: ConvLayer): boolean =>
  window.size.every((size) => size === 3) && window.strides.every((stride) => stride === 1);

function shapeOf({ window, inShape, outShape }: ConvLayer): Shape {
  const [height, width, from] = inShape;
  const [outHeight, outWidth, to] = outShape;
  return { height, width, from, outHeight, outWidth, to, margin: window.padding === 'same' ? 1 : 0 };
}

const tiles = ({ outHeight, outWidth }: Shape): number => Math.ceil(outHeight / 2) * Math.ceil(outWidth / 2);

/** Channels of images filled up with zeros to a multiple of 8. */
function widened<T extends tf.Tensor>(t: T, wide = padded(t.shape[t.rank - 1] as number)): T {
  const channels = t.shape[t.rank - 1] as number;
  if (wide === channels) return t;
  const none = t.shape.slice(0, -1).map((): [number, number] => [0, 0]);
  return tf.pad(t, [...none, [0, wide - channels]]);
}

const asTensor = (info: tf.TensorInfo): tf.Tensor => tf.engine().makeTensorFromTensorInfo(info as never);

/** A 3 x 3 convolution with its bias, and relu behind it where asked, on our own threads; null where it is not for them. */
export function convolveOnThreads(stage: ConvLayer, x: tf.Tensor4D, relu: boolean): tf.Tensor4D | null {
  const [n, , , from] = x.shape;
  const shape = shapeOf(stage);
  const { outHeight, outWidth, to } = shape;
  const work = n * outHeight * outWidth * 9 * from * to;
  if (!isThreeByThree(stage) || from < 8 || work < worthThreads) return null;
  const own = device().threads();
  if (!own) return null;
  const images = widened(x);
  const out = makeOutput([n, outHeight, outWidth, padded(to)]);
  const bias = stage.bias ? stage.bias.dataSync() : null;
  const filters = stage.kernel.dataSync();
  convolve(
    own,
    n,
    () => valuesOf(images),
    filters,
    bias,
    relu,
    shape,
    () => valuesOf(out),
  );
  const result = asTensor(out) as tf.Tensor4D;
  return to === padded(to) ? result : tf.slice4d(result, [0, 0, 0, 0], [n, outHeight, outWidth, to]);
}

/**
 * The lowest stage of the run of convolutions, with activations between them, that ends with stage s and that our own
 * threads can take at once, or null. All of it must be 3 x 3 of stride 1 but the network's first trainable convolution.
 */
export function runBelow(
  stages: readonly StackLayer[],
  s: number,
  first: number,
  request: StackRequest,
): number | null {
  if (request.mode !== 'trace' || !device().threads()) return null;
  let lowest: number | null = null;
  for (let at = s; at >= first; at -= 2) {
    const stage = stages[at];
    if (stage.kind !== 'conv' || !fits(stage)) break;
    if (stage.trainable && keepsPatches(stage, request)) break;
    if (!isThreeByThree(stage) && at !== first) break;
    lowest = at;
    if (stages[at - 1]?.kind !== 'activation') break;
  }
  return lowest;
}

/** Whether a thread may keep what it needs of one sample. */
function fits(stage: ConvLayer): boolean {
  const shape = shapeOf(stage);
  return 64 * tiles(shape) * (padded(shape.from) + padded(shape.to)) <= threadBytes;
}

export interface RunContributions {
  readonly parts: readonly Contribution[];
  /** Of the run's input, where there is something trainable below. */
  readonly cotangents: Cotangents | null;
}

/**
 * Parts of the convolutions of a run from stage `lowest` to stage s, d being the cotangents behind it. `inputs` are those
 * of all stages. The caller tidies.
 */
export function runContributions(
  stages: readonly StackLayer[],
  lowest: number,
  s: number,
  first: number,
  inputs: readonly tf.Tensor[],
  d: Cotangents,
  request: StackRequest,
): RunContributions {
  const own = device().threads() as Threads;
  const n = inputs[s].shape[0];
  const down = lowest > first;
  const { outputs } = request;
  const convolutions: ConvLayer[] = [];
  const layers: LayerOf[] = [];
  for (let at = lowest; at <= s; at += 2) {
    convolutions.push(stages[at] as ConvLayer);
    layers.push(layerOf(stages, at, at === first, inputs));
  }
  const top = topOf(d, n, convolutions[convolutions.length - 1]);
  const all = layers.map((layer) => layer(0, n));
  const most = Math.max(1, Math.min(n, Math.floor(batchBytes / sampleBytes(all, outputs, down))));
  const [, h, w, c] = inputs[lowest].shape as number[];
  const below = down ? makeOutput([n, outputs, h, w, padded(c)]) : null;
  const rows: (tf.TensorInfo | null)[] = [];
  for (let i = 0; i < n; i += most) {
    const some = Math.min(most, n - i);
    const batch = layers.map((layer) => layer(i, some));
    const result = descend(own, some, outputs, batch, top(i, some), down);
    for (const [l, values] of result.rows.entries()) {
      if (i === 0) rows[l] = values && makeOutput([n, values.length / some]);
      const out = rows[l];
      if (values && out) valuesOf(out).set(values, (i * values.length) / some);
    }
    if (below && result.cotangents)
      valuesOf(below).set(result.cotangents, (i * result.cotangents.length) / some);
  }
  const parts = rows.flatMap((info, l): Contribution[] =>
    info ? [{ kind: 'gradients', layer: convolutions[l].name, rows: [asTensor(info) as tf.Tensor2D] }] : [],
  );
  if (!below) return { parts, cotangents: null };
  const whole = asTensor(below);
  const narrow = c === padded(c) ? whole : tf.slice(whole, [0, 0, 0, 0, 0], [n, outputs, h, w, c]);
  return { parts, cotangents: { form: 'outside', rows: narrow } };
}

/** A layer of a run for `some` samples from i on. */
type LayerOf = (i: number, some: number) => RunLayer;

/** Values of some samples of a tensor [n, ...]. */
const samples = (t: tf.Tensor) => (i: number, some: number) => (): Float32Array => {
  const size = t.size / t.shape[0];
  return valuesOf(t).subarray(i * size, (i + some) * size);
};

function layerOf(
  stages: readonly StackLayer[],
  at: number,
  isFirst: boolean,
  inputs: readonly tf.Tensor[],
): LayerOf {
  const stage = stages[at] as ConvLayer;
  const input = inputs[at] as tf.Tensor4D;
  const shape = shapeOf(stage);
  const { trainable } = stage;
  const common = { trainable, bias: stage.bias !== null };
  // Few channels would mostly be padding; and nothing has to pass through the first one.
  if (isFirst && (!isThreeByThree(stage) || shape.from < 8)) {
    const patches = filledPatches(input, stage.window);
    const of = samples(patches);
    const own = { ...shape, from: patches.shape[2] };
    return (i, some) => ({
      ...common,
      shape: own,
      input: of(i, some),
      patches: true,
      filters: null,
      slope: null,
    });
  }
  const images = samples(widened(input));
  const before = stages[at - 1];
  const slope =
    !isFirst && before?.kind === 'activation' && before.activation !== 'relu'
      ? samples(widened(activations[before.activation].derivative(inputs[at - 1], input)))
      : null;
  const filters = stage.kernel.dataSync();
  return (i, some) => ({
    ...common,
    shape,
    input: images(i, some),
    patches: false,
    filters,
    slope: slope?.(i, some) ?? null,
  });
}

/** Patches [n, S, k], zeros beside them up to a multiple of 4 values. */
function filledPatches(input: tf.Tensor4D, window: Window): tf.Tensor3D {
  const [n, , , channels] = input.shape;
  const [kh, kw] = window.size;
  const k = kh * kw * channels;
  const wide = 4 * Math.ceil(k / 4);
  if (k > 64) return widened(patchesOf(input, window), wide);
  // Many short pieces are costly to put together: an identity filter does it.
  const filter = tf.reshape(widened(tf.eye(k) as tf.Tensor, wide), [kh, kw, channels, wide]) as tf.Tensor4D;
  const { strides, padding } = window;
  return tf.reshape(tf.conv2d(input, filter, [strides[0], strides[1]], padding), [n, -1, wide]);
}

function topOf(d: Cotangents, n: number, stage: ConvLayer): (i: number, some: number) => Top {
  const shared = constantRows(d);
  if (shared && d.form === 'shared' && d.slope) {
    const rows = widened(shared).dataSync() as Float32Array;
    const slope = samples(widened(d.slope));
    return (i, some) => ({ rows, slope: slope(i, some) });
  }
  const cotangents = samples(widened(outside(d, n, stage.outShape)));
  return (i, some) => ({ cotangents: cotangents(i, some) });
}
