// A two-layer network on handwritten digits, in the kernel regime. The place to start.
import { defineExperiment, digits, sgd, twoLayer } from 'kernelscope';

export default defineExperiment({
  name: 'Digits, 3 against 8',
  model: twoLayer({ width: 1024, activation: 'tanh', scale: 'ntk', init: 'symmetric' }),
  data: digits({ digits: [3, 8], train: 256, test: 100 }),
  loss: 'mse',
  optimizer: sgd({ learningRate: 'auto' }),
  steps: 500,
  probe: 128,
  seed: 1,
});
