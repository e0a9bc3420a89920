import { InputError } from '../../core/errors.js';
import { isOutOfMemory } from '../backends/memory.js';
import { threads } from '../backends/simd/index.js';
import * as tf from '../tf.js';
import { directly } from './directChain.js';
import { type Inputs, sampleCount } from './jacobian/linearisation.js';
import { onBackend } from './onBackend.js';
import { onThreads } from './onThreads.js';
import { outputCount } from './outputs.js';
import { collectParts, type Parts } from './parts.js';
import { outOfRoom, requireRoom, requireRoomForParts } from './room.js';
import { mirror } from './sums.js';

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
  const direct = directly(model, x, options, count);
  if (direct) return direct;
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
