import * as tf from '../tf.js';
import { blockOf, type Range, type Term, termOf } from './blocks.js';
import type { Contributions } from './collect.js';
import type { KernelMode, KernelOptions } from './request.js';
import { addTerm, type Place } from './sums.js';

type Layers = Readonly<Record<string, Float32Array>> | null;

/** A kernel by the backend's operations, the upper triangle of a symmetric one. `data` and `layers` come as zeros. */
export async function onBackend(...request: Parameters<typeof additions>): Promise<void> {
  const steps = additions(...request);
  try {
    for (let next = steps.next(); !next.done; ) next = steps.next((await next.value.data()) as Float32Array);
  } finally {
    steps.return();
  }
}

/** The same at once, without waiting for the backend. */
export function onBackendNow(...request: Parameters<typeof additions>): void {
  const steps = additions(...request);
  try {
    for (let next = steps.next(); !next.done; ) next = steps.next(next.value.dataSync() as Float32Array);
  } finally {
    steps.return();
  }
}

/** Adds up the panels of a kernel. Gives out each tensor whose numbers it needs, and takes the numbers. */
function* additions(
  left: Contributions,
  right: Contributions,
  mode: KernelMode,
  data: Float32Array,
  layers: Layers,
  options: KernelOptions,
): Generator<tf.Tensor, void, Float32Array> {
  for (const { terms, at } of panels(left, right, mode, layers !== null, options))
    try {
      for (const [k, { inputs, cotangents, factor, shift }] of terms.entries()) {
        const a = yield inputs;
        const d = cotangents ? yield cotangents : null;
        addTerm(data, at, a, d, factor, shift);
        if (layers) addTerm(layers[left.parts[k].layer], at, a, d, factor, shift);
      }
    } finally {
      tf.dispose(terms);
    }
}

/** The terms of one panel of rows after another, by layer where they are told apart. Whoever takes them disposes them. */
function* panels(
  left: Contributions,
  right: Contributions,
  mode: KernelMode,
  apart: boolean,
  options: KernelOptions,
): Generator<{ readonly terms: Term[]; readonly at: Place }> {
  const symmetric = left === right;
  const stride = mode === 'full' ? left.outputs : 1;
  const cols = right.samples * stride;
  const panel = options.blockRows ?? panelRows(left, right, stride, symmetric);
  for (let i = 0; i < left.samples; i += panel) {
    options.signal?.throwIfAborted();
    const rows: Range = [i, Math.min(panel, left.samples - i)];
    // What lies below the diagonal of a symmetric kernel is mirrored at the end.
    const from = symmetric ? i : 0;
    const columns: Range = [from, right.samples - from];
    const size = rows[1] * columns[1] * stride * stride;
    const terms = tf.tidy(() => {
      const each = left.parts.map((part, k): Term => {
        const own = (options.layerFactors?.[part.layer] ?? 1) * (mode === 'trace' ? 1 / left.outputs : 1);
        if (mode === 'full')
          return {
            inputs: blockOf(part, right.parts[k], rows, columns, left.outputs),
            factor: own,
            shift: 0,
          };
        const term = termOf(part, right.parts[k], rows, columns, left.outputs);
        return { ...term, factor: own * term.factor };
      });
      return apart || size <= byNumbers ? each : [summed(each)];
    });
    const at: Place = { row: i * stride, column: from * stride, rows: rows[1] * stride, cols, symmetric };
    yield { terms, at };
  }
}

/** Values of a block up to which one pass over them here is sooner done than a few operations of the backend. */
const byNumbers = 2 ** 16;

/** The sum of terms by the backend's operations, as one. */
function summed(terms: readonly Term[]): Term {
  const each = terms.map(({ inputs, cotangents, factor, shift }) => {
    const shifted = shift === 0 ? inputs : tf.add(inputs, shift);
    const product = cotangents ? tf.mul(shifted, cotangents) : shifted;
    return (factor === 1 ? product : tf.mul(product, factor)) as tf.Tensor2D;
  });
  return { inputs: each.length === 1 ? each[0] : (tf.addN(each) as tf.Tensor2D), factor: 1, shift: 0 };
}

/** Products smaller than this many operations do not use the processor well. */
const worthwhile = 2 ** 30;

/**
 * Samples in a panel of rows. Panels of a symmetric kernel start at the diagonal, so that many of them halve the work;
 * and the temporaries of one stay within some 64 MB.
 */
function panelRows(left: Contributions, right: Contributions, stride: number, symmetric: boolean): number {
  const fitting = Math.max(1, Math.floor(2 ** 24 / (right.samples * stride * stride)));
  if (!symmetric) return Math.min(left.samples, Math.max(16, fitting));
  const panels = Math.max(1, Math.floor(gramOperations(left, stride) / worthwhile));
  return Math.min(Math.max(128, Math.ceil(left.samples / panels)), Math.max(16, fitting));
}

/** Operations of the whole Gram matrices of the most expensive part. */
function gramOperations(parts: Contributions, stride: number): number {
  const n = parts.samples;
  const widths = parts.parts.map((part) => {
    if (part.kind === 'product') return part.input.shape[1] + part.cotangent.size / n;
    return part.kind === 'gradients' ? part.rows[0].size / n : 0;
  });
  return 2 * n * n * stride * Math.max(0, ...widths);
}
