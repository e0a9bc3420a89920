import { FailureError } from '../../core/errors.js';
import * as tf from '../tf.js';
import { collectParts, type Part, type Parts } from './parts.js';
import { timesTransposed } from './products.js';
import { outputCount } from './tap.js';

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
 * `against` is absent. Memory beyond the result: the layers' inputs and cotangents and one block.
 */
export async function empiricalKernel(
  model: tf.LayersModel,
  x: tf.Tensor | tf.Tensor[],
  options: KernelOptions = {},
): Promise<EmpiricalKernel> {
  const mode = options.mode ?? 'trace';
  const count = outputCount(model);
  if (options.output !== undefined && !(options.output >= 0 && options.output < count))
    throw new FailureError(
      `Output ${options.output} was asked for, but the model has outputs 0 to ${count - 1}.`,
    );
  const outputs =
    options.output === undefined ? Array.from({ length: count }, (_, o) => o) : [options.output];
  const all = options.output === undefined;
  const left = collectParts(model, x, outputs, all);
  const right = options.against ? collectParts(model, options.against, outputs, all) : left;
  try {
    return await assemble(left, right, mode, options);
  } finally {
    left.dispose();
    if (right !== left) right.dispose();
  }
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
  const data = allocate(rows, cols);
  const layers = options.perLayer
    ? Object.fromEntries(left.parts.map((p) => [p.layer, allocate(rows, cols)]))
    : null;
  const symmetric = left === right;
  // Blocks keep the temporaries of one product within some 64 MB.
  const block =
    options.blockRows ?? Math.max(16, Math.floor(Math.min(left.samples, Math.sqrt(2 ** 24) / stride)));
  for (let i = 0; i < left.samples; i += block) {
    const bi = Math.min(block, left.samples - i);
    for (let j = symmetric ? i : 0; j < right.samples; j += block) {
      options.signal?.throwIfAborted();
      const bj = Math.min(block, right.samples - j);
      const write = (target: Float32Array, values: Float32Array) =>
        place(target, cols, values, i * stride, j * stride, bi * stride, bj * stride, symmetric);
      const tensors = tf.tidy(() => {
        const each = left.parts.map((part, k) => {
          const factor = (options.layerFactors?.[part.layer] ?? 1) / (mode === 'trace' ? left.outputs : 1);
          const value = blockOf(part, right.parts[k], [i, bi], [j, bj], mode, left.outputs);
          return factor === 1 ? value : tf.mul(value, factor);
        });
        const total = each.length === 1 ? tf.clone(each[0]) : tf.addN(each);
        return layers ? [total, ...each] : [total];
      });
      const values = (await Promise.all(tensors.map((t) => t.data()))) as Float32Array[];
      tf.dispose(tensors);
      write(data, values[0]);
      if (layers) left.parts.forEach((part, k) => write(layers[part.layer], values[k + 1]));
    }
  }
  return { mode, rows, cols, data, outputs: left.outputs, perLayer: layers, notes: left.notes };
}

function allocate(rows: number, cols: number): Float32Array {
  try {
    return new Float32Array(rows * cols);
  } catch {
    const fits = Math.floor(Math.sqrt(2 ** 29));
    throw new FailureError(
      `A kernel of ${rows} x ${cols} values does not fit in memory; up to ${fits} x ${fits} does. Take fewer inputs or the trace form.`,
    );
  }
}

/** Copies a block to its place, and mirrored below the diagonal of a symmetric kernel. */
function place(
  target: Float32Array,
  cols: number,
  values: Float32Array,
  i0: number,
  j0: number,
  bi: number,
  bj: number,
  symmetric: boolean,
): void {
  const diagonal = symmetric && i0 === j0;
  for (let i = 0; i < bi; i++) {
    if (!diagonal) target.set(values.subarray(i * bj, (i + 1) * bj), (i0 + i) * cols + j0);
    if (!symmetric) continue;
    for (let j = diagonal ? i : 0; j < bj; j++) {
      const value = values[i * bj + j];
      target[(i0 + i) * cols + j0 + j] = value;
      target[(j0 + j) * cols + i0 + i] = value;
    }
  }
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
    const square = a.scale * a.scale;
    if (square !== 1) inputs = tf.mul(inputs, square);
    if (a.biasScale !== 0) inputs = tf.add(inputs, a.biasScale * a.biasScale);
    const [da, db] = [take(a.cotangent, i, outputs), take(b.cotangent, j, outputs)];
    if (mode === 'trace') return tf.mul(inputs, timesTransposed(joined(da, outputs), joined(db, outputs)));
    const wide = tf.reshape(inputs, [i[1], 1, j[1], 1]);
    const cotangents = tf.reshape(timesTransposed(da, db), [i[1], outputs, j[1], outputs]);
    return tf.reshape(tf.mul(cotangents, wide), [i[1] * outputs, j[1] * outputs]) as tf.Tensor2D;
  }
  if (a.kind === 'gradients' && b.kind === 'gradients') {
    const [ga, gb] = [take(a.rows, i, outputs), take(b.rows, j, outputs)];
    return mode === 'trace'
      ? timesTransposed(joined(ga, outputs), joined(gb, outputs))
      : timesTransposed(ga, gb);
  }
  if (a.kind === 'positions' && b.kind === 'positions') return pairs(a, b, i, j, mode, outputs);
  throw new Error(`Layer ${a.layer} took two different forms for the two sets of inputs.`);
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
