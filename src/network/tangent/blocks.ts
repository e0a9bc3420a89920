import * as tf from '../tf.js';
import type { KernelMode } from './kernel.js';
import type { Part, ProductPart } from './part.js';
import { timesTransposed } from './products.js';

export type Range = readonly [start: number, size: number];

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
export function blockOf(
  a: Part,
  b: Part,
  i: Range,
  j: Range,
  mode: KernelMode,
  outputs: number,
): tf.Tensor2D {
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
