import type { GraphNode } from '../graph/graph.js';
import * as tf from '../tf.js';
import { along } from './along.js';
import { type Primitive, rerun, runKernel, shapeOf, spread } from './primitive.js';

/** What the kernel makes of unit images along one axis: [input, output]. Images are resized axis by axis. */
function matrixOf({ kernel, attrs }: GraphNode, input: number, output: number): tf.Tensor2D {
  const images = tf.reshape(tf.eye(input), [input, input, 1, 1]);
  const resized = runKernel(kernel, { images }, { ...attrs, size: [output, 1] });
  return tf.reshape(resized, [input, output]) as tf.Tensor2D;
}

/** TensorFlow.js's own gradients are wrong on its plain JavaScript backend for more than one image. */
export const resize: Primitive = {
  kernels: ['ResizeBilinear', 'ResizeNearestNeighbor'],
  pull: ([d], node, name) => {
    const [, height, width] = shapeOf(node, name);
    const out = node.outputs[0].shape;
    const [rows, columns] = [matrixOf(node, height, out[1]), matrixOf(node, width, out[2])];
    const whole = spread(d as tf.Tensor, out);
    return along(along(whole, 2, tf.transpose(rows)), 3, tf.transpose(columns));
  },
  push: ({ images }, node) => rerun(node, { images: images as tf.Tensor }),
};
