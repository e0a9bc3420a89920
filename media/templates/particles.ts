// A network as a distribution of neurons: mean-field scale, a teacher of four neurons, and every neuron as a point.
// Watch: the particles leave their Gaussian cloud and gather on the teacher's rays.
import { defineExperiment, sgd, teacher, twoLayer } from 'kernelscope';

export default defineExperiment({
  name: 'Particles find the teacher',
  model: twoLayer({
    width: 400,
    activation: 'sigmoid',
    scale: 'mean-field',
    init: 'gaussian',
    thetaStart: 'unit',
  }),
  data: teacher({
    dimension: 2,
    target: 'network',
    neurons: {
      theta: [
        [2, 0],
        [1, 2],
        [2, 1],
        [0, 2],
      ],
      u: [0.25, 0.25, 0.25, 0.25],
      activation: 'sigmoid',
    },
    inputScale: 100,
    noise: 0.1,
    train: 1000,
    test: 1000,
  }),
  loss: 'mse',
  optimizer: sgd({ learningRate: 1, stepScale: 'm' }),
  regularization: { readout: 0.01 },
  steps: 2000,
  probe: 64,
  seed: 1,
  measure: { particles: true },
});
