import * as tf from '../tf.js';
import { multilinear, type Primitive, rerun, shapeOf, sizeOf, spread } from './primitive.js';

/**
 * Kernels whose output is made of numbers of one input, each at none, one or several places, and zeros elsewhere. Where
 * they come from is asked of the kernel itself.
 */
export const rearrangement: Primitive = {
  kernels: ['StridedSlice', 'MirrorPad', 'BatchToSpaceND', 'SpaceToBatchND', 'DepthToSpace', 'GatherNd'],
  pull: ([d], node, name) => {
    const shape = shapeOf(node, name);
    const size = sizeOf(shape);
    // Zeros that the kernel puts in come from place 0, which is left out.
    const numbered = tf.reshape(tf.range(1, size + 1), [...shape]);
    const from = tf.reshape(tf.cast(rerun(node, { [name]: numbered })[0], 'int32'), [-1]) as tf.Tensor1D;
    const whole = spread(d as tf.Tensor, node.outputs[0].shape);
    const [lead] = whole.shape;
    const rows = tf.transpose(tf.reshape(whole, [lead, from.size]));
    const sums = tf.slice(tf.unsortedSegmentSum(rows, from, size + 1), [1, 0], [size, lead]);
    return tf.reshape(tf.transpose(sums), [lead, ...shape]);
  },
  push: multilinear,
};
