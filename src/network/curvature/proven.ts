import { trainableLayers } from '../kernel/index.js';
import type * as tf from '../tf.js';

/** Layers and activations whose second derivatives the tests compare with differences. */
const layers: ReadonlySet<string> = new Set([
  'InputLayer',
  'ScaledDense',
  'Elementwise',
  'Dense',
  'Conv1D',
  'Conv2D',
  'DepthwiseConv2D',
  'SeparableConv2D',
  'Embedding',
  'BatchNormalization',
  'LayerNormalization',
  'Activation',
  'ReLU',
  'Dropout',
  'Flatten',
  'Reshape',
  'ZeroPadding2D',
  'AveragePooling2D',
  'GlobalAveragePooling1D',
  'GlobalAveragePooling2D',
  'Add',
  'Multiply',
  'Concatenate',
]);
const activations: ReadonlySet<string> = new Set([
  'linear',
  'relu',
  'tanh',
  'sigmoid',
  'softmax',
  'softplus',
]);

/**
 * Whether TensorFlow.js is known to differentiate every layer of a model twice. Large networks with kinks need to be
 * known: the differences that others are tried against cross kinks on the way, however short it is.
 */
export function twiceDifferentiable(model: tf.LayersModel): boolean {
  const inside = trainableLayers(model).every((layer) => model.layers.includes(layer));
  return (
    inside &&
    model.layers.every((layer) => {
      const { activation } = layer as unknown as { activation?: { getClassName?: () => string } | null };
      const name = activation?.getClassName?.() ?? 'linear';
      return layers.has(layer.getClassName()) && activations.has(name);
    })
  );
}
