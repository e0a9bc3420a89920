import * as tf from '../../../src/network/tf.js';
import type { Architecture } from '../architectures.js';
import { graph, readout, stack, through } from './build.js';

const L = tf.layers;
const one = (inputs: tf.Tensor | tf.Tensor[]): tf.Tensor => (Array.isArray(inputs) ? inputs[0] : inputs);

/** Weights by name and shape, and what is computed with them; the output has the input's shape unless said otherwise. */
export interface Recipe {
  readonly className: string;
  readonly weights: (shape: readonly number[]) => Readonly<Record<string, number[]>>;
  readonly compute: (x: tf.Tensor, w: Readonly<Record<string, tf.Tensor>>) => tf.Tensor;
  readonly outputShape?: (shape: readonly number[]) => number[];
}

/** A layer class as users write them. */
export function ownLayer(recipe: Recipe): tf.layers.Layer {
  class Own extends tf.layers.Layer {
    static readonly className = recipe.className;
    private readonly own: Record<string, tf.LayerVariable> = {};

    override build(shape: tf.Shape): void {
      for (const [name, size] of Object.entries(recipe.weights((shape as number[]).slice(1))))
        this.own[name] = this.addWeight(name, size, 'float32', tf.initializers.glorotNormal({ seed: 3 }));
      this.built = true;
    }

    override computeOutputShape(shape: tf.Shape): tf.Shape {
      const inner = (shape as number[]).slice(1);
      return [shape[0], ...(recipe.outputShape?.(inner) ?? inner)];
    }

    override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
      const read = Object.fromEntries(Object.entries(this.own).map(([name, w]) => [name, w.read()]));
      return tf.tidy(() => recipe.compute(one(inputs), read));
    }
  }
  return new Own({});
}

/** x w for x of any rank. */
const times = (x: tf.Tensor, w: tf.Tensor): tf.Tensor => {
  const flat = tf.reshape(x, [-1, x.shape[x.rank - 1]]) as tf.Tensor2D;
  return tf.reshape(tf.matMul(flat, w as tf.Tensor2D), [...x.shape.slice(0, -1), w.shape[1] as number]);
};
const last = (shape: readonly number[]): number => shape[shape.length - 1] as number;
const widened =
  (n: number) =>
  (shape: readonly number[]): number[] => [...shape.slice(0, -1), n];

const gain: Recipe = {
  className: 'Gain',
  weights: (shape) => ({ gain: [last(shape)], shift: [1] }),
  compute: (x, { gain, shift }) => tf.add(tf.mul(x, gain), shift),
};

const attention: Recipe = {
  className: 'OwnAttention',
  weights: (shape) => ({ query: [last(shape), 2], key: [last(shape), 2], value: [last(shape), last(shape)] }),
  compute: (x, { query, key, value }) => {
    const scores = tf.matMul(times(x, query), times(x, key), false, true);
    return tf.matMul(tf.softmax(tf.div(scores, Math.SQRT2)), times(x, value));
  },
};

/** Two heads, by reshaping and turning, as in the usual transformer code. */
const multiHead: Recipe = {
  className: 'MultiHeadAttention',
  weights: (shape) => ({ qkv: [last(shape), 3 * last(shape)], out: [last(shape), last(shape)] }),
  compute: (x, { qkv, out }) => {
    const [n, t, d] = x.shape;
    const [q, k, v] = tf
      .split(times(x, qkv), 3, -1)
      .map((part) => tf.transpose(tf.reshape(part, [n, t, 2, d / 2]), [0, 2, 1, 3]));
    const scores = tf.softmax(tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(d / 2)));
    const mixed = tf.reshape(tf.transpose(tf.matMul(scores, v), [0, 2, 1, 3]), [n, t, d]);
    return times(mixed, out);
  },
};

/** A token of its own before the others, and a position for each. */
const classToken: Recipe = {
  className: 'ClassToken',
  weights: ([t, d]) => ({ token: [1, 1, d], positions: [t + 1, d] }),
  compute: (x, { token, positions }) =>
    tf.add(tf.concat([tf.tile(token, [x.shape[0], 1, 1]), x], 1), positions),
  outputShape: ([t, d]) => [t + 1, d],
};

const weightNorm: Recipe = {
  className: 'WeightNorm',
  weights: (shape) => ({ direction: [last(shape), 4], length: [4] }),
  compute: (x, { direction, length }) => {
    const norm = tf.sqrt(tf.sum(tf.square(direction), 0, true));
    return times(x, tf.mul(tf.div(direction, norm), length));
  },
  outputShape: widened(4),
};

const tied: Recipe = {
  className: 'TiedAutoencoder',
  weights: (shape) => ({ code: [last(shape), 3], hidden: [3], visible: [last(shape)] }),
  compute: (x, { code, hidden, visible }) => {
    const h = tf.tanh(tf.add(times(x, code), hidden));
    return tf.add(times(h, tf.transpose(code)), visible);
  },
};

const gated: Recipe = {
  className: 'GatedLinearUnit',
  weights: (shape) => ({ both: [last(shape), 6], bias: [6] }),
  compute: (x, { both, bias }) => {
    const [a, b] = tf.split(tf.add(times(x, both), bias), 2, -1);
    return tf.mul(a, tf.sigmoid(b));
  },
  outputShape: widened(3),
};

const fourier: Recipe = {
  className: 'FourierFeatures',
  weights: (shape) => ({ frequencies: [last(shape), 4], phases: [4] }),
  compute: (x, { frequencies, phases }) => {
    const angle = tf.add(tf.mul(times(x, frequencies), 2 * Math.PI), phases);
    return tf.concat([tf.sin(angle), tf.cos(angle)], -1);
  },
  outputShape: widened(8),
};

const squeezeExcite: Recipe = {
  className: 'SqueezeExcite',
  weights: (shape) => ({ squeeze: [last(shape), 2], excite: [2, last(shape)] }),
  compute: (x, { squeeze, excite }) => {
    const mean = tf.mean(x, [1, 2], true);
    return tf.mul(x, tf.sigmoid(times(tf.relu(times(mean, squeeze)), excite)));
  },
};

const einsum: Recipe = {
  className: 'EinsumDense',
  weights: ([, d]) => ({ mix: [d, 2, 3] }),
  compute: (x, { mix }) => tf.einsum('btd,dhk->bthk', x, mix),
  outputShape: ([t]) => [t, 2, 3],
};

/** Rounds forward and lets gradients through as they are. */
const straightThrough = tf.customGrad(((x: tf.Tensor, save: tf.GradSaveFunc) => {
  save([x]);
  return { value: tf.round(x), gradFunc: (dy: tf.Tensor) => dy };
}) as never) as unknown as (x: tf.Tensor) => tf.Tensor;

const quantised: Recipe = {
  className: 'StraightThrough',
  weights: (shape) => ({ kernel: [last(shape), 4] }),
  compute: (x, { kernel }) => tf.tanh(straightThrough(tf.mul(times(x, kernel), 3))),
  outputShape: widened(4),
};

/** Not the dense layer of TensorFlow.js, in spite of its name. */
const falseDense: Recipe = {
  className: 'Dense',
  weights: (shape) => ({ kernel: [last(shape), 3] }),
  compute: (x, { kernel }) => tf.tanh(times(x, kernel)),
  outputShape: widened(3),
};

const rmsNorm: Recipe = {
  className: 'RMSNorm',
  weights: (shape) => ({ gain: [last(shape)] }),
  compute: (x, { gain }) => tf.mul(tf.mul(x, tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), 1e-3))), gain),
};

/** Filters of their own at every place. */
const locallyConnected: Recipe = {
  className: 'LocallyConnected1D',
  weights: ([t, d]) => ({ kernel: [t - 1, 2 * d, 3], bias: [t - 1, 3] }),
  compute: (x, { kernel, bias }) => {
    const [n, t, d] = x.shape;
    const windows = tf.concat(
      [tf.slice(x, [0, 0, 0], [n, t - 1, d]), tf.slice(x, [0, 1, 0], [n, t - 1, d])],
      2,
    );
    const turned = tf.matMul(tf.transpose(windows, [1, 0, 2]), kernel);
    return tf.add(tf.transpose(turned, [1, 0, 2]), bias);
  },
  outputShape: ([t]) => [t - 1, 3],
};

const groupNorm: Recipe = {
  className: 'GroupNorm',
  weights: (shape) => ({ gain: [last(shape)], shift: [last(shape)] }),
  compute: (x, { gain, shift }) => {
    const [n, h, w, c] = x.shape;
    const groups = tf.reshape(x, [n, h * w, 2, c / 2]);
    const { mean, variance } = tf.moments(groups, [1, 3], true);
    const normal = tf.div(tf.sub(groups, mean), tf.sqrt(tf.add(variance, 1e-2)));
    return tf.add(tf.mul(tf.reshape(normal, x.shape), gain), shift);
  },
};

const rotary: Recipe = {
  className: 'RotaryPositions',
  weights: ([, d]) => ({ kernel: [d, 4] }),
  compute: (x, { kernel }) => {
    const [, t] = x.shape;
    const [a, b] = tf.split(times(x, kernel), 2, -1);
    const angle = tf.outerProduct(tf.range(0, t) as tf.Tensor1D, tf.tensor1d([1, 0.1]));
    const [cos, sin] = [tf.cos(angle), tf.sin(angle)];
    return tf.concat([tf.sub(tf.mul(a, cos), tf.mul(b, sin)), tf.add(tf.mul(a, sin), tf.mul(b, cos))], -1);
  },
  outputShape: widened(4),
};

/** A low-rank correction beside a frozen matrix, as in fine-tuning. */
const lowRank: Recipe = {
  className: 'LowRankAdapter',
  weights: (shape) => ({ down: [last(shape), 1], up: [1, last(shape)] }),
  compute: (x, { down, up }) => tf.add(x, tf.mul(times(times(x, down), up), 0.5)),
};

const before = () => L.dense({ units: 4, activation: 'tanh' });

/** Layers that no one named in advance. */
export const ownLayerModels: readonly Architecture[] = [
  stack('own: gain', [4], () => [before(), ownLayer(gain)]),
  stack('own: attention', [3, 4], () => [before(), ownLayer(attention)]),
  graph('own: transformer block', [[3, 4]], (x) => {
    const h = through(x, before());
    const attended = L.add().apply([
      h,
      through(h, L.layerNormalization(), ownLayer(multiHead)),
    ]) as tf.SymbolicTensor;
    const fed = through(
      attended,
      L.layerNormalization(),
      L.dense({ units: 6, activation: 'gelu' as 'relu' }),
      L.dense({ units: 4 }),
    );
    return readout(L.add().apply([attended, fed]) as tf.SymbolicTensor);
  }),
  stack('own: class token and positions', [3, 4], () => [
    before(),
    ownLayer(classToken),
    ownLayer(attention),
  ]),
  stack('own: weight norm', [4], () => [ownLayer(weightNorm), L.activation({ activation: 'tanh' })]),
  graph('own: tied autoencoder', [[4]], (x) => through(x, before(), ownLayer(tied))),
  stack('own: gated linear unit', [4], () => [before(), ownLayer(gated)]),
  stack('own: Fourier features', [3], () => [ownLayer(fourier), before()]),
  stack('own: squeeze and excite', [4, 4, 2], () => [
    L.conv2d({ filters: 3, kernelSize: 2, activation: 'tanh' }),
    ownLayer(squeezeExcite),
  ]),
  stack('own: einsum', [3, 4], () => [before(), ownLayer(einsum)]),
  stack('own: locally connected', [5, 2], () => [ownLayer(locallyConnected), before()]),
  stack('own: named Dense', [3], () => [ownLayer(falseDense), L.dense({ units: 2 })]),
  stack('own: rms norm', [3, 4], () => [before(), ownLayer(rmsNorm)]),
  stack('own: group norm', [3, 3, 2], () => [before(), ownLayer(groupNorm)]),
  stack('own: rotary positions', [3, 4], () => [before(), ownLayer(rotary), ownLayer(attention)]),
  stack('own: low-rank adapter', [4], () => [L.dense({ units: 4, trainable: false }), ownLayer(lowRank)]),
];

/** Its gradient is not the slope of what it computes: left out of differences. */
export const straightThroughModel = stack('own: straight-through rounding', [4], () => [
  before(),
  ownLayer(quantised),
]);
