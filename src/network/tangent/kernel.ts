import { InputError } from '../../core/errors.js';
import { isOutOfMemory } from '../backends/memory.js';
import * as tf from '../tf.js';
import { type Inputs, sampleCount } from './jacobian/linearisation.js';
import { outputCount } from './outputs.js';
import type { Part, ProductPart } from './part.js';
import { collectParts, type Parts } from './parts.js';
import { timesTransposed } from './products.js';
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
  if (symmetric) for (const target of [data, ...Object.values(layers ?? {})]) mirror(target, cols);
  return { mode, rows, cols, data, outputs: left.outputs, perLayer: layers, notes: left.notes };
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

type Range = readonly [start: number, size: number];

/** Rows of a range of samples; `per` rows belong to one sample. */
function take<T extends tf.Tensor>(tensor: T, [start, size]: Range, per: number): T {
  if (start === 0 && size * per === tensor.shape[0]) return tensor;
  return tf.slice(
    tensor,
    [start * per, ...tensor.shape.slice(1).map(() => 0)],
    [size * per, ...tensor.shape.slice(1)],
  );
}

/** One layer's part of a block, summed over outputs in trace form: [bi, bj] or [bi O, bj O]. */
function blockOf(a: Part, b: Part, i: Range, j: Range, mode: KernelMode, outputs: number): tf.Tensor2D {
  if (a.kind === 'product' && b.kind === 'product') {
    let inputs: tf.Tensor2D = timesTransposed(take(a.input, i, 1), take(b.input, j, 1));
    if (a.biasScale !== 0) inputs = tf.add(inputs, a.biasScale * a.biasScale);
    const { per } = a;
    if (per === 'shared') return timesShared(inputs, a, mode);
    const [da, db] = [take(a.cotangent, i, per), take(b.cotangent, j, per)];
    if (mode === 'trace') return tf.mul(inputs, timesTransposed(joined(da, per), joined(db, per)));
    const wide = tf.reshape(inputs, [i[1], 1, j[1], 1]);
    const cotangents = tf.reshape(timesTransposed(da, db), [i[1], outputs, j[1], outputs]);
    return tf.reshape(tf.mul(cotangents, wide), [i[1] * outputs, j[1] * outputs]) as tf.Tensor2D;
  }
  if (a.kind === 'gradients' && b.kind === 'gradients') {
    const per = mode === 'full' ? outputs : 1;
    const pieces = a.rows.map((rows, r) => timesTransposed(take(rows, i, per), take(b.rows[r], j, per)));
    return pieces.length === 1 ? pieces[0] : tf.addN(pieces);
  }
  if (a.kind === 'positions' && b.kind === 'positions') return pairs(a, b, i, j, mode, outputs);
  throw new Error(`Layer ${a.layer} took two different forms for the two sets of inputs.`);
}

/** The part of a layer whose cotangents D [O, n] are the same for all samples: inputs times |D|^2, or times D D^T. */
function timesShared(
  inputs: tf.Tensor2D,
  { cotangent, squares }: ProductPart,
  mode: KernelMode,
): tf.Tensor2D {
  if (mode === 'trace') {
    if (squares === 1) return inputs;
    return tf.mul(inputs, squares ?? tf.sum(tf.square(cotangent)));
  }
  const [n, m] = inputs.shape;
  const outputs = cotangent.shape[0];
  const pairs = tf.reshape(timesTransposed(cotangent, cotangent), [1, outputs, 1, outputs]);
  return tf.reshape(tf.mul(tf.reshape(inputs, [n, 1, m, 1]), pairs), [n * outputs, m * outputs]);
}

/** [n O, p] to [n, O p]: one row a sample, whose inner products sum over the outputs. */
const joined = (t: tf.Tensor2D, outputs: number): tf.Tensor2D =>
  outputs === 1 ? t : (tf.reshape(t, [t.shape[0] / outputs, outputs * t.shape[1]]) as tf.Tensor2D);

type PositionsPart = Extract<Part, { kind: 'positions' }>;

/** Sum over position pairs (patch . patch + bias) (delta . delta), a few rows of samples at a time. */
function pairs(
  a: PositionsPart,
  b: PositionsPart,
  i: Range,
  j: Range,
  mode: KernelMode,
  outputs: number,
): tf.Tensor2D {
  const [, positions, k] = a.patches.shape;
  const c = a.cotangents.shape[3];
  const outputPairs = mode === 'full' ? outputs : 1;
  const rowsAtOnce = Math.max(
    1,
    Math.floor(2 ** 24 / (positions * positions * j[1] * outputPairs * outputPairs)),
  );
  const pb = tf.reshape(take(b.patches, j, 1), [j[1] * positions, k]) as tf.Tensor2D;
  const db = arrange(take(b.cotangents, j, 1), mode);
  const bands: tf.Tensor2D[] = [];
  for (let r = 0; r < i[1]; r += rowsAtOnce) {
    const n = Math.min(rowsAtOnce, i[1] - r);
    bands.push(
      tf.tidy(() => {
        const range: Range = [i[0] + r, n];
        const pa = tf.reshape(take(a.patches, range, 1), [n * positions, k]) as tf.Tensor2D;
        let patches: tf.Tensor = timesTransposed(pa, pb);
        if (a.biasScale !== 0) patches = tf.add(patches, a.biasScale * a.biasScale);
        const deltas = timesTransposed(arrange(take(a.cotangents, range, 1), mode), db);
        if (mode === 'trace') {
          const product = tf.reshape(tf.mul(patches, deltas), [n, positions, j[1], positions]);
          return tf.sum(product, [1, 3]) as tf.Tensor2D;
        }
        const p = tf.reshape(patches, [n, 1, positions, j[1], 1, positions]);
        const d = tf.reshape(deltas, [n, outputs, positions, j[1], outputs, positions]);
        return tf.reshape(tf.sum(tf.mul(p, d), [2, 5]), [n * outputs, j[1] * outputs]) as tf.Tensor2D;
      }),
    );
  }
  return bands.length === 1 ? bands[0] : (tf.concat(bands, 0) as tf.Tensor2D);

  /** Cotangents [n, O, S, c] as rows: one a (sample, position) with outputs side by side, or one a (sample, output, position). */
  function arrange(d: tf.Tensor4D, form: KernelMode): tf.Tensor2D {
    const n = d.shape[0];
    return form === 'trace'
      ? (tf.reshape(tf.transpose(d, [0, 2, 1, 3]), [n * positions, outputs * c]) as tf.Tensor2D)
      : (tf.reshape(d, [n * outputs * positions, c]) as tf.Tensor2D);
  }
}
