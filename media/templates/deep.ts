// A deep network under the NTK parameterisation, with its linearised twin beside it.
import { defineExperiment, digits, mlp, sgd } from 'kernelscope';

export default defineExperiment({
  name: 'Digits, three hidden layers',
  model: mlp({ hidden: [512, 512, 512], activation: 'relu', parameterization: 'ntk' }),
  data: digits({ train: 512, test: 256 }),
  loss: 'mse',
  optimizer: sgd({ learningRate: 'auto' }),
  steps: 300,
  probe: 96,
  seed: 1,
  measure: { twin: true },
});
