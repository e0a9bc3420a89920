import * as tf from '../../tf.js';
import { overrideKernel } from './override.js';

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/**
 * Products of matrices in a row whose axes before the matrices differ, [n, 1, ...] by [n, m, ...]: the backends take the
 * shorter row's matrices in turn. They are copied to as many as there are products.
 */
export function patchBroadcastProducts(backendName: 'wasm' | 'cpu'): void {
  overrideKernel(backendName, 'BatchMatMul', (inputs, attrs, original) => {
    const rank = Math.max(inputs.a.rank, inputs.b.rank);
    const [a, b] = [inputs.a, inputs.b].map(({ shape }) => [
      ...Array.from({ length: rank - shape.length }, () => 1),
      ...shape.slice(0, -2),
    ]);
    const [p, q] = [sizeOf(a), sizeOf(b)];
    if (p === 1 || q === 1 || a.every((n, axis) => n === b[axis]))
      return original?.(inputs, attrs, null) as tf.TensorInfo;
    const lead = a.map((n, axis) => Math.max(n, b[axis]));
    const whole = (t: tf.Tensor, own: readonly number[]): tf.Tensor => {
      const matrix = t.shape.slice(-2);
      return tf.broadcastTo(tf.reshape(t, [...own, ...matrix]), [...lead, ...matrix]);
    };
    return original?.({ a: whole(inputs.a, a), b: whole(inputs.b, b) }, attrs, null) as tf.TensorInfo;
  });
}

/** Sums over the axes along which an operand of shape `to` was repeated. */
function summed(t: tf.Tensor, to: readonly number[]): tf.Tensor {
  const lead = t.rank - to.length;
  const axes = t.shape.flatMap((n, axis) =>
    axis < lead || (to[axis - lead] === 1 && n !== 1) ? [axis] : [],
  );
  return axes.length > 0 ? tf.reshape(tf.sum(t, axes), [...to]) : t;
}

/** TensorFlow.js's gradient of such a product has the shape of the product. */
export function patchBroadcastGradients(): void {
  const old = tf.getGradient('BatchMatMul');
  tf.unregisterGradient('BatchMatMul');
  tf.registerGradient({
    ...old,
    gradFunc: (dy, saved, attrs) => {
      const gradients = old.gradFunc(dy, saved, attrs);
      const [a, b] = saved.map(({ shape }) => shape);
      return { a: () => summed(gradients.a(), a), b: () => summed(gradients.b(), b) };
    },
  });
}
