import { comparisons } from '../primitives/comparisons.js';
import * as tf from '../tf.js';
import { patchConvolutionLayers } from './convolutionLayers.js';
import { patchBroadcastGradients } from './kernels/broadcastProducts.js';
import { patchContractionGradients } from './kernels/contraction.js';
import { patchDilatedGradients } from './kernels/convolution.js';
import { patchVolumeGradients } from './kernels/volumes.js';
import { patchNormalizations } from './normalization.js';
import { patchByRules } from './ruleGradients.js';

type Derivative = (x: tf.Tensor) => tf.Tensor;

/** Replaces the gradient of an elementwise kernel by one that is a function of its saved input. */
function elementwise(kernelName: string, derivative: Derivative): void {
  replace({
    kernelName,
    inputsToSave: ['x'],
    gradFunc: (dy, [x]) => ({ x: () => tf.mul(dy as tf.Tensor, derivative(x)) }),
  });
}

function replace(config: tf.GradConfig): void {
  if (tf.getGradient(config.kernelName)) tf.unregisterGradient(config.kernelName);
  tf.registerGradient(config);
}

let done = false;

/**
 * Gradients that TensorFlow.js 4.22 lacks or that cannot be differentiated again, on every backend. The gradients of
 * tanh and its kin save their outputs, which have no history: written as functions of saved inputs they have second
 * derivatives. Comparisons get the zero gradient that lets `where` be differentiated. Pooling and logSoftmax keep first
 * order only.
 */
export function patchGradients(): void {
  if (done) return;
  done = true;
  elementwise('Tanh', (x) => tf.sub(1, tf.square(tf.tanh(x))));
  elementwise('Sigmoid', (x) => tf.mul(tf.sigmoid(x), tf.sigmoid(tf.neg(x))));
  elementwise('Exp', (x) => tf.exp(x));
  elementwise('Elu', (x) => tf.where(tf.greater(x, 0), tf.onesLike(x), tf.exp(tf.minimum(x, 0))));
  elementwise('Softplus', (x) => tf.sigmoid(x));
  replace({
    kernelName: 'Softmax',
    inputsToSave: ['logits'],
    gradFunc: (dy, [logits], attrs) => {
      const dim = (attrs as unknown as { dim: number }).dim;
      return {
        logits: () => {
          const y = tf.softmax(logits, dim);
          const weighted = tf.mul(dy as tf.Tensor, y);
          return tf.sub(weighted, tf.mul(tf.sum(weighted, dim, true), y));
        },
      };
    },
  });
  for (const kernelName of comparisons) {
    replace({
      kernelName,
      inputsToSave: ['a', 'b'],
      gradFunc: (_dy, [a, b]) => ({ a: () => tf.zerosLike(a), b: () => tf.zerosLike(b) }),
    });
  }
  replace({
    kernelName: 'LogicalNot',
    inputsToSave: ['x'],
    gradFunc: (_dy, [x]) => ({ x: () => tf.zerosLike(x) }),
  });
  patchDilatedGradients();
  patchVolumeGradients();
  patchContractionGradients();
  patchBroadcastGradients();
  patchByRules();
  patchConvolutionLayers();
  patchNormalizations();
}
