import * as tf from '../tf.js';
import { type Cotangents, constantRows, inside, outside } from './cotangents.js';
import type { KernelMode } from './kernel.js';
import { concatenated, disposeParts, keptParts, type Part } from './part.js';
import { patchesOf } from './patches.js';
import { sampleOuter } from './products.js';
import type { Stage } from './stages.js';
import { backward, forward, fusedForward, isFused } from './steps.js';

type ConvStage = Extract<Stage, { kind: 'conv' }>;
type DenseStage = Extract<Stage, { kind: 'dense' }>;

/** Most values of one tensor in a chunk of samples. Memory that wasm once took it never gives back. */
const chunkValues = (): number => (tf.getBackend() === 'wasm' ? 2 ** 21 : 2 ** 24);

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
  return Math.max(1, Math.floor(chunkValues() / most));
}

/** Everything for one chunk of samples. The caller tidies. */
function chunkParts(stages: readonly Stage[], x: tf.Tensor4D, request: StagedRequest): Part[] {
  const first = stages.findIndex((stage) => 'trainable' in stage && stage.trainable);
  const inputs: tf.Tensor[] = [];
  let a: tf.Tensor = x;
  for (const [s, stage] of stages.entries()) {
    inputs.push(a);
    const next = stages[s + 1];
    if (stage.kind === 'activation' && stages[s - 1] && isFused(stages[s - 1], stage)) continue;
    a = next && isFused(stage, next) ? fusedForward(stage as ConvStage, a as tf.Tensor4D) : forward(stage, a);
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

/** Which operand of the products of patches and cotangents is better first: native the narrow one, wasm the wide one. */
const patchesFirst = (): boolean => tf.getBackend() === 'wasm';

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
    const lane = patchesFirst() ? [1, filters] : [filters, 1];
    const gradients: tf.Tensor[] = [
      patchesFirst()
        ? tf.reshape(sampleOuter(patches, slope), [n, 1, k, filters])
        : tf.reshape(sampleOuter(slope, patches), [n, 1, filters, k]),
    ];
    if (stage.bias) gradients.push(tf.reshape(tf.sum(slope, 1), [n, 1, ...lane]));
    const weights = full ? shared : tf.expandDims(tf.sqrt(tf.sum(tf.square(shared), 0)), 0);
    const each = weights.shape[0];
    const factor = tf.reshape(weights, [1, each, ...lane]);
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
  const swapped = !full && patchesFirst();
  const gradients: tf.Tensor[] = [swapped ? sampleOuter(patches, delta) : sampleOuter(delta, patches)];
  if (stage.bias) gradients.push(tf.sum(delta, 1));
  // [n, O c, k], or [n, k, O c]: in trace form all of a sample's numbers, in full form those of each output.
  const rows = full ? n * outputs : n;
  return { kind: 'gradients', layer, rows: gradients.map((g) => tf.reshape(g, [rows, -1]) as tf.Tensor2D) };
}
