import { Random } from '../../src/core/random.js';
import * as tf from '../../src/network/tf.js';
import { gap } from './kernels.js';

export type Run = (inputs: readonly tf.Tensor[]) => readonly tf.Tensor[];

const flat = (y: readonly tf.Tensor[], n: number): tf.Tensor2D => {
  const rows = y.map((one) => tf.reshape(one, [n, -1]) as tf.Tensor2D);
  return rows.length === 1 ? rows[0] : tf.concat2d(rows, 1);
};

/** Outputs [n, O], all of a sample side by side. */
export const outputsOf = (run: Run, inputs: readonly tf.Tensor[]): tf.Tensor2D =>
  tf.tidy(() => flat(run(inputs), inputs[0].shape[0]));

/** The Jacobian [n O, P] by a backward pass of TensorFlow.js through everything, for one sample and output at a time. */
export function perSampleJacobian(
  run: Run,
  inputs: readonly tf.Tensor[],
  variables: readonly tf.Variable[],
): tf.Tensor2D {
  return tf.tidy(() => {
    const rows: tf.Tensor[] = [];
    const n = inputs[0].shape[0];
    for (let i = 0; i < n; i++) {
      const sample = inputs.map((t) => tf.slice(t, i, 1));
      const outputs = outputsOf(run, sample).shape[1];
      for (let o = 0; o < outputs; o++)
        rows.push(
          tf.tidy(() => {
            const { grads } = tf.variableGrads(
              () => tf.sum(tf.slice(flat(run(sample), 1), [0, o], [1, 1])),
              [...variables],
            );
            return tf.concat(variables.map((v) => tf.reshape(grads[v.name] ?? tf.zerosLike(v), [-1])));
          }),
        );
    }
    return tf.stack(rows) as tf.Tensor2D;
  });
}

/**
 * How far J v lies from differences of the outputs along a random v, relative to the largest: automatic differentiation
 * itself may be wrong on a backend. A kink of a relu or a pool may lie within the longest step: the best of three tells a
 * wrong derivative from it.
 */
export function gapToDifferences(
  run: Run,
  inputs: readonly tf.Tensor[],
  variables: readonly tf.Variable[],
  jacobian: tf.Tensor2D,
): number {
  const random = new Random('slope');
  const own = variables.map((w) => w.dataSync().slice());
  const v = own.map((w) => Float32Array.from(random.normals(w.length)));
  const at = (step: number): Float32Array => {
    for (const [k, w] of variables.entries()) {
      const moved = tf.tensor(
        own[k].map((value, i) => value + step * v[k][i]),
        w.shape,
      );
      w.assign(moved);
      moved.dispose();
    }
    return tf.tidy(() => outputsOf(run, inputs).dataSync().slice() as Float32Array);
  };
  const expected = tf.tidy(() =>
    tf
      .matMul(
        jacobian,
        tf.tensor2d(
          v.flatMap((part) => [...part]),
          [jacobian.shape[1], 1],
        ),
      )
      .dataSync(),
  );
  const gaps = [2e-3, 5e-4, 1.5e-4].map((h) => {
    const [up, down] = [at(h), at(-h)];
    return gap(
      up.map((value, i) => (value - down[i]) / (2 * h)),
      expected,
    );
  });
  at(0);
  return Math.min(...gaps);
}
