import { Random } from '../../../core/random.js';
import * as tf from '../../tf.js';

/** What training does with a model beyond descending along the loss of its outputs. */
export interface TrainingForm {
  /** A pass in training form runs other operations than one in inference form: dropout, noise, statistics of the batch. */
  readonly differs: boolean;
  /** It draws at random, so that two passes differ. */
  readonly random: boolean;
  /** Layers whose regularisers add to the loss, by name. */
  readonly penalised: readonly string[];
  /** Layers with regularisers that TensorFlow.js leaves out (those of recurrent cells), by name. */
  readonly unpenalised: readonly string[];
  /** Layers with constraints on their weights, which TensorFlow.js's training leaves out, by name. */
  readonly constrained: readonly string[];
}

type Recorded = { runKernel(name: string, ...rest: unknown[]): unknown };
type Penalised = { calculateLosses(): tf.Scalar[] };

/** The penalties of a model's or a layer's regularisers, as TensorFlow.js adds them to its own loss. Inside `tf.tidy`. */
export const penaltiesOf = (of: tf.layers.Layer): tf.Scalar[] =>
  (of as unknown as Penalised).calculateLosses();

/** Names of the operations that `pass` runs, in order. */
function operationsOf(pass: () => void): string[] {
  const engine = tf.engine() as unknown as Recorded;
  const own = Object.getOwnPropertyDescriptor(engine, 'runKernel');
  const run = engine.runKernel;
  const names: string[] = [];
  engine.runKernel = function (this: Recorded, name, ...rest) {
    names.push(name);
    return run.call(this, name, ...rest);
  };
  try {
    tf.tidy(() => {
      pass();
    });
  } finally {
    if (own) Object.defineProperty(engine, 'runKernel', own);
    else Reflect.deleteProperty(engine, 'runKernel');
  }
  return names;
}

/** Runs `work` with a `Math.random` that gives these numbers: TensorFlow.js seeds dropout and noise with it. */
export function withRandom<T>(random: () => number, work: () => T): T {
  const own = Math.random;
  Math.random = random;
  try {
    return work();
  } finally {
    Math.random = own;
  }
}

/** The first samples of a batch; all of them where the model takes batches of one size only. */
function few(model: tf.LayersModel, x: tf.Tensor | tf.Tensor[]): tf.Tensor[] {
  const fixed = model.inputs.some((input) => input.shape[0] !== null);
  return [x].flat().map((t) => {
    const rows = fixed ? t.shape[0] : Math.min(t.shape[0], 2);
    return tf.slice(t, 0, rows);
  });
}

/**
 * What training does with a model, seen from two passes over the first samples of `x` rather than from the names of its
 * layers, so that layers of the user's own are known too. Weights and moving statistics are left as they are.
 */
export function trainingForm(model: tf.LayersModel, x: tf.Tensor | tf.Tensor[]): TrainingForm {
  const variables = model.weights.map((weight) => weight.read() as tf.Variable);
  const before = variables.map((variable) => tf.clone(variable));
  const samples = few(model, x);
  const random = new Random('training form');
  let draws = 0;
  const draw = (): number => {
    draws++;
    return random.uniform();
  };
  const pass = (training: boolean) =>
    operationsOf(() =>
      withRandom(draw, () => model.apply(samples.length > 1 ? samples : samples[0], { training })),
    );
  const inference = pass(false);
  draws = 0;
  const inTraining = pass(true);
  for (const [i, variable] of variables.entries()) variable.assign(before[i]);
  tf.dispose([before, samples]);
  const named = (holds: (layer: tf.layers.Layer) => boolean): string[] =>
    model.layers.filter(holds).map((layer) => layer.name);
  return {
    differs: draws > 0 || inference.join() !== inTraining.join(),
    random: draws > 0,
    penalised: named(isPenalised),
    unpenalised: named((layer) => !isPenalised(layer) && hasRegulariser(layer.getConfig())),
    constrained: named((layer) =>
      layer.weights.some((weight) => (weight as unknown as { constraint: unknown }).constraint != null),
    ),
  };
}

const isPenalised = (layer: tf.layers.Layer): boolean => tf.tidy(() => penaltiesOf(layer).length > 0);

/** Whether a layer's configuration, or that of a layer inside of it, names a regulariser. */
const hasRegulariser = (config: object): boolean =>
  Object.entries(config).some(
    ([name, value]) =>
      typeof value === 'object' && value !== null && (name.endsWith('Regularizer') || hasRegulariser(value)),
  );

/** What of a model's training is left out, said before the first step. */
export const notesOn = ({ constrained, unpenalised }: TrainingForm): string[] => [
  ...(constrained.length > 0
    ? [
        `Constraints on the weights of ${constrained.join(', ')} are not applied: TensorFlow.js’s own training does not apply them either.`,
      ]
    : []),
  ...(unpenalised.length > 0
    ? [
        `Regularisers of ${unpenalised.join(', ')} are not applied: TensorFlow.js’s own training does not apply them either.`,
      ]
    : []),
];
