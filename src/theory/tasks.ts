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

/** Directions theta of the four-neuron teacher, as rows. */
export const fourNeurons: readonly (readonly number[])[] = [
  [2, 0],
  [1, 2],
  [2, 1],
  [0, 2],
];

/** Four sigmoid neurons in the plane; the inputs are so far out that each neuron is nearly a step. */
export const fourNeuronTask: DataSpec = {
  kind: 'teacher',
  dimension: 2,
  target: 'network',
  neurons: { theta: fourNeurons, u: [0.25, 0.25, 0.25, 0.25], activation: 'sigmoid' },
  inputScale: 100,
  noise: 0.1,
  train: 40000,
  test: 4000,
};
