import type { Random } from '../../src/core/random.js';
import * as tf from '../../src/network/tf.js';

/** Layers as in an ARCH.json. */
export type ArchLayer =
  | { readonly dense: { sigmaW: number; sigmaB: number | null; width?: number } }
  | {
      readonly conv: {
        kernel: [number, number];
        strides?: [number, number];
        padding?: 'same' | 'valid';
        sigmaW: number;
        sigmaB: number | null;
        filters?: number;
      };
    }
  | { readonly activation: 'relu' | 'tanh' | 'sigmoid' }
  | { readonly flatten: object }
  | { readonly globalAveragePool: object }
  | {
      readonly averagePool: {
        window: [number, number];
        strides?: [number, number];
        padding?: 'same' | 'valid';
      };
    }
  | { readonly layerNorm: { epsilon: number } }
  | { readonly residual: { branch: readonly ArchLayer[]; shortcut: readonly ArchLayer[] } };

/** A network whose weights are drawn again and again, with what each weight counts in either parameterisation. */
export interface FiniteNetwork {
  readonly model: tf.LayersModel;
  readonly draw: (random: Random) => void;
  /** Per trainable scalar, in the order of `model.trainableWeights`: factor on its squared gradient. */
  readonly factors: Readonly<Record<'ntk' | 'standard', Float64Array>>;
  /** First column of the last dense layer. */
  readonly lastDense: number;
}

interface Drawn {
  readonly layer: tf.layers.Layer;
  readonly sigmaW: number;
  readonly sigmaB: number | null;
}

const normalisation = { center: false, scale: false, axis: -1 };

function layerOf(l: ArchLayer, width: number, last: boolean, drawn: Drawn[]): tf.layers.Layer {
  if ('dense' in l) {
    const { sigmaW, sigmaB } = l.dense;
    const layer = tf.layers.dense({ units: last ? 1 : width, useBias: sigmaB !== null });
    drawn.push({ layer, sigmaW, sigmaB });
    return layer;
  }
  if ('conv' in l) {
    const { kernel, strides = [1, 1], padding = 'valid', sigmaW, sigmaB } = l.conv;
    const layer = tf.layers.conv2d({
      filters: width,
      kernelSize: kernel,
      strides,
      padding,
      useBias: sigmaB !== null,
    });
    drawn.push({ layer, sigmaW, sigmaB });
    return layer;
  }
  if ('activation' in l) return tf.layers.activation({ activation: l.activation });
  if ('flatten' in l) return tf.layers.flatten();
  if ('globalAveragePool' in l) return tf.layers.globalAveragePooling2d({});
  if ('averagePool' in l) {
    const { window, strides = window, padding = 'valid' } = l.averagePool;
    return tf.layers.averagePooling2d({ poolSize: window, strides, padding });
  }
  if ('layerNorm' in l)
    return tf.layers.layerNormalization({ ...normalisation, epsilon: l.layerNorm.epsilon });
  throw new Error('Residual sums have no layer of their own.');
}

/** The network of an ARCH.json at one width, of one output, built without looking at the engine's own reading of it. */
export function finiteNetwork(
  layers: readonly ArchLayer[],
  width: number,
  shape: readonly number[],
): FiniteNetwork {
  const drawn: Drawn[] = [];
  const run = (x: tf.SymbolicTensor, list: readonly ArchLayer[], outermost: boolean): tf.SymbolicTensor =>
    list.reduce((h, l, k) => {
      if ('residual' in l) {
        const ends = [run(h, l.residual.branch, false), run(h, l.residual.shortcut, false)];
        return tf.layers.add().apply(ends) as tf.SymbolicTensor;
      }
      return layerOf(l, width, outermost && k === list.length - 1, drawn).apply(h) as tf.SymbolicTensor;
    }, x);
  const inputs = tf.input({ shape: [...shape] });
  const model = tf.model({ inputs, outputs: run(inputs, layers, true) });
  const fanIn = (layer: tf.layers.Layer): number =>
    layer
      .getWeights()[0]
      .shape.slice(0, -1)
      .reduce((a, b) => a * b, 1);
  const ntk: number[] = [];
  let lastDense = 0;
  for (const layer of model.layers) {
    const own = drawn.find((d) => d.layer === layer);
    if (!own) continue;
    lastDense = ntk.length;
    const [kernel, bias] = layer.getWeights();
    for (let i = 0; i < kernel.size; i++) ntk.push(own.sigmaW ** 2 / fanIn(layer));
    for (let i = 0; bias && i < bias.size; i++) ntk.push((own.sigmaB ?? 0) ** 2);
  }
  return {
    model,
    lastDense,
    factors: { ntk: Float64Array.from(ntk), standard: new Float64Array(ntk.length).fill(1) },
    draw: (random) => {
      for (const { layer, sigmaW, sigmaB } of drawn) {
        const spread = [sigmaW / Math.sqrt(fanIn(layer)), sigmaB ?? 0];
        const values = layer.getWeights().map((w, i) =>
          tf.tensor(
            Float32Array.from(random.normals(w.size), (v) => v * spread[i]),
            w.shape,
          ),
        );
        layer.setWeights(values);
        tf.dispose(values);
      }
    },
  };
}
