// A plain TensorFlow.js network: anything that returns a tf.LayersModel gets a kernel, a spectrum and a verdict too.

import type * as tf from '@tensorflow/tfjs';
import { adam, defineExperiment, digits } from 'kernelscope';

export default defineExperiment({
  name: 'Digits, small CNN',
  model: (t: typeof tf) =>
    t.sequential({
      layers: [
        t.layers.conv2d({ inputShape: [8, 8, 1], filters: 16, kernelSize: 3, activation: 'relu' }),
        t.layers.conv2d({ filters: 16, kernelSize: 3, activation: 'relu' }),
        t.layers.globalAveragePooling2d({}),
        t.layers.dense({ units: 10 }),
      ],
    }),
  data: digits({ train: 1200, test: 597, shape: 'image' }),
  loss: 'crossEntropy',
  optimizer: adam({ learningRate: 0.01 }),
  batch: 64,
  steps: 600,
  probe: 64,
  seed: 1,
});
