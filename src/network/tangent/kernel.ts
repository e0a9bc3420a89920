import { InputError } from '../../core/errors.js';
import { isOutOfMemory } from '../backends/memory.js';
import { threads } from '../backends/simd/index.js';
import * as tf from '../tf.js';
import { blockOf } from './blocks.js';
import { type Inputs, sampleCount } from './jacobian/linearisation.js';
import { onThreads } from './onThreads.js';
import { outputCount } from './outputs.js';
import { collectParts, type Parts } from './parts.js';
import { outOfRoom, requireRoom, requireRoomForParts } from './room.js';

export type KernelMode = 'trace' | 'full';

export interface KernelOptions {
  /** 'trace': mean over outputs, [N, M]; 'full': [N O, M O], row i O + o. Default 'trace'. */
  readonly mode?: KernelMode;
  /** Second set of inputs for a rectangle; the same as the first when absent. */
  readonly against?: tf.Tensor | tf.Tensor[];
  /** One output only (its own kernel, no mean). */
  readonly output?: number;
  readonly perLayer?: boolean;
  /** Factor on each layer's part (unequal step sizes); 1 where absent. */
  readonly layerFactors?: Readonly<Record<string, number>>;
  /** Most samples in a block of rows (default: from the size of the outputs). */
  readonly blockRows?: number;
  readonly signal?: AbortSignal;
}

export interface EmpiricalKernel {
  readonly mode: KernelMode;
  readonly rows: number;
  readonly cols: number;
  /** Row-major float32, [rows, cols]. */
  readonly data: Float32Array;
  readonly outputs: number;
  readonly perLayer: Readonly<Record<string, Float32Array>> | null;
  /** What the user should know: inference form of normalisation, layers without a structured rule and their cost. */
  readonly notes: readonly string[];
}

/**
 * Empirical neural tangent kernel of any layers model by structured derivatives (Novak, Sohl-Dickstein and Schoenholz
 * 2022): K[i, j] = (1 / O) sum_o <d f_o(x_i) / d theta, d f_o(x_j) / d theta> over the trainable weights, f being
 * `model.output` with its final activation. `x` is [N, ...] (an array for several inputs). Exactly symmetric when
 * `against` is absent. Memory beyond the result: the layers' inputs and cotangents and one block; throws a FailureError
 * with the size that fits when there is not enough, and an InputError for an output that the model does not have.
 */
export async function empiricalKernel(
  model: tf.LayersModel,
  x: tf.Tensor | tf.Tensor[],
  options: KernelOptions = {},
): Promise<EmpiricalKernel> {
  const mode = options.mode ?? 'trace';
  const count = outputCount(model);
  const { output } = options;
  if (output !== undefined && !(Number.isInteger(output) && output >= 0 && output < count))
    throw new InputError(`Output ${output} was asked for, but the model has outputs 0 to ${count - 1}.`, {
      field: 'output',
    });
  const outputs =
    options.output === undefined ? Array.from({ length: count }, (_, o) => o) : [options.output];
  const all = options.output === undefined;
  const { against } = options;
  const counted = Math.max(sampleCount(x), against ? sampleCount(against) : 0);
  const collect = (inputs: Inputs) => collectParts(model, inputs, outputs, all, mode, counted);
  requireRoomForParts(model, x, outputs.length, collect);
  const held: Parts[] = [];
  let failed: unknown;
  try {
    const left = collect(x);
    held.push(left);
    const right = against ? collect(against) : left;
    if (right !== left) held.push(right);
    return await assemble(left, right, mode, options);
  } catch (error) {
    failed = error;
  } finally {
    for (const parts of held) parts.dispose();
  }
  throw isOutOfMemory(failed) ? outOfRoom(x, collect) : failed;
}

async function assemble(
  left: Parts,
  right: Parts,
  mode: KernelMode,
  options: KernelOptions,
): Promise<EmpiricalKernel> {
  const stride = mode === 'full' ? left.outputs : 1;
  const rows = left.samples * stride;
  const cols = right.samples * stride;
  requireRoom(rows, cols, 1 + (options.perLayer ? left.parts.length : 0));
  const data = new Float32Array(rows * cols);
  const layers = options.perLayer
    ? Object.fromEntries(left.parts.map((p) => [p.layer, new Float32Array(rows * cols)]))
    : null;
  const symmetric = left === right;
  const pool = mode === 'trace' && tf.getBackend() === 'wasm' ? threads() : null;
  if (pool) onThreads(pool, left, right, data, layers, options);
  else await onBackend(left, right, mode, data, layers, options);
  if (symmetric) for (const target of [data, ...Object.values(layers ?? {})]) mirror(target, cols);
  return { mode, rows, cols, data, outputs: left.outputs, perLayer: layers, notes: left.notes };
}

/** A kernel by the backend's operations, the upper triangle of a symmetric one. */
async function onBackend(
  left: Parts,
  right: Parts,
  mode: KernelMode,
  data: Float32Array,
  layers: Readonly<Record<string, Float32Array>> | null,
  options: KernelOptions,
): Promise<void> {
  const symmetric = left === right;
  const stride = mode === 'full' ? left.outputs : 1;
  const cols = right.samples * stride;
  const panel = options.blockRows ?? panelRows(left, right, stride, symmetric);
  const mean = mode === 'trace' ? 1 / left.outputs : 1;
  for (let i = 0; i < left.samples; i += panel) {
    options.signal?.throwIfAborted();
    const bi = Math.min(panel, left.samples - i);
    // What lies below the diagonal of a symmetric kernel is mirrored at the end.
    const j = symmetric ? i : 0;
    const tensors = tf.tidy(() => {
      const each = left.parts.map((part, k) => {
        const value = blockOf(part, right.parts[k], [i, bi], [j, right.samples - j], mode, left.outputs);
        const own = part.kind === 'product' ? part.factor : 1;
        const factor = (options.layerFactors?.[part.layer] ?? 1) * own * mean;
        return factor === 1 ? value : tf.mul(value, factor);
      });
      const total = each.length === 1 ? tf.clone(each[0]) : tf.addN(each);
      return layers ? [total, ...each] : [total];
    });
    const values = (await Promise.all(tensors.map((t) => t.data()))) as Float32Array[];
    tf.dispose(tensors);
    const width = (right.samples - j) * stride;
    const write = (target: Float32Array, source: Float32Array) => {
      for (let r = 0; r < bi * stride; r++)
        target.set(source.subarray(r * width, (r + 1) * width), (i * stride + r) * cols + j * stride);
    };
    write(data, values[0]);
    if (layers) for (const [k, part] of left.parts.entries()) write(layers[part.layer], values[k + 1]);
  }
}

/** Products smaller than this many operations do not use the processor well. */
const worthwhile = 2 ** 30;

/**
 * Samples in a panel of rows. Panels of a symmetric kernel start at the diagonal, so that many of them halve the work;
 * and the temporaries of one stay within some 64 MB.
 */
function panelRows(left: Parts, right: Parts, stride: number, symmetric: boolean): number {
  const fitting = Math.max(1, Math.floor(2 ** 24 / (right.samples * stride * stride)));
  if (!symmetric) return Math.min(left.samples, Math.max(16, fitting));
  const panels = Math.max(1, Math.floor(gramOperations(left, stride) / worthwhile));
  return Math.min(Math.max(128, Math.ceil(left.samples / panels)), Math.max(16, fitting));
}

/** Operations of the whole Gram matrices of the most expensive part. */
function gramOperations(parts: Parts, stride: number): number {
  const n = parts.samples;
  const widths = parts.parts.map((part) => {
    if (part.kind === 'product') return part.input.shape[1] + part.cotangent.size / n;
    return part.kind === 'gradients' ? part.rows[0].size / n : 0;
  });
  return 2 * n * n * stride * Math.max(0, ...widths);
}

/** Copies the upper triangle of a square matrix to the lower one, in tiles that stay in the cache. */
function mirror(target: Float32Array, n: number): void {
  const tile = 32;
  for (let i0 = 0; i0 < n; i0 += tile)
    for (let j0 = 0; j0 <= i0; j0 += tile)
      for (let i = i0; i < Math.min(n, i0 + tile); i++)
        for (let j = j0; j < Math.min(i, j0 + tile); j++) target[i * n + j] = target[j * n + i];
}
