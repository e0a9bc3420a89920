// The same network twice. With alpha = sqrt(m) it stays near its start and trains like a kernel method ("lazy"); with
// alpha = 1 its features move by O(1) at any width ("rich"). Run both and compare drift, movement and C(y).
import { defineExperiment, sgd, teacher, twoLayer } from 'kernelscope';

const shared = {
  data: teacher({ dimension: 10, target: 'interaction', inputs: 'sphere', train: 48, test: 200 }),
  optimizer: sgd({ learningRate: 'auto' }),
  probe: 48,
  seed: 1,
  measure: { twin: true, particles: true },
} as const;

export const lazy = defineExperiment({
  ...shared,
  name: 'Lazy: alpha = sqrt(m)',
  model: twoLayer({ width: 1024, scale: 'ntk' }),
  steps: 500,
});

export const rich = defineExperiment({
  ...shared,
  name: 'Rich: alpha = 1',
  model: twoLayer({ width: 1024, scale: 'mean-field' }),
  steps: 2000,
});
