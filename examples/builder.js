// A model builder without an experiment: it asks for data. kernelscope run examples/builder.js --data digits
import * as tf from '@tensorflow/tfjs';

export function createModel() {
  return tf.sequential({
    layers: [
      tf.layers.dense({ inputShape: [64], units: 128, activation: 'relu' }),
      tf.layers.dense({ units: 10 }),
    ],
  });
}
