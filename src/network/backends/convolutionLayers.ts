import * as tf from '../tf.js';

interface OpenConvolution {
  call(inputs: tf.Tensor | tf.Tensor[], kwargs: unknown): tf.Tensor | tf.Tensor[];
  computeOutputShape(shape: tf.Shape): tf.Shape;
  readonly kernelSize: number[];
  readonly dilationRate: number | number[];
  readonly strides: [number, number];
  padding: string;
  readonly dataFormat: string;
  readonly kernel: tf.LayerVariable;
  readonly bias: tf.LayerVariable | null;
  readonly activation: { apply(x: tf.Tensor): tf.Tensor } | null;
}

const one = (inputs: tf.Tensor | tf.Tensor[]): tf.Tensor => (Array.isArray(inputs) ? inputs[0] : inputs);

/** Conv2D layers run a fused operation that refuses to be differentiated when dilated; those take the plain one. */
function unfuseDilatedLayers(): void {
  const prototype = Object.getPrototypeOf(tf.layers.conv2d({ filters: 1, kernelSize: 1 })) as OpenConvolution;
  const fused = prototype.call;
  prototype.call = function (this: OpenConvolution, inputs, kwargs) {
    const dilations = [this.dilationRate].flat();
    if (dilations.every((d) => d === 1)) return fused.call(this, inputs, kwargs);
    return tf.tidy(() => {
      const first = this.dataFormat === 'channelsFirst';
      const x = (first ? tf.transpose(one(inputs), [0, 2, 3, 1]) : one(inputs)) as tf.Tensor4D;
      const rate: [number, number] = [dilations[0], dilations[1] ?? dilations[0]];
      const padding = this.padding as 'same' | 'valid';
      const z = tf.conv2d(x, this.kernel.read() as tf.Tensor4D, this.strides, padding, 'NHWC', rate);
      const biased = this.bias ? tf.add(z, this.bias.read()) : z;
      const turned = first ? tf.transpose(biased, [0, 3, 1, 2]) : biased;
      return this.activation ? this.activation.apply(turned) : turned;
    });
  };
}

/**
 * Causal padding of Conv1D layers, which TensorFlow.js 4.22 accepts and then refuses to run: as many zeros before the
 * first step as the window reaches back.
 */
function padCausalLayers(): void {
  const prototype = Object.getPrototypeOf(tf.layers.conv1d({ filters: 1, kernelSize: 1 })) as OpenConvolution;
  const { call, computeOutputShape } = prototype;
  const as = <T>(layer: OpenConvolution, padding: string, work: () => T): T => {
    const own = layer.padding;
    layer.padding = padding;
    try {
      return work();
    } finally {
      layer.padding = own;
    }
  };
  prototype.call = function (this: OpenConvolution, inputs, kwargs) {
    if (this.padding !== 'causal') return call.call(this, inputs, kwargs);
    return tf.tidy(() => {
      const reach = (this.kernelSize[0] - 1) * [this.dilationRate].flat()[0];
      const time = this.dataFormat === 'channelsFirst' ? 2 : 1;
      const margins = [0, 1, 2].map((axis): [number, number] => [axis === time ? reach : 0, 0]);
      const padded = tf.pad(one(inputs), margins);
      return as(this, 'valid', () => call.call(this, padded, kwargs));
    });
  };
  prototype.computeOutputShape = function (this: OpenConvolution, shape) {
    const own = () => computeOutputShape.call(this, shape);
    return this.padding === 'causal' ? as(this, 'same', own) : own();
  };
}

/** Convolutional layers that TensorFlow.js builds and then cannot run or differentiate. */
export function patchConvolutionLayers(): void {
  unfuseDilatedLayers();
  padCausalLayers();
}
