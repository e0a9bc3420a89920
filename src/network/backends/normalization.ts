import * as tf from '../tf.js';

interface OpenNormalization {
  call(inputs: tf.Tensor | tf.Tensor[], kwargs: unknown): tf.Tensor | tf.Tensor[];
  readonly axis: number | number[];
  scale: boolean;
  center: boolean;
  gamma: Pick<tf.LayerVariable, 'read'> | null;
  beta: Pick<tf.LayerVariable, 'read'> | null;
}

/**
 * Normalisations with `scale: false` cannot be differentiated in TensorFlow.js 4.22, which saves the absent scale, and
 * batch normalisation with `scale` or `center` off cannot be trained. A scale of ones and a shift of zeros stand in for
 * what is absent.
 */
export function patchNormalizations(): void {
  for (const layer of [tf.layers.batchNormalization(), tf.layers.layerNormalization()]) {
    const prototype = Object.getPrototypeOf(layer) as OpenNormalization;
    const original = prototype.call;
    prototype.call = function (this: OpenNormalization, inputs, kwargs) {
      if (this.scale && this.center) return original.call(this, inputs, kwargs);
      const { scale, center, gamma, beta } = this;
      const shape = (Array.isArray(inputs) ? inputs[0] : inputs).shape;
      const sizes = [this.axis].flat().map((axis) => shape[axis < 0 ? axis + shape.length : axis]);
      this.gamma ??= { read: () => tf.ones(sizes) };
      this.beta ??= { read: () => tf.zeros(sizes) };
      this.scale = true;
      this.center = true;
      try {
        return tf.tidy(() => original.call(this, inputs, kwargs));
      } finally {
        Object.assign(this, { scale, center, gamma, beta });
      }
    };
  }
}
