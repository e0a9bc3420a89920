// The first half of the authors' repopulation experiment: Adam with L2 on all weights lets neurons that serve no purpose
// die out, so that few carry the network (watch the effective number of neurons). "Reproduce an Experiment" does the rest:
// readouts on drawn and random features, ten neurons by importance.
import { adam, defineExperiment, digits, twoLayer } from 'kernelscope';

export default defineExperiment({
  name: 'Repopulation',
  model: twoLayer({ width: 1000, scale: 'standard', init: 'gaussian', thetaStart: 'unit' }),
  data: digits({ train: 1198, test: 599 }),
  loss: 'crossEntropy',
  optimizer: adam({ learningRate: 0.01 }),
  // The L2 term of a two-layer network is divided by its width: this is .003 a weight.
  regularization: { all: 3 },
  batch: 64,
  steps: 1500,
  probe: 32,
  seed: 1,
  measure: { kernels: 8, particles: true },
});
