import * as tf from '../../tf.js';
import { multiply, threads } from '../simd/index.js';
import { makeOutput, operandOf, valuesOf } from './heap.js';
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

/** Work (multiply-adds) of a product from which on our own threads are worth waking. */
const worthThreads = 2 ** 21;

/** A product of two matrices on our own threads; null where it is too small for them, or they are not to be had. */
function onThreads(
  a: tf.Tensor,
  b: tf.Tensor,
  transposeA: boolean,
  transposeB: boolean,
): tf.TensorInfo | null {
  const matrices = a.size === rowsOf(a) * columnsOf(a) && b.size === rowsOf(b) * columnsOf(b);
  if (!matrices || a.rank < 2 || b.rank < 2 || a.dtype !== 'float32' || b.dtype !== 'float32') return null;
  const n = transposeA ? columnsOf(a) : rowsOf(a);
  const m = transposeB ? rowsOf(b) : columnsOf(b);
  const k = transposeA ? rowsOf(a) : columnsOf(a);
  if (n * m * k < worthThreads || Math.min(n, m, k) < 8) return null;
  const pool = threads();
  if (!pool) return null;
  const batch = (a.rank > b.rank ? a : b).shape.slice(0, -2).fill(1);
  const out = makeOutput([...batch, n, m]);
  multiply(pool, operandOf(a, n, k, transposeA), operandOf(b, m, k, !transposeB), () => valuesOf(out));
  return out;
}

const rowsOf = (t: tf.Tensor): number => t.shape[t.rank - 2];
const columnsOf = (t: tf.Tensor): number => t.shape[t.rank - 1];

/**
 * Large products of two matrices run on our own threads, which take transposed operands as they are. The fast product of
 * the wasm backend serves plain two-dimensional operands only: for the others transposed ones are turned first (60 times faster at size 1024), and
 * large batched products are done one matrix at a time.
 */
export function patchProducts(): void {
  overrideKernel('wasm', 'BatchMatMul', ({ a, b }, attrs, original) => {
    const own = onThreads(a, b, attrs['transposeA'] === true, attrs['transposeB'] === true);
    if (own) return own;
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
    const { a, b, bias, preluActivationWeights } = inputs;
    const relu = attrs['activation'] === 'relu';
    if (!preluActivationWeights && (relu || attrs['activation'] === 'linear')) {
      const own = onThreads(a, b, attrs['transposeA'] === true, attrs['transposeB'] === true);
      if (own) return finished(own, bias, relu);
    }
    const left = attrs['transposeA'] ? turned(a) : a;
    const right = attrs['transposeB'] ? turned(b) : b;
    return original?.(
      { ...inputs, a: left, b: withOwnPacking(right) },
      { ...attrs, transposeA: false, transposeB: false },
      null,
    ) as tf.TensorInfo;
  });
}

/** Bias and relu behind a product. */
function finished(product: tf.TensorInfo, bias: tf.Tensor | undefined, relu: boolean): tf.Tensor {
  const y = tf.engine().makeTensorFromTensorInfo(product as never);
  const shifted = bias ? tf.add(y, bias) : y;
  return relu ? tf.relu(shifted) : shifted;
}
