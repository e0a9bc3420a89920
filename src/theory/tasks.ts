import { Random } from '../core/random.js';
import type { DataSpec } from '../experiment/definition.js';

/** Tasks with a teacher of a few neurons, shared by the mean-field claims. */

type TeacherSpec = Extract<DataSpec, { kind: 'teacher' }>;

/** d = 5, x ~ N(0, I), y = (1, -1, .7) . tanh(W x) with W [3, 5] ~ N(0, 1) drawn from the seed. */
export const threeNeuronTask = (seed: number, more: Partial<TeacherSpec> = {}): DataSpec => {
  const random = new Random(seed).fork('three-neuron-task');
  return {
    kind: 'teacher',
    dimension: 5,
    target: 'network',
    neurons: {
      theta: Array.from({ length: 3 }, () => Array.from(random.normals(5))),
      u: [1, -1, 0.7],
      activation: 'tanh',
    },
    train: 200,
    test: 200,
    ...more,
  };
};
