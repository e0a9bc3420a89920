import { operandOf } from '../backends/kernels/heap.js';
import { type GramPart, gramOf, type Operand, type Range, type Threads } from '../backends/simd/index.js';
import * as tf from '../tf.js';
import { termOf } from './blocks.js';
import type { Contributions } from './collect.js';
import type { Contribution } from './contribution.js';
import type { KernelOptions } from './request.js';

/** Bytes of workspace that the operands of one block may take. */
const workspace = 96 * 2 ** 20;

/** One part of a trace kernel as Gram matrices on our own threads; null for parts that are kept as positions. */
function gramPartsOf(part: Contribution, factor: number): readonly GramPart[] | null {
  if (part.kind === 'positions') return null;
  if (part.kind === 'gradients')
    return part.rows.map((rows) => ({ input: asOperand(rows, 1), cotangent: null, factor, shift: 0 }));
  const { per, input, cotangent, biasScale } = part;
  const common = { input: asOperand(input, 1), shift: biasScale * biasScale };
  if (per !== 'shared')
    return [{ ...common, cotangent: asOperand(cotangent, per), factor: factor * part.factor }];
  const squares = part.squares ?? tf.tidy(() => tf.sum(tf.square(cotangent)).dataSync()[0]);
  return [{ ...common, cotangent: null, factor: factor * part.factor * squares }];
}

/** Rows of a sample side by side as one. */
const asOperand = (t: tf.Tensor2D, per: number): Operand => operandOf(t, t.shape[0] / per, t.shape[1] * per);

/** Samples in the side of a block, so that the operands of every part fit the workspace. */
function blockSide(parts: readonly GramPart[]): number {
  const most = parts.reduce((sum, { input, cotangent }) => {
    // Gradients are multiplied a piece of a row at a time.
    const k = cotangent ? input.k + cotangent.k : Math.min(input.k, 4096);
    return Math.max(sum, k);
  }, 1);
  // Two sets of rows, the matrix itself beside them.
  const side = (-most + Math.sqrt(most * most + workspace / 4)) | 0;
  return Math.max(8, 8 * Math.floor(side / 8));
}

interface LayerGrams {
  readonly layer: string;
  readonly factor: number;
  readonly left: Contribution;
  readonly right: Contribution;
  readonly a: readonly GramPart[] | null;
  readonly b: readonly GramPart[] | null;
}

/**
 * Adds up a trace kernel on our own threads, block by block, in `data` and, where wanted, the `layers`; of a symmetric one
 * the upper triangle. Both come filled with zeros.
 */
export async function onThreads(
  threads: Threads,
  left: Contributions,
  right: Contributions,
  data: Float32Array,
  layers: Readonly<Record<string, Float32Array>> | null,
  options: KernelOptions,
): Promise<void> {
  const symmetric = left === right;
  const each = left.parts.map((part, k): LayerGrams => {
    const factor = (options.layerFactors?.[part.layer] ?? 1) / left.outputs;
    const a = gramPartsOf(part, factor);
    const other = right.parts[k];
    if (part.kind !== other.kind)
      throw new Error(`Layer ${part.layer} took two different forms for the two sets of inputs.`);
    const b = symmetric ? a : gramPartsOf(other, factor);
    return { layer: part.layer, factor, left: part, right: other, a, b };
  });
  const add = (grams: readonly LayerGrams[], i: Range, j: Range, target: Float32Array): void => {
    const a = grams.flatMap((g) => g.a ?? []);
    const b = grams.flatMap((g) => g.b ?? []);
    if (a.length > 0) {
      const { values, stride } = gramOf(threads, a, b, i, j, symmetric);
      addRows(values, stride, 1, target, i, j, right.samples);
    }
    for (const g of grams) {
      if (g.a) continue;
      const values = tf.tidy(() => termOf(g.left, g.right, i, j, left.outputs).inputs.dataSync());
      addRows(values as Float32Array, j[1], g.factor, target, i, j, right.samples);
    }
  };
  const side = Math.min(options.blockRows ?? left.samples, blockSide(each.flatMap(({ a }) => a ?? [])));
  for (let i = 0; i < left.samples; i += side) {
    const rows: Range = [i, Math.min(side, left.samples - i)];
    for (let j = symmetric ? i : 0; j < right.samples; j += side) {
      // What would abort must have a chance to.
      if (options.signal) await new Promise((resolve) => setImmediate(resolve));
      options.signal?.throwIfAborted();
      const columns: Range = [j, Math.min(side, right.samples - j)];
      if (!layers) add(each, rows, columns, data);
      else
        for (const grams of each) {
          add([grams], rows, columns, layers[grams.layer]);
        }
    }
  }
  if (layers)
    for (const layer of Object.values(layers)) for (let i = 0; i < data.length; i++) data[i] += layer[i];
}

/** Adds `factor` times rows of a block, `stride` apart, to rows i and columns j of a matrix of `width` columns. */
function addRows(
  values: Float32Array,
  stride: number,
  factor: number,
  target: Float32Array,
  i: Range,
  j: Range,
  width: number,
): void {
  for (let r = 0; r < i[1]; r++) {
    const from = r * stride;
    const to = (i[0] + r) * width + j[0];
    for (let c = 0; c < j[1]; c++) target[to + c] += factor * values[from + c];
  }
}
