// A two-layer tanh network on handwritten digits, in the kernel regime: alpha = sqrt(m), started at f = 0.
// Watch: the eigenvalues hardly move, the loss follows the prediction, and the modes with large eigenvalues go first.
import { defineExperiment, mnist, sgd, twoLayer } from 'kernelscope';

export default defineExperiment({
  name: 'MNIST, 0 against 1',
  model: twoLayer({ width: 1024, activation: 'tanh', scale: 'ntk', init: 'symmetric' }),
  data: mnist({ digits: [0, 1], train: 512, test: 512 }),
  loss: 'mse',
  optimizer: sgd({ learningRate: 'auto' }),
  steps: 400,
  probe: 128,
  seed: 1,
});
