import { say } from '../../core/say.js';
import type { ExperimentDefinition } from '../../experiment/index.js';
import type * as tf from '../../network/tf.js';

interface Compiled {
  readonly optimizer?: { getClassName(): string; readonly learningRate?: number };
  readonly loss?: unknown;
  readonly metrics?: unknown;
}

const rules: Readonly<Record<ExperimentDefinition['optimizer']['kind'], string>> = {
  sgd: 'gradient descent',
  momentum: 'momentum',
  adam: 'Adam',
};

/**
 * What a model was compiled with beside what the experiment uses in its place, as a sentence; null for a model that is not
 * compiled. A run follows the definition alone: the same file trains the same way whoever compiled its model.
 */
export function compiledNote(model: tf.LayersModel, definition: ExperimentDefinition): string | null {
  const { optimizer, loss, metrics } = model as unknown as Compiled;
  if (!optimizer) return null;
  const { learningRate } = optimizer;
  const rate = learningRate === undefined ? '' : ` (${Number(learningRate.toPrecision(6))})`;
  const compiled = `${nameOf(loss)}, ${optimizer.getClassName()}${rate}`;
  const { kind, learningRate: ours } = definition.optimizer;
  const step =
    ours === 'auto' ? (kind === 'adam' ? '0.001' : say`a step chosen from the kernel`) : String(ours);
  const lossName = definition.loss === 'mse' ? say`squared loss` : say`cross-entropy of logits`;
  const others = [metrics ?? []]
    .flat()
    .map(nameOf)
    .filter((name) => !/^acc(?:uracy)?$/i.test(name));
  const left = others.length > 0 ? say` Its metrics ${others.join(', ')} are not measured.` : '';
  return say`The model was compiled with ${compiled}; used in their place are ${lossName} and ${rules[kind]} (${step}), as the experiment says (--set loss=…, --set optimizer.kind=…, --set optimizer.learningRate=…).${left}`;
}

const nameOf = (value: unknown): string => {
  if (typeof value === 'function') return value.name || say`a function`;
  if (typeof value === 'object' && value !== null) return Object.values(value).map(nameOf).join(', ');
  return String(value);
};
