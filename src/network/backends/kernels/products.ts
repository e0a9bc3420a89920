import * as tf from '../../tf.js';
import { overrideKernel } from './override.js';

/** Swaps the last two axes. */
function turned(t: tf.Tensor): tf.Tensor {
  const axes = t.shape.map((_, i) => i);
  [axes[axes.length - 1], axes[axes.length - 2]] = [axes[axes.length - 2], axes[axes.length - 1]];
  return tf.transpose(t, axes);
}

/** Work (multiply-adds) of one matrix above which it is worth leaving the generic batched loop. */
const worthwhile = 2 ** 15;

/** Shape [k, m] at which the data of a right operand was first multiplied. */
const packed = new WeakMap<object, string>();

/**
 * The fast product packs its right operand once and keeps that by the operand's data alone: a reshaped view of the same
 * data would be read at its old shape, past its end. Such a view gets data of its own.
 */
function withOwnPacking(right: tf.Tensor): tf.Tensor {
  const shape = right.shape.slice(-2).join();
  const known = packed.get(right.dataId);
  if (known === undefined) packed.set(right.dataId, shape);
  return known === undefined || known === shape ? right : tf.mul(right, 1);
}

/**
 * The fast product of the wasm backend serves plain two-dimensional operands only: transposed ones are turned first
 * (60 times faster at size 1024), and large batched products are done one matrix at a time.
 */
export function repairProducts(): void {
  overrideKernel('wasm', 'BatchMatMul', ({ a, b }, attrs, original) => {
    const left = attrs['transposeA'] ? turned(a) : a;
    const right = attrs['transposeB'] ? turned(b) : b;
    const plain = { transposeA: false, transposeB: false };
    const [n, k] = left.shape.slice(-2);
    const m = right.shape[right.rank - 1];
    const batch = left.shape.slice(0, -2).reduce((x, y) => x * y, 1);
    const same = left.rank === 3 && right.rank === 3 && left.shape[0] === right.shape[0];
    if (batch <= 1 || !same || n * k * m < worthwhile)
      return original?.({ a: left, b: withOwnPacking(right) }, plain, null) as tf.TensorInfo;
    const product = (i: number) =>
      tf.matMul(
        tf.reshape(tf.slice(left, [i, 0, 0], [1, n, k]), [n, k]),
        tf.reshape(tf.slice(right, [i, 0, 0], [1, k, m]), [k, m]),
      );
    return tf.stack(Array.from({ length: batch }, (_, i) => product(i)));
  });
  overrideKernel('wasm', '_FusedMatMul', (inputs, attrs, original) => {
    const { a, b } = inputs;
    const left = attrs['transposeA'] ? turned(a) : a;
    const right = attrs['transposeB'] ? turned(b) : b;
    return original?.(
      { ...inputs, a: left, b: withOwnPacking(right) },
      { ...attrs, transposeA: false, transposeB: false },
      null,
    ) as tf.TensorInfo;
  });
}
