import type * as tf from '../network/tf.js';

/**
 * What people call the layers of a model: their names; the type and the number in the model where TensorFlow.js made the
 * name up (`dense_Dense7` counts every layer that the process ever built).
 */
export function layerLabels(model: tf.LayersModel): ReadonlyMap<string, string> {
  const counts = new Map<string, number>();
  return new Map(
    model.layers.map((layer) => {
      const type = layer.getClassName();
      const count = (counts.get(type) ?? 0) + 1;
      counts.set(type, count);
      const made = new RegExp(`^\\w+_${type}\\d+$`).test(layer.name);
      return [layer.name, made ? `${type} ${count}` : layer.name];
    }),
  );
}
