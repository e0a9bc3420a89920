import { InputError } from '../../core/errors.js';
import type { ExperimentDefinition } from '../../experiment/index.js';
import type { Dataset } from '../../network/data/index.js';
import * as tf from '../../network/tf.js';
import { type Sentence, sentence } from '../../protocol/sentence.js';
import type { InspectionProblem } from '../../protocol/trainerWire.js';

/** Least and largest value of an activation's outputs, of those that have one. */
const ranges: Readonly<Record<string, readonly [number, number]>> = {
  softmax: [0, 1],
  sigmoid: [0, 1],
  hardSigmoid: [0, 1],
  tanh: [-1, 1],
  softsign: [-1, 1],
  relu: [0, Number.POSITIVE_INFINITY],
  relu6: [0, 6],
  softplus: [0, Number.POSITIVE_INFINITY],
};

/** Name of the activation that a model ends in, as TensorFlow.js calls it; 'linear' for none. */
export function lastActivation(model: tf.LayersModel): string {
  const layer = (model.outputs[0] as unknown as { sourceLayer?: tf.layers.Layer }).sourceLayer;
  if (!layer) return 'linear';
  if (layer instanceof tf.LayersModel) return lastActivation(layer);
  const className = layer.getClassName();
  if (className === 'Softmax') return 'softmax';
  if (className === 'ReLU') return 'relu';
  const stated = layer.getConfig()['activation'];
  const name = typeof stated === 'string' ? stated : 'linear';
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

export interface OutputFacts {
  readonly definition: ExperimentDefinition;
  readonly model: tf.LayersModel;
  /** Training targets, any shape. */
  readonly targets: ArrayLike<number>;
}

/** A last activation that the loss does not expect: applied twice, or out of reach of the targets. */
export function outputProblems({ definition, model, targets }: OutputFacts): InspectionProblem[] {
  const { loss } = definition;
  const activation = lastActivation(model);
  const range = ranges[activation];
  if (!range) return [];
  const problem = (about: { code: string; message: Sentence }): InspectionProblem => ({
    ...about,
    severity: 'warning',
    field: 'loss',
    ...(loss === 'crossEntropy'
      ? { fix: { title: sentence('Use squared loss ({0})', "'mse'"), value: "'mse'" } }
      : {}),
  });
  if (loss === 'crossEntropy')
    return [
      activation === 'softmax'
        ? problem({
            code: 'double-softmax',
            message: sentence(
              'The network ends in softmax, but cross-entropy takes logits and applies softmax itself: it is applied twice, and training is slow and ends early. Take the activation out of the last layer.',
            ),
          })
        : problem({
            code: 'bounded-logits',
            message: sentence(
              'The network ends in {0}, but cross-entropy takes logits, numbers without bounds: the outputs cannot tell classes apart well. Take the activation out of the last layer.',
              activation,
            ),
          }),
    ];
  let outside = 0;
  for (let i = 0; i < targets.length; i++) if (targets[i] < range[0] || targets[i] > range[1]) outside++;
  if (outside === 0) return [];
  return [
    problem({
      code: 'targets-out-of-reach',
      message: sentence(
        'The network ends in {0}, which gives numbers from {1} to {2}, but {3} % of the training targets lie outside: the loss cannot reach zero. Take the activation out of the last layer, or scale the targets.',
        activation,
        range[0],
        Number.isFinite(range[1]) ? range[1] : '∞',
        Math.max(1, Math.round((100 * outside) / targets.length)),
      ),
    }),
  ];
}

/** Cross-entropy needs a choice between outputs. Throws an InputError for data of one output. */
export function requireClasses(data: Dataset, definition: ExperimentDefinition, file: string): void {
  if (definition.loss !== 'crossEntropy' || data.outputs > 1) return;
  throw new InputError(
    `${file}: loss is 'crossEntropy', but ${data.name} has one output, and one output has no classes. Set loss to 'mse', or take data with classes.`,
    { file, field: 'loss' },
  );
}
