import type { GraphNode } from '../graph/graph.js';
import * as tf from '../tf.js';
import { inputOf, multilinear, type Primitive, shapeOf, spread, sumTo } from './primitive.js';

interface Flags {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/** A matrix for all, [k, m], behind whatever axes of length 1. */
const isOneMatrix = (shape: readonly number[]): boolean => shape.slice(0, -2).every((n) => n === 1);

/** a b of two operands of any rank from 2 on, whose axes before the matrices broadcast. */
function product(a: tf.Tensor, b: tf.Tensor, transposeA: boolean, transposeB: boolean): tf.Tensor {
  const [m, k] = b.shape.slice(-2);
  if (isOneMatrix(b.shape) && !transposeA) {
    const rows = tf.reshape(a, [-1, a.shape[a.rank - 1]]) as tf.Tensor2D;
    const flat = tf.matMul(rows, tf.reshape(b, [m, k]) as tf.Tensor2D, false, transposeB);
    const lead = Array.from({ length: Math.max(0, b.rank - a.rank) }, () => 1);
    return tf.reshape(flat, [...lead, ...a.shape.slice(0, -1), transposeB ? m : k]);
  }
  const rank = Math.max(a.rank, b.rank);
  const lifted = (t: tf.Tensor): tf.Tensor =>
    t.rank === rank ? t : tf.reshape(t, [...Array.from({ length: rank - t.rank }, () => 1), ...t.shape]);
  const [left, right] = [lifted(a), lifted(b)];
  const lead = left.shape.slice(0, -2).map((n, i) => Math.max(n, right.shape[i]));
  const whole = (t: tf.Tensor): tf.Tensor => {
    const shape = [...lead, ...t.shape.slice(-2)];
    return tf.reshape(shape.every((n, i) => n === t.shape[i]) ? t : tf.broadcastTo(t, shape), [
      -1,
      ...t.shape.slice(-2),
    ]);
  };
  const [x, y] = [whole(left), whole(right)];
  const flat = tf.matMul(x, y, transposeA, transposeB);
  return tf.reshape(flat, [...lead, ...flat.shape.slice(-2)]);
}

/** Cotangents with the two axes of the matrices in full; what stands before them may stay short. */
function withMatrices(d: tf.Tensor, shape: readonly number[]): tf.Tensor {
  const own = d.shape.slice(1);
  const short = own.length - 2;
  return spread(
    d,
    own.map((n, axis) => (axis >= short ? shape[axis] : n)),
  );
}

/** a b, or as many of each in a row; either may come transposed. */
export const matMul: Primitive = {
  kernels: ['BatchMatMul'],
  pull: ([cotangent], node: GraphNode, name) => {
    const { transposeA = false, transposeB = false } = node.attrs as Flags;
    const out = node.outputs[0].shape;
    const shape = shapeOf(node, name);
    const lead = out.slice(0, -2);
    if (name === 'a') {
      const b = inputOf(node, 'b');
      const rowsShort = (cotangent as tf.Tensor).shape.at(-2) === 1 && !transposeA;
      // Rows that are equal stay one row.
      const d = rowsShort
        ? spread(cotangent as tf.Tensor, [
            ...(cotangent as tf.Tensor).shape.slice(1, -1),
            out[out.length - 1],
          ])
        : withMatrices(cotangent as tf.Tensor, out);
      const da = transposeA ? product(b, d, transposeB, true) : product(d, b, false, !transposeB);
      return sumTo(da, [...lead, ...shape.slice(-2)], shape);
    }
    const a = inputOf(node, 'a');
    const d = withMatrices(cotangent as tf.Tensor, out);
    const db = transposeB ? product(d, a, true, transposeA) : product(a, d, !transposeA, false);
    return sumTo(db, [...lead, ...shape.slice(-2)], shape);
  },
  push: multilinear,
};
