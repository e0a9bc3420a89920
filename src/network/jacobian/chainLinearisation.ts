import type { ChainLayer } from '../kernel/dense/denseChain.js';
import { activations } from '../models/activations.js';
import { timesTransposed } from '../products.js';
import * as tf from '../tf.js';
import type { Linearisation } from './linearisation.js';
import type { Parameters } from './parameters.js';

/**
 * J v and J^T u of a chain of dense layers, written out: a displacement is pushed forward through the frozen network,
 * z'_l = s_l (a_(l-1) V_l + a'_(l-1) W_l) + s_b v_l and a'_l = phi'(z_l) o z'_l, and cotangents are pulled back.
 */
export function lineariseChain(
  chain: readonly ChainLayer[],
  parameters: Parameters,
  x: tf.Tensor2D,
): Linearisation {
  const place = (variable: tf.LayerVariable | null): number =>
    variable ? parameters.variables.indexOf(variable.read() as tf.Variable) : -1;
  const places = chain.map(({ kernel, bias }) => ({ kernel: place(kernel), bias: place(bias) }));
  const first = places.findIndex((p) => p.kernel >= 0 || p.bias >= 0);
  const inputs: tf.Tensor2D[] = [];
  const slopes: (tf.Tensor2D | null)[] = [];
  // The model may move on: its weights now are part of the linearisation.
  const weights: tf.Tensor2D[] = [];
  const output = tf.tidy(() => {
    let a = x;
    for (const { kernel, bias, scale, biasScale, activation } of chain) {
      inputs.push(tf.keep(tf.clone(a)));
      weights.push(tf.keep(tf.clone(kernel.read())) as tf.Tensor2D);
      let h = tf.matMul(a, kernel.read() as tf.Tensor2D) as tf.Tensor2D;
      if (scale !== 1) h = tf.mul(h, scale);
      if (bias) h = tf.add(h, biasScale === 1 ? bias.read() : tf.mul(bias.read(), biasScale));
      a = activation === 'identity' ? h : (activations[activation].forward(h) as tf.Tensor2D);
      slopes.push(
        activation === 'identity' ? null : (tf.keep(activations[activation].derivative(h, a)) as tf.Tensor2D),
      );
    }
    return tf.keep(tf.clone(a));
  });
  return {
    method: 'exact',
    output,
    jvp: (v) =>
      tf.tidy(() => {
        let moved: tf.Tensor2D | null = null;
        for (const [l, { scale, biasScale }] of chain.entries()) {
          const at = places[l];
          let h: tf.Tensor2D | null =
            at.kernel >= 0 ? tf.matMul(inputs[l], v[at.kernel] as tf.Tensor2D) : null;
          if (moved) {
            const carried: tf.Tensor2D = tf.matMul(moved, weights[l]);
            h = h ? tf.add(h, carried) : carried;
          }
          if (h && scale !== 1) h = tf.mul(h, scale);
          if (at.bias >= 0) {
            const shift = tf.mul(v[at.bias], biasScale);
            h = (h ? tf.add(h, shift) : tf.broadcastTo(shift, [x.shape[0], shift.size])) as tf.Tensor2D;
          }
          const slope = slopes[l];
          moved = h && slope ? tf.mul(h, slope) : h;
        }
        return moved ?? tf.zerosLike(output);
      }),
    vjp: (u) =>
      tf.tidy(() => {
        const parts: tf.Tensor[] = [];
        let d = u;
        for (let l = chain.length - 1; l >= first; l--) {
          const slope = slopes[l];
          if (slope) d = tf.mul(d, slope);
          const at = places[l];
          const { scale, biasScale } = chain[l];
          const scaled = scale === 1 ? d : (tf.mul(d, scale) as tf.Tensor2D);
          if (at.bias >= 0) parts[at.bias] = tf.mul(tf.sum(d, 0), biasScale);
          if (at.kernel >= 0) parts[at.kernel] = tf.matMul(tf.transpose(inputs[l]), scaled);
          if (l > first) d = timesTransposed(scaled, weights[l]);
        }
        return parts;
      }),
    dispose: () => tf.dispose([output, ...inputs, ...weights, ...slopes.filter((s) => s !== null)]),
  };
}
