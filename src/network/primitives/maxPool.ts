import type { GraphNode } from '../graph/graph.js';
import * as tf from '../tf.js';
import { batchedPull } from './generic.js';
import { inputOf, type Primitive, shapeOf } from './primitive.js';

/** Windows of a pool along its spatial axes, which lie between the first and the last. */
interface Windows {
  readonly size: readonly number[];
  readonly strides: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
}

function windowsOf(node: GraphNode): Windows {
  const input = shapeOf(node, 'x').slice(1, -1);
  const output = node.outputs[0].shape.slice(1, -1);
  const spatial = (given: unknown): number[] =>
    Array.isArray(given) ? given.slice(-input.length) : input.map(() => given as number);
  const size = spatial(node.attrs.filterSize);
  const strides = spatial(node.attrs.strides);
  const reach = input.map((n, k) => Math.max(0, (output[k] - 1) * strides[k] + size[k] - n));
  const { pad } = node.attrs;
  const before = reach.map((n) => (typeof pad === 'number' ? pad : pad === 'same' ? n >> 1 : 0));
  return { size, strides, before, after: reach.map((n, k) => n - before[k]) };
}

/** What stands at one place of every window, for each place: [places, N, ...out, c]. */
function places(t: tf.Tensor, node: GraphNode, outside: number): tf.Tensor {
  const { size, strides, before, after } = windowsOf(node);
  const out = node.outputs[0].shape.slice(1, -1);
  const margins = before.map((b, k): [number, number] => [b, Math.max(0, after[k])]);
  const padded = tf.pad(t, [[0, 0], ...margins, [0, 0]], outside);
  const [n, c] = [t.shape[0], t.shape[t.rank - 1]];
  const count = size.reduce((a, b) => a * b, 1);
  const each = Array.from({ length: count }, (_, place) => {
    let rest = place;
    const at = [...size].reverse().map((length) => {
      const own = rest % length;
      rest = Math.floor(rest / length);
      return own;
    });
    at.reverse();
    const end = at.map((from, k) => from + (out[k] - 1) * strides[k] + 1);
    return tf.stridedSlice(padded, [0, ...at, 0], [n, ...end, c], [1, ...strides, 1]);
  });
  return tf.stack(each);
}

/** The greatest of every window. Its choice counts as fixed: of places that tie, the first. */
export const maxPool: Primitive = {
  kernels: ['MaxPool', 'MaxPool3D'],
  pull: batchedPull(['x']),
  push: ({ x }, node) => {
    const values = places(inputOf(node, 'x'), node, Number.NEGATIVE_INFINITY);
    const chosen = tf.oneHot(tf.cast(tf.argMax(values, 0), 'int32'), values.shape[0]);
    const last = chosen.rank - 1;
    const front = tf.transpose(tf.cast(chosen, 'float32'), [
      last,
      ...Array.from({ length: last }, (_, k) => k),
    ]);
    return [tf.sum(tf.mul(front, places(x as tf.Tensor, node, 0)), 0)];
  },
};
