import * as tf from '../tf.js';
import type { BuiltModel } from './build.js';

/** Values [n, units] of a layer on inputs x, [n, ...inputShape] row-major. Throws when the model has no such layer. */
export function unitsOf(
  built: BuiltModel,
  x: Float32Array,
  layer: string,
): { readonly values: Float32Array; readonly units: number } {
  const { model } = built;
  return tf.tidy(() => {
    const [, ...shape] = model.inputs[0].shape as number[];
    const size = shape.reduce((product, s) => product * s, 1);
    const tap = tf.model({ inputs: model.inputs, outputs: model.getLayer(layer).output });
    const out = tap.apply(tf.tensor(x, [x.length / size, ...shape])) as tf.Tensor;
    return { values: out.dataSync().slice() as Float32Array, units: out.shape[out.rank - 1] as number };
  });
}

/** Standard deviation over the units of a layer on each of the inputs x, [n]: zero when all units are alike. */
export function unitSpread(built: BuiltModel, x: Float32Array, layer: string): Float64Array {
  const { values, units } = unitsOf(built, x, layer);
  return Float64Array.from({ length: values.length / units }, (_, i) => {
    const row = values.subarray(i * units, (i + 1) * units);
    let sum = 0;
    for (const v of row) sum += v;
    let square = 0;
    for (const v of row) square += (v - sum / units) ** 2;
    return Math.sqrt(square / units);
  });
}
