import { activations } from '../../models/activations.js';
import type { ChainLayer } from '../../patterns/denseChain.js';
import { timesTransposed } from '../../products.js';
import * as tf from '../../tf.js';
import type { ProductContribution } from '../contribution.js';
import type { KernelMode } from '../request.js';
import { isHomogeneous, mulDerivative, slopeOf } from './slopes.js';

/** What goes into a layer, or comes back to it, up to a constant in front that the Gram matrix takes. */
interface Scaled {
  readonly values: tf.Tensor2D;
  readonly factor: number;
}

interface Forward {
  /** Input [N, k] of every layer; the factor holds the layer's own scale. */
  readonly inputs: readonly Scaled[];
  /** Pre-activations and activations [N, n]; where the activation is homogeneous, up to the same positive factor. */
  readonly pre: readonly tf.Tensor2D[];
  readonly post: readonly tf.Tensor2D[];
}

/** Factors that leave this range are multiplied in, so that deep networks stay in the range of float32. */
const mostFactor = 1e8;
/** Whether a factor may be left to the end. */
export const canDefer = (factor: number): boolean =>
  Math.abs(factor) <= mostFactor && Math.abs(factor) >= 1 / mostFactor;
const settled = ({ values, factor }: Scaled): Scaled =>
  canDefer(factor) ? { values, factor } : { values: tf.mul(values, factor), factor: 1 };

function forward(chain: readonly ChainLayer[], x: tf.Tensor2D): Forward {
  const inputs: Scaled[] = [];
  const pre: tf.Tensor2D[] = [];
  const post: tf.Tensor2D[] = [];
  let a: Scaled = { values: x, factor: 1 };
  for (const [l, { kernel, bias, scale, biasScale, activation }] of chain.entries()) {
    const input = { values: a.values, factor: a.factor * scale };
    inputs.push(input);
    // Behind the last activation nothing depends on the values.
    if (l === chain.length - 1 && activation === 'identity') break;
    let h = tf.matMul(input.values, kernel as tf.Tensor2D) as tf.Tensor2D;
    const through = isHomogeneous(activation) && input.factor > 0;
    if (!through && input.factor !== 1) h = tf.mul(h, input.factor);
    if (bias) {
      const part = through ? biasScale / input.factor : biasScale;
      h = tf.add(h, part === 1 ? bias : tf.mul(bias, part));
    }
    const phi = activation === 'identity' ? h : (activations[activation].forward(h) as tf.Tensor2D);
    pre.push(h);
    post.push(phi);
    a = settled({ values: phi, factor: through ? input.factor : 1 });
  }
  return { inputs, pre, post };
}

/**
 * The kernel's parts of a chain of dense layers, by one forward pass and one backward pass for all outputs (or for
 * `output` alone). Constants are not multiplied into activations and cotangents, but into Gram matrices at the end; and
 * in trace form the cotangents behind the last hidden layer, slopes times rows of the readout, are one row a sample, the
 * slopes times the norms over the outputs. The caller tidies.
 */
export function chainPass(
  chain: readonly ChainLayer[],
  x: tf.Tensor2D,
  mode: KernelMode,
  output?: number,
): readonly ProductContribution[] {
  const { inputs, pre, post } = forward(chain, x);
  const units = chain[chain.length - 1].kernel.shape[1] as number;
  const outputs = output === undefined ? units : 1;
  const parts: ProductContribution[] = [];
  // Rows [O, n] that all samples share, or [N O, n]; null stands for the unit vectors of the outputs.
  let d: { rows: tf.Tensor2D | null; factor: number; shared: boolean } = {
    rows: null,
    factor: 1,
    shared: true,
  };
  const unitRows = (): tf.Tensor2D => {
    const eye = tf.eye(units) as tf.Tensor2D;
    return output === undefined ? eye : tf.slice2d(eye, [output, 0], [1, units]);
  };
  for (let l = chain.length - 1; l >= 0; l--) {
    const { activation, kernel, scale, trainable } = chain[l];
    const deeper = chain.slice(0, l).some((layer) => layer.trainable);
    let gram: tf.Tensor2D | null = null;
    if (activation !== 'identity') {
      const rows = d.rows ?? unitRows();
      if (outputs === 1) d = { ...d, rows: mulDerivative(activation, rows, pre[l], post[l]), shared: false };
      else {
        if (d.shared && mode === 'trace' && trainable) {
          const norms = tf.sqrt(tf.sum(tf.square(rows), 0, true)) as tf.Tensor2D;
          gram = mulDerivative(activation, norms, pre[l], post[l]);
        }
        if (deeper || (trainable && !gram)) {
          const slope = slopeOf(activation, pre[l], post[l]);
          d = { ...d, rows: timesWideSlope(rows, slope, outputs), shared: false };
        }
      }
    }
    if (trainable) parts.unshift(part(chain[l], inputs[l], d, gram));
    if (!deeper) break;
    const weights = kernel as tf.Tensor2D;
    const rows: tf.Tensor2D = d.rows
      ? timesTransposed(d.rows, weights)
      : (tf.transpose(
          output === undefined ? weights : tf.slice2d(weights, [0, output], [-1, 1]),
        ) as tf.Tensor2D);
    const next = settled({ values: rows, factor: d.factor * scale });
    d = { rows: next.values, factor: next.factor, shared: d.shared };
  }
  return parts;

  function part(
    { name, bias, biasScale }: ChainLayer,
    input: Scaled,
    { rows, factor, shared }: typeof d,
    gram: tf.Tensor2D | null,
  ): ProductContribution {
    // (f^2 A A^T + b^2) o g^2 D D^T = f^2 g^2 (A A^T + (b / f)^2) o D D^T
    const common = {
      kind: 'product' as const,
      layer: name,
      input: tf.clone(input.values),
      biasScale: bias ? biasScale / input.factor : 0,
      factor: (input.factor * factor) ** 2,
    };
    if (gram) return { ...common, cotangent: gram, per: 1 };
    if (!rows && mode === 'trace')
      return { ...common, cotangent: unitRows(), per: 'shared', squares: outputs };
    return { ...common, cotangent: tf.clone(rows ?? unitRows()), per: shared ? 'shared' : outputs };
  }
}

/** d o slope for every sample and output: d [N O, n] or [O, n], slope [N, n]; gives [N O, n]. */
function timesWideSlope(d: tf.Tensor2D, slope: tf.Tensor2D, outputs: number): tf.Tensor2D {
  const [samples, width] = slope.shape;
  const each = tf.reshape(d, [-1, outputs, width]);
  return tf.reshape(tf.mul(each, tf.reshape(slope, [samples, 1, width])), [samples * outputs, width]);
}
