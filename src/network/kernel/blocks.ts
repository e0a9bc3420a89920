import { timesTransposed } from '../products.js';
import * as tf from '../tf.js';
import type { Contribution } from './contribution.js';
import type { KernelMode } from './request.js';

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

/**
 * One layer's part of a block of a trace kernel: factor (inputs + shift) o cotangents, elementwise, or where there are no
 * cotangents factor (inputs + shift).
 */
export type Term = {
  readonly inputs: tf.Tensor2D;
  readonly cotangents?: tf.Tensor2D;
  readonly factor: number;
  readonly shift: number;
};

const otherForm = (part: Contribution): Error =>
  new Error(`Layer ${part.layer} took two different forms for the two sets of inputs.`);

/** The term of one layer for samples i against samples j, summed over the outputs: [bi, bj]. */
export function termOf(a: Contribution, b: Contribution, i: Range, j: Range, outputs: number): Term {
  if (a.kind === 'product' && b.kind === 'product') {
    const { per, cotangent, squares } = a;
    const inputs = timesTransposed(take(a.input, i, 1), take(b.input, j, 1));
    const shift = a.biasScale * a.biasScale;
    if (per === 'shared') {
      const sum = squares ?? tf.sum(tf.square(cotangent)).dataSync()[0];
      return { inputs, factor: a.factor * sum, shift };
    }
    const [da, db] = [take(cotangent, i, per), take(b.cotangent, j, per)];
    const cotangents = timesTransposed(joined(da, per), joined(db, per));
    return { inputs, cotangents, factor: a.factor, shift };
  }
  const plain = { factor: 1, shift: 0 };
  if (a.kind === 'gradients' && b.kind === 'gradients') return { ...plain, inputs: products(a, b, i, j, 1) };
  if (a.kind === 'positions' && b.kind === 'positions')
    return { ...plain, inputs: pairs(a, b, i, j, 'trace', outputs) };
  throw otherForm(a);
}

/** One layer's part of a block of a full kernel, [bi O, bj O]. */
export function blockOf(a: Contribution, b: Contribution, i: Range, j: Range, outputs: number): tf.Tensor2D {
  if (a.kind === 'gradients' && b.kind === 'gradients') return products(a, b, i, j, outputs);
  if (a.kind === 'positions' && b.kind === 'positions') return pairs(a, b, i, j, 'full', outputs);
  if (a.kind !== 'product' || b.kind !== 'product') throw otherForm(a);
  const { per, factor } = a;
  let inputs: tf.Tensor2D = timesTransposed(take(a.input, i, 1), take(b.input, j, 1));
  if (a.biasScale !== 0) inputs = tf.add(inputs, a.biasScale * a.biasScale);
  if (factor !== 1) inputs = tf.mul(inputs, factor);
  const wide = tf.reshape(inputs, [i[1], 1, j[1], 1]);
  const cotangents =
    per === 'shared'
      ? tf.reshape(timesTransposed(a.cotangent, a.cotangent), [1, outputs, 1, outputs])
      : tf.reshape(timesTransposed(take(a.cotangent, i, per), take(b.cotangent, j, per)), [
          i[1],
          outputs,
          j[1],
          outputs,
        ]);
  return tf.reshape(tf.mul(cotangents, wide), [i[1] * outputs, j[1] * outputs]) as tf.Tensor2D;
}

type GradientsContribution = Extract<Contribution, { kind: 'gradients' }>;

/** Inner products of gradients, `per` rows of which belong to one sample. */
function products(
  a: GradientsContribution,
  b: GradientsContribution,
  i: Range,
  j: Range,
  per: number,
): tf.Tensor2D {
  const pieces = a.rows.map((rows, r) => timesTransposed(take(rows, i, per), take(b.rows[r], j, per)));
  return pieces.length === 1 ? pieces[0] : tf.addN(pieces);
}

/** [n O, p] to [n, O p]: one row a sample, whose inner products sum over the outputs. */
const joined = (t: tf.Tensor2D, outputs: number): tf.Tensor2D =>
  outputs === 1 ? t : (tf.reshape(t, [t.shape[0] / outputs, outputs * t.shape[1]]) as tf.Tensor2D);

type PositionsContribution = Extract<Contribution, { kind: 'positions' }>;

/** Sum over position pairs (patch . patch + bias) (delta . delta), a few rows of samples at a time. */
function pairs(
  a: PositionsContribution,
  b: PositionsContribution,
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
        let patches: tf.Tensor =
          pa.dtype === 'int32' ? tf.cast(tf.equal(pa, tf.transpose(pb)), 'float32') : timesTransposed(pa, pb);
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
