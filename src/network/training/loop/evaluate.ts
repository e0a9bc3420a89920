import type { Dataset, Split } from '../../data/index.js';
import type { LossName } from '../../data/spec.js';
import * as tf from '../../tf.js';
import { tensorsOf } from './batches.js';
import { lossOf } from './gradient.js';

/** Most samples put through the network at once, so that memory stays bounded on large sets. */
const chunk = 2048;

export interface Evaluation {
  readonly loss: number;
  /** Share of samples in the right class; null for regression. */
  readonly accuracy: number | null;
}

/** Loss and accuracy over a split that is kept on the backend. Dispose it when the run ends. */
export class Evaluator {
  private readonly parts: { x: tf.Tensor; y: tf.Tensor2D; labels: Int32Array | null }[] = [];

  constructor(
    private readonly split: Split,
    data: Dataset,
    private readonly loss: LossName,
  ) {
    for (let from = 0; from < split.size; from += chunk) {
      const rows = Uint32Array.from({ length: Math.min(chunk, split.size - from) }, (_, k) => from + k);
      this.parts.push({
        ...tensorsOf(split, data, rows),
        labels: split.labels?.slice(from, from + chunk) ?? null,
      });
    }
  }

  /** Over the whole split, or over its first samples only: the parts that hold the first `most`. */
  evaluate(predict: (x: tf.Tensor) => tf.Tensor2D, most = Number.POSITIVE_INFINITY): Evaluation {
    let loss = 0;
    let right = 0;
    let size = 0;
    for (const { x, y, labels } of this.parts) {
      if (size >= most) break;
      size += x.shape[0];
      const f = predict(x);
      loss += tf.tidy(() => lossOf(f, y, this.loss).dataSync()[0]) * x.shape[0];
      if (labels) right += countRight(f, labels);
      f.dispose();
    }
    return { loss: loss / size, accuracy: this.split.labels ? right / size : null };
  }

  dispose(): void {
    tf.dispose(this.parts.flatMap(({ x, y }) => [x, y]));
  }
}

/** Samples whose largest output (sign, for one output) is their class. */
export function countRight(f: tf.Tensor2D, labels: Int32Array): number {
  const values = f.dataSync();
  const outputs = f.shape[1];
  let right = 0;
  for (let i = 0; i < labels.length; i++) {
    let best = 0;
    if (outputs === 1) best = values[i] > 0 ? 1 : 0;
    else for (let o = 1; o < outputs; o++) if (values[i * outputs + o] > values[i * outputs + best]) best = o;
    if (best === labels[i]) right++;
  }
  return right;
}
