import { Random } from '../../../core/random.js';
import type { Dataset, Split } from '../../data/index.js';
import * as tf from '../../tf.js';

/** Inputs [n, ...inputShape] and targets [n, outputs] of a split as tensors; the caller disposes. */
export function tensorsOf(
  split: Split,
  data: Pick<Dataset, 'inputShape' | 'outputs'>,
  rows?: ArrayLike<number>,
): { x: tf.Tensor; y: tf.Tensor2D } {
  if (!rows)
    return {
      x: tf.tensor(split.x, [split.size, ...data.inputShape]),
      y: tf.tensor2d(split.y, [split.size, data.outputs]),
    };
  const size = split.x.length / split.size;
  const x = new Float32Array(rows.length * size);
  const y = new Float32Array(rows.length * data.outputs);
  for (let k = 0; k < rows.length; k++) {
    x.set(split.x.subarray(rows[k] * size, (rows[k] + 1) * size), k * size);
    y.set(split.y.subarray(rows[k] * data.outputs, (rows[k] + 1) * data.outputs), k * data.outputs);
  }
  return {
    x: tf.tensor(x, [rows.length, ...data.inputShape]),
    y: tf.tensor2d(y, [rows.length, data.outputs]),
  };
}

/**
 * Batches by step number: the full set, or seeded epochs without replacement. The batch of a step depends on the seed
 * and the step alone, so a resumed run sees the same ones.
 */
export class Batches {
  private epoch = -1;
  private order: Uint32Array | null = null;
  private readonly perEpoch: number;
  readonly size: number;
  private readonly random: Random;
  private whole: { x: tf.Tensor; y: tf.Tensor2D } | null = null;

  constructor(
    private readonly data: Dataset,
    batch: number | 'full',
    seed: number,
  ) {
    this.size = batch === 'full' ? data.train.size : Math.min(batch, data.train.size);
    this.perEpoch = Math.max(1, Math.floor(data.train.size / this.size));
    this.random = new Random(seed).fork('batches');
  }

  get full(): boolean {
    return this.size === this.data.train.size;
  }

  /** The batch of a step (counted from 0). Valid until the next call; not to be disposed. */
  at(step: number): { x: tf.Tensor; y: tf.Tensor2D } {
    if (this.full) {
      this.whole ??= tensorsOf(this.data.train, this.data);
      return this.whole;
    }
    const epoch = Math.floor(step / this.perEpoch);
    if (epoch !== this.epoch || !this.order) {
      this.epoch = epoch;
      this.order = this.random.fork(String(epoch)).permutation(this.data.train.size);
    }
    const from = (step % this.perEpoch) * this.size;
    this.dispose();
    this.whole = tensorsOf(this.data.train, this.data, this.order.subarray(from, from + this.size));
    return this.whole;
  }

  dispose(): void {
    if (this.whole) tf.dispose([this.whole.x, this.whole.y]);
    this.whole = null;
  }
}

/**
 * Rows of the probe set, ascending: evenly spaced over the training set in the order of its labels, so that every class
 * has its share whatever the order of the samples (classes often alternate, and a stride would hit one of them alone).
 */
export const probeRows = (data: Dataset, size: number): Uint32Array => {
  const { labels, size: n } = data.train;
  const count = Math.min(size, n);
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  if (labels) order.sort((a, b) => labels[a] - labels[b] || a - b);
  return Uint32Array.from({ length: count }, (_, k) => order[Math.floor((k * n) / count)]).sort();
};

/** Numbers of probe inputs that are few enough to be stored and looked at: 1 MiB. */
const mostInputs = 2 ** 18;

/** The probe inputs, [P, ...input shape]; null when they are too large to be shown. */
export function probeInputs(data: Dataset, rows: Uint32Array): Float32Array | null {
  const size = data.inputShape.reduce((a, b) => a * b, 1);
  if (rows.length * size > mostInputs) return null;
  const out = new Float32Array(rows.length * size);
  for (const [k, row] of rows.entries())
    out.set(data.train.x.subarray(row * size, (row + 1) * size), k * size);
  return out;
}
