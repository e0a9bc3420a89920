import { FailureError } from '../../core/errors.js';
import type * as tf from '../tf.js';

/** A weight that trains, and the name under which its share of the kernel is told: its layer, or its own. */
export interface Weight {
  readonly variable: tf.Variable;
  readonly group: string;
}

/** A function of a batch of samples and of the variables that it reads. */
export interface Program {
  /** Outputs [n, ...] on inputs [n, ...] each, in inference form. */
  readonly run: (inputs: readonly tf.Tensor[]) => readonly tf.Tensor[];
  readonly weights: readonly Weight[];
  /** What the structure of its trace may be remembered by. */
  readonly identity: object;
  /** What its layers are set to: another text, another structure. Null where nobody can tell, as for a function. */
  readonly settings: string | null;
}

const innerLayers = (layer: tf.layers.Layer): readonly tf.layers.Layer[] => {
  const { layers } = layer as unknown as { layers?: tf.layers.Layer[] };
  return layers ?? [];
};

/** Every layer of a model that owns weights which train, in order, those inside nested models included. */
export function trainableLayers(model: tf.LayersModel): tf.layers.Layer[] {
  const trained = new Set(model.trainableWeights);
  const found = new Set<tf.layers.Layer>();
  const visit = (layer: tf.layers.Layer) => {
    const inner = innerLayers(layer);
    if (inner.length > 0) inner.forEach(visit);
    else if (layer.weights.some((weight) => trained.has(weight))) found.add(layer);
  };
  model.layers.forEach(visit);
  return [...found];
}

/** The weights that `model.fit` would move, under the names of the layers that own them. */
export function trainableWeights(model: tf.LayersModel): readonly Weight[] {
  const owner = new Map<tf.LayerVariable, string>();
  const visit = (layer: tf.layers.Layer) => {
    const inner = innerLayers(layer);
    if (inner.length > 0) inner.forEach(visit);
    else for (const weight of layer.weights) if (!owner.has(weight)) owner.set(weight, layer.name);
  };
  model.layers.forEach(visit);
  const weights = new Map<tf.Variable, Weight>();
  for (const weight of model.trainableWeights) {
    const variable = weight.read() as tf.Variable;
    if (!weights.has(variable))
      weights.set(variable, { variable, group: owner.get(weight) ?? weight.originalName });
  }
  return [...weights.values()];
}

/** The first layer, those of nested models included, that keeps a state from one call to the next. */
function statefulLayer(model: tf.LayersModel): tf.layers.Layer | undefined {
  const visit = (layer: tf.layers.Layer): tf.layers.Layer | undefined => {
    const inner = innerLayers(layer);
    if (inner.length > 0) return inner.map(visit).find((found) => found);
    return (layer as unknown as { stateful?: boolean }).stateful ? layer : undefined;
  };
  return model.layers.map(visit).find((found) => found);
}

const numbers = new WeakMap<object, number>();
let count = 0;

/** A number that stands for an object: the same object, the same number. */
function numberOf(object: object): number {
  const known = numbers.get(object) ?? ++count;
  numbers.set(object, known);
  return known;
}

const isPlain = (value: unknown): boolean => value === null || !['object', 'function'].includes(typeof value);

/** The plain fields of every layer, what activates it and what it runs, as text. */
function settingsOf(model: tf.LayersModel): string {
  const texts: string[] = [];
  const visit = (layer: tf.layers.Layer): void => {
    for (const [name, value] of Object.entries(layer))
      if (isPlain(value) || (Array.isArray(value) && value.every(isPlain))) texts.push(`${name}=${value}`);
      else if (name === 'activation') texts.push(`${name}=${numberOf(value)}`);
    texts.push(String(numberOf(layer.call)));
    innerLayers(layer).forEach(visit);
  };
  model.layers.forEach(visit);
  return texts.join();
}

/**
 * A layers model as it predicts: several outputs stand side by side, in order. Throws a FailureError for a model that keeps
 * a state, which is not one function of its inputs.
 */
export function modelProgram(model: tf.LayersModel): Program {
  const stateful = statefulLayer(model);
  if (stateful)
    throw new FailureError(
      `Layer "${stateful.name}" keeps a state from one call to the next (stateful: true), so that the model is not one function of its inputs. Build it with stateful: false.`,
    );
  return {
    run: (inputs) => {
      const y = model.apply(inputs.length === 1 ? inputs[0] : [...inputs], { training: false }) as
        | tf.Tensor
        | tf.Tensor[];
      return Array.isArray(y) ? y : [y];
    },
    weights: trainableWeights(model),
    identity: model,
    settings: settingsOf(model),
  };
}

/** A plain function of inputs [n, ...] over variables that it reads. */
export function functionProgram(
  f: (x: tf.Tensor | tf.Tensor[]) => tf.Tensor | tf.Tensor[],
  variables: readonly tf.Variable[],
): Program {
  return {
    run: (inputs) => [f(inputs.length === 1 ? inputs[0] : [...inputs])].flat(),
    weights: variables.map((variable) => ({ variable, group: variable.name })),
    identity: f,
    settings: null,
  };
}
