import { device } from '../../devices/index.js';
import type { ConvLayer } from '../../patterns/convStack.js';
import { sampleOuter } from '../../products.js';
import * as tf from '../../tf.js';
import type { Contribution } from '../contribution.js';
import { type Cotangents, constantRows, inside, outside } from './cotangents.js';
import { patchesOf } from './patches.js';
import { keepsPatches, type StackRequest } from './request.js';
import { shiftedGradients } from './shiftedGradients.js';

/** Per-sample gradients of a convolution, or its patches and cotangents where those would be larger. */
export function convContribution(
  stage: ConvLayer,
  input: tf.Tensor4D,
  d: Cotangents,
  request: StackRequest,
): Contribution {
  const [kh, kw, channels, filters] = stage.kernel.shape as number[];
  const [height, width] = stage.outShape;
  const [n, positions, k] = [input.shape[0], height * width, kh * kw * channels];
  const layer = stage.name;
  const { outputs } = request;
  const full = request.mode === 'full';
  const shared = constantRows(d);
  if (shared && d.form === 'shared' && d.slope) {
    // Gradients of output o are those of the slope, times the row of o.
    const each = gradients(stage, input, d.slope as tf.Tensor4D);
    const weights = full ? shared : tf.expandDims(tf.sqrt(tf.sum(tf.square(shared), 0)), 0);
    const rows = weights.shape[0];
    const factor = tf.reshape(weights, device().patchesFirst ? [1, rows, 1, filters] : [1, rows, filters, 1]);
    const weighted = tf.reshape(tf.mul(tf.expandDims(each, 1), factor), [n * rows, -1]) as tf.Tensor2D;
    return { kind: 'gradients', layer, rows: [weighted] };
  }
  if (keepsPatches(stage, request)) {
    const cotangents = tf.clone(outside(d, n, [height, width, filters]));
    return {
      kind: 'positions',
      layer,
      patches: tf.clone(patchesOf(input, stage.window)),
      cotangents: tf.reshape(cotangents, [n, outputs, positions, filters]) as tf.Tensor4D,
      biasScale: stage.bias ? 1 : 0,
    };
  }
  // In trace form a row is all of a sample's numbers, in full form those of each output.
  const count = full ? n * outputs : n;
  const asRows = (g: tf.Tensor): tf.Tensor2D => tf.reshape(g, [count, -1]) as tf.Tensor2D;
  if (d.form === 'outside' && outputs > 1 && k <= narrow && !device().patchesFirst)
    return { kind: 'gradients', layer, rows: [asRows(narrowGradients(stage, input, d.rows, filters))] };
  const delta = tf.reshape(inside(d, n, [height, width, filters]), [n, height, width, outputs * filters]);
  if (!full || !device().patchesFirst)
    return { kind: 'gradients', layer, rows: [asRows(gradients(stage, input, delta as tf.Tensor4D))] };
  const flat = tf.reshape(delta, [n, positions, outputs * filters]) as tf.Tensor3D;
  const rows = [asRows(sampleOuter(flat, patchesOf(input, stage.window)))];
  if (stage.bias) rows.push(asRows(tf.sum(flat, 1)));
  return { kind: 'gradients', layer, rows };
}

/** Widest operand that products leave the processor idle for: then it is not worth preparing for them. */
const narrow = 32;

/** Sums over positions of cotangents [n, H, W, m] times patches and 1 for the bias: [n, m, k (+ 1)], wasm [n, k (+ 1), m]. */
function gradients(stage: ConvLayer, input: tf.Tensor4D, delta: tf.Tensor4D): tf.Tensor3D {
  const [n, height, width, m] = delta.shape;
  const flat = tf.reshape(delta, [n, height * width, m]) as tf.Tensor3D;
  const axis = device().patchesFirst ? 1 : 2;
  const pieces: tf.Tensor3D[] = [];
  const shifted = m > narrow ? null : shiftedGradients(input, delta, stage.window);
  if (shifted) pieces.push(shifted);
  else {
    const patches = patchesOf(input, stage.window);
    pieces.push(device().patchesFirst ? sampleOuter(patches, flat) : sampleOuter(flat, patches));
  }
  if (stage.bias) pieces.push(tf.expandDims(tf.sum(flat, 1), axis));
  return pieces.length === 1 ? pieces[0] : tf.concat(pieces, axis);
}

/** Gradients [n, O, k (+ 1), c] of a convolution with few weights a filter, the bias being one more of them. */
function narrowGradients(stage: ConvLayer, input: tf.Tensor4D, rows: tf.Tensor, filters: number): tf.Tensor {
  let patches: tf.Tensor = patchesOf(input, stage.window);
  const [n, positions] = patches.shape;
  if (stage.bias) patches = tf.concat([patches, tf.ones([n, positions, 1])], 2);
  const delta = tf.reshape(rows, [n, -1, positions, filters]);
  return tf.matMul(tf.expandDims(patches, 1), delta, true, false);
}
