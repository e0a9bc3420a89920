import * as tf from '../tf.js';
import { repairDilatedGradients } from './kernels/convolution.js';

type Input = (x: tf.Tensor) => tf.Tensor;
let done = false;

/** Repairs of gradients that TensorFlow.js lacks, on every backend: comparisons, and second order of activations. */
export function repairGradients(): void {
  if (done) return;
  done = true;
  const comparisons = [tf.Greater, tf.GreaterEqual, tf.Less, tf.LessEqual, tf.Equal, tf.NotEqual];
  for (const kernelName of comparisons) {
    replaceGradient({
      kernelName,
      inputsToSave: ['a', 'b'],
      gradFunc: (_dy, saved) => ({ a: () => tf.zeros(saved[0].shape), b: () => tf.zeros(saved[1].shape) }),
    });
  }
  // Functions of the saved input, not of the saved output: only so they can be differentiated again.
  ofInput(tf.Tanh, (x) => tf.sub(1, tf.square(tf.tanh(x))));
  ofInput(tf.Exp, (x) => tf.exp(x));
  ofInput(tf.Sigmoid, (x) => tf.mul(tf.sigmoid(x), tf.sigmoid(tf.neg(x))));
  ofInput(tf.Elu, (x) => tf.where(tf.greater(x, 0), tf.onesLike(x), tf.exp(tf.minimum(x, 0))));
  repairDilatedGradients();
  unfuseDilatedLayers();
}

function ofInput(kernelName: string, slope: Input): void {
  replaceGradient({
    kernelName,
    inputsToSave: ['x'],
    gradFunc: (dy, saved) => ({ x: () => tf.mul(dy as tf.Tensor, slope(saved[0])) }),
  });
}

function replaceGradient(config: tf.GradConfig): void {
  if (tf.getGradient(config.kernelName)) tf.unregisterGradient(config.kernelName);
  tf.registerGradient(config);
}

interface OpenConvolution {
  call(inputs: tf.Tensor | tf.Tensor[], kwargs: unknown): tf.Tensor | tf.Tensor[];
  readonly dilationRate: number | number[];
  readonly strides: [number, number];
  readonly padding: 'same' | 'valid';
  readonly dataFormat: string;
  readonly kernel: tf.LayerVariable;
  readonly bias: tf.LayerVariable | null;
  readonly activation: { apply(x: tf.Tensor): tf.Tensor } | null;
}

/** Conv2D layers run a fused operation that refuses to be differentiated when dilated; those take the plain one. */
function unfuseDilatedLayers(): void {
  const prototype = Object.getPrototypeOf(tf.layers.conv2d({ filters: 1, kernelSize: 1 })) as OpenConvolution;
  const fused = prototype.call;
  prototype.call = function (this: OpenConvolution, inputs, kwargs) {
    const dilations = [this.dilationRate].flat();
    if (dilations.every((d) => d === 1) || this.dataFormat === 'channelsFirst')
      return fused.call(this, inputs, kwargs);
    return tf.tidy(() => {
      const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor4D;
      const rate: [number, number] = [dilations[0], dilations[1] ?? dilations[0]];
      const z = tf.conv2d(x, this.kernel.read() as tf.Tensor4D, this.strides, this.padding, 'NHWC', rate);
      const biased = this.bias ? tf.add(z, this.bias.read()) : z;
      return this.activation ? this.activation.apply(biased) : biased;
    });
  };
}
