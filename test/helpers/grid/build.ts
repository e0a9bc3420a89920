import { Random } from '../../../src/core/random.js';
import * as tf from '../../../src/network/tf.js';
import type { Architecture } from '../architectures.js';

export type Symbolic = tf.SymbolicTensor;

/** Several outputs of layers applied to one another. */
export const through = (x: Symbolic, ...layers: tf.layers.Layer[]): Symbolic =>
  layers.reduce((h, layer) => layer.apply(h) as Symbolic, x);

/** Values as one flat row, and two linear readouts of it. */
export function readout(h: Symbolic): Symbolic {
  const flat = h.shape.length === 2 ? h : through(h, tf.layers.flatten());
  return through(flat, tf.layers.dense({ units: 2 }));
}

/** Layers behind one another on one input, with a linear readout. */
export const stack = (
  name: string,
  shape: readonly number[],
  layers: () => tf.layers.Layer[],
  more: Partial<Architecture> = {},
): Architecture => ({
  name,
  shapes: [shape],
  build: () => {
    const x = tf.input({ shape: [...shape] });
    return tf.model({ inputs: x, outputs: readout(through(x, ...layers())) });
  },
  ...more,
});

/** Any graph of layers over the given inputs. */
export const graph = (
  name: string,
  shapes: readonly (readonly number[])[],
  build: (...inputs: Symbolic[]) => Symbolic | Symbolic[],
  more: Partial<Architecture> = {},
): Architecture => ({
  name,
  shapes,
  build: () => {
    const inputs = shapes.map((shape) => tf.input({ shape: [...shape] }));
    return tf.model({ inputs, outputs: build(...inputs) });
  },
  ...more,
});

/** Draws every weight anew, biases, gains and moving averages too: none is left where it would hide a fault. */
export function randomise(model: tf.LayersModel, seed: number): tf.LayersModel {
  const random = new Random(`grid ${seed}`);
  for (const weight of model.weights) {
    const { shape, originalName } = weight as unknown as { shape: number[]; originalName: string };
    const size = shape.reduce((a, b) => a * b, 1);
    const scale = shape.length > 1 ? 1 / Math.sqrt(size / shape[shape.length - 1]) : 0.4;
    const value = (z: number): number => {
      if (originalName.includes('variance')) return 0.6 + Math.abs(z);
      if (originalName.includes('gamma')) return 1 + 0.3 * z;
      return scale * z;
    };
    const tensor = tf.tensor(Float32Array.from(random.normals(size), value), shape);
    weight.write(tensor);
    tensor.dispose();
  }
  return model;
}
