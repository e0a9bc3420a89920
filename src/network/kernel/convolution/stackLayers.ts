import type { Value } from '../../graph/graph.js';
import { activations } from '../../models/activations.js';
import type { ActivationName } from '../../models/spec.js';
import type { ConvLayer, StackLayer } from '../../patterns/convStack.js';
import { pull } from '../../primitives/index.js';
import { runKernel } from '../../primitives/primitive.js';
import { timesTransposed } from '../../products.js';
import * as tf from '../../tf.js';
import { mulDerivative as mulFlatDerivative } from '../dense/slopes.js';
import { convolveOnThreads } from './convolutionRun.js';
import { type Cotangents, constantRows, mulDerivative, outside } from './cotangents.js';

/** A convolution and the relu behind it run as one operation; the slope of relu is known from its values alone. */
export const isFused = (stage: StackLayer, next: StackLayer): boolean =>
  stage.kind === 'conv' &&
  next.kind === 'activation' &&
  next.activation === 'relu' &&
  stage.window.strides.every((stride) => stride === 1);

export function fusedForward(stage: ConvLayer, x: tf.Tensor4D): tf.Tensor {
  const own = convolveOnThreads(stage, x, true);
  if (own) return own;
  const filter = stage.kernel as tf.Tensor4D;
  const bias = stage.bias ? { bias: stage.bias } : {};
  return tf.fused.conv2d({ x, filter, strides: 1, pad: stage.window.padding, activation: 'relu', ...bias });
}

export function forward(stage: StackLayer, a: tf.Tensor): tf.Tensor {
  switch (stage.kind) {
    case 'dense': {
      const z = tf.matMul(a as tf.Tensor2D, stage.kernel as tf.Tensor2D);
      const scaled = stage.scale === 1 ? z : tf.mul(z, stage.scale);
      return stage.bias ? tf.add(scaled, tf.mul(stage.bias, stage.biasScale)) : scaled;
    }
    case 'conv': {
      const own = convolveOnThreads(stage, a as tf.Tensor4D, false);
      if (own) return own;
      const { strides, padding } = stage.window;
      const z = tf.conv2d(a as tf.Tensor4D, stage.kernel as tf.Tensor4D, [strides[0], strides[1]], padding);
      return stage.bias ? tf.add(z, stage.bias) : z;
    }
    case 'activation':
      return activations[stage.activation].forward(a);
    case 'mean':
      return tf.mean(a, [1, 2]);
    case 'flatten':
      return tf.reshape(a, [a.shape[0], -1]);
    case 'free':
      return runKernel(stage.node.kernel, { x: a }, stage.node.attrs);
  }
}

/** Cotangents of a stage's input from those of its output. */
export function backward(stage: StackLayer, input: tf.Tensor, result: tf.Tensor, d: Cotangents): Cotangents {
  const n = input.shape[0];
  switch (stage.kind) {
    case 'activation':
      if (d.form !== 'shared' && d.rows.size === result.size)
        return timesOneSlope(stage.activation, d, input, result);
      return mulDerivative(d, activations[stage.activation].derivative(input, result));
    case 'dense': {
      const weights = stage.kernel as tf.Tensor2D;
      const scaled = stage.scale === 1 ? weights : tf.mul(weights, stage.scale);
      if (d.form === 'shared' && !d.slope)
        return { ...d, rows: timesTransposed(d.rows as tf.Tensor2D, scaled as tf.Tensor2D) };
      const rows = outside(d, n, result.shape.slice(1));
      const outputs = rows.shape[1] as number;
      const flat = tf.reshape(rows, [n * outputs, weights.shape[1]]) as tf.Tensor2D;
      return {
        form: 'outside',
        rows: tf.reshape(timesTransposed(flat, scaled as tf.Tensor2D), [n, outputs, weights.shape[0]]),
      };
    }
    case 'conv':
      return throughConvolution(stage, input as tf.Tensor4D, result, d);
    case 'mean': {
      const [, h, w, c] = input.shape;
      if (d.form === 'shared' && !d.slope)
        return { ...d, rows: tf.div(tf.reshape(d.rows, [-1, 1, 1, c]), h * w) };
      const rows = outside(d, n, [c]);
      const spread = tf.reshape(tf.div(rows, h * w), [n, rows.shape[1] as number, 1, 1, c]);
      return { form: 'outside', rows: tf.broadcastTo(spread, [n, rows.shape[1] as number, h, w, c]) };
    }
    case 'flatten': {
      const shape = input.shape.slice(1);
      if (d.form === 'shared' && !d.slope) return { ...d, rows: tf.reshape(d.rows, [-1, ...shape]) };
      const rows = outside(d, n, result.shape.slice(1));
      return { form: 'outside', rows: tf.reshape(rows, [n, rows.shape[1] as number, ...shape]) };
    }
    case 'free':
      return throughFree(stage, input, result, d);
  }
}

/** Cotangents of one output lie in memory as the activations do. */
function timesOneSlope(
  activation: ActivationName,
  d: Exclude<Cotangents, { form: 'shared' }>,
  input: tf.Tensor,
  result: tf.Tensor,
): Cotangents {
  const flat = (t: tf.Tensor) => tf.reshape(t, [t.shape[0], -1]) as tf.Tensor2D;
  const product = mulFlatDerivative(activation, flat(d.rows), flat(input), flat(result));
  return { ...d, rows: tf.reshape(product, d.rows.shape) };
}

/** An operation without weights: its own rule, for all outputs at once. */
function throughFree(
  { node, linear }: Extract<StackLayer, { kind: 'free' }>,
  input: tf.Tensor,
  result: tf.Tensor,
  d: Cotangents,
): Cotangents {
  const [n, ...shape] = input.shape;
  const own = result.shape.slice(1);
  /** Cotangents [O, n, ...] through the operation as it was run on n samples. */
  const through = (rows: tf.Tensor, samples: number): tf.Tensor => {
    const at = (value: Value, t: tf.Tensor | null, rest: readonly number[]): Value => ({
      ...value,
      shape: [samples, ...rest],
      tensor: t,
    });
    const [out] = node.outputs;
    const inputs = { x: at(node.inputs.x, linear ? null : input, shape) };
    return pull([rows], { ...node, inputs, outputs: [at(out, linear ? null : result, own)] }, 'x');
  };
  if (linear && d.form === 'shared' && !d.slope) {
    const whole = tf.broadcastTo(d.rows, [d.rows.shape[0], ...own]);
    return { ...d, rows: tf.squeeze(through(tf.expandDims(whole, 1), 1), [1]) };
  }
  const rows = outside(d, n, own);
  const outputs = rows.shape[1] as number;
  const whole = tf.broadcastTo(rows, [n, outputs, ...own]);
  if (outputs === 1) {
    const one = through(tf.reshape(whole, [1, n, ...own]), n);
    return { form: 'outside', rows: tf.reshape(one, [n, 1, ...shape]) };
  }
  const order = [1, 0, ...own.map((_, k) => k + 2)];
  const pulled = through(tf.transpose(whole, order), n);
  return { form: 'outside', rows: tf.transpose(pulled, [1, 0, ...shape.map((_, k) => k + 2)]) };
}

function throughConvolution(
  stage: ConvLayer,
  input: tf.Tensor4D,
  result: tf.Tensor,
  d: Cotangents,
): Cotangents {
  const [n, h, w, channels] = input.shape;
  const [kh, kw] = stage.window.size;
  const kernel = stage.kernel as tf.Tensor4D;
  const filters = kernel.shape[3];
  const shared = constantRows(d);
  if (shared && d.form === 'shared' && d.slope) {
    // sum_c W[.., c] rows[o, c] slope[.., c]: one convolution of the slopes, with the rows in its filter.
    const outputs = shared.shape[0];
    const weighted = tf.mul(
      tf.reshape(kernel, [kh, kw, 1, channels, filters]),
      tf.reshape(shared, [outputs, 1, filters]),
    );
    const filter = tf.reshape(weighted, [kh, kw, outputs * channels, filters]) as tf.Tensor4D;
    const rows = inputGradient(d.slope as tf.Tensor4D, filter, [n, h, w, outputs * channels], stage);
    return { form: 'inside', rows: tf.reshape(rows, [n, h, w, outputs, channels]) };
  }
  const rows = outside(d, n, result.shape.slice(1));
  const outputs = rows.shape[1] as number;
  const dyShape: number[] = [n * outputs, ...result.shape.slice(1)];
  const dy: tf.Tensor4D = tf.reshape<tf.Rank.R4>(rows, dyShape as [number, number, number, number]);
  const dx = inputGradient(dy, kernel, [n * outputs, h, w, channels], stage);
  return { form: 'outside', rows: tf.reshape(dx, [n, outputs, h, w, channels]) };
}

function inputGradient(
  dy: tf.Tensor4D,
  filter: tf.Tensor4D,
  inputShape: number[],
  stage: ConvLayer,
): tf.Tensor4D {
  const { strides, padding } = stage.window;
  return tf.conv2dTranspose(
    dy,
    filter,
    inputShape as [number, number, number, number],
    [strides[0], strides[1]],
    padding,
  );
}
