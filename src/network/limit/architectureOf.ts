import { InputError } from '../../core/errors.js';
import { type Architecture, type Layer, requireClosedForm } from '../../core/kernels/architecture.js';
import type * as tf from '../tf.js';
import { formsOf, labelOf, refuse } from './layerForms.js';

interface Reading {
  readonly rates: Readonly<Record<string, number>>;
  /** Place in the order of the model's layers, which is topological. */
  readonly place: ReadonlyMap<tf.layers.Layer, number>;
  /** The layer of this model that a layer is or, inside nested models, belongs to. */
  readonly owner: ReadonlyMap<tf.layers.Layer, tf.layers.Layer>;
}

type Nested = tf.layers.Layer & { readonly layers: tf.layers.Layer[] };
const isModel = (layer: tf.layers.Layer): layer is Nested => Array.isArray((layer as Partial<Nested>).layers);

const inside = (layer: tf.layers.Layer): tf.layers.Layer[] =>
  isModel(layer) ? [layer, ...layer.layers.flatMap(inside)] : [layer];

/** Layers of this model whose outputs the layer takes; none for the first. */
function parentsOf(layer: tf.layers.Layer, reading: Reading): tf.layers.Layer[] {
  const calls = new Map<string, tf.layers.Layer[]>();
  for (const node of layer.inboundNodes) {
    const parents = node.inboundLayers.map((p) => reading.owner.get(p));
    const known = parents.filter((p): p is tf.layers.Layer => p !== undefined);
    // A call of the model from another one adds nodes between the same layers, and one from outside.
    if (known.length === parents.length) calls.set(known.map((p) => p.name).join('\n'), known);
  }
  if (calls.size > 1)
    refuse(
      layer,
      'is used more than once, with its weights shared; an infinite-width kernel needs fresh weights.',
    );
  return [...calls.values()][0] ?? [];
}

/** The layer and everything before it. */
function ancestors(layer: tf.layers.Layer, reading: Reading): Set<tf.layers.Layer> {
  const found = new Set<tf.layers.Layer>();
  const queue = [layer];
  for (let next = queue.pop(); next; next = queue.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    queue.push(...parentsOf(next, reading));
  }
  return found;
}

/** The last layer that all of `ends` come from. */
function forkOf(join: tf.layers.Layer, ends: readonly tf.layers.Layer[], reading: Reading): tf.layers.Layer {
  const [first, ...others] = ends.map((end) => ancestors(end, reading));
  let fork: tf.layers.Layer | undefined;
  for (const layer of first) {
    if (!others.every((set) => set.has(layer))) continue;
    if (!fork || (reading.place.get(layer) ?? -1) > (reading.place.get(fork) ?? -1)) fork = layer;
  }
  return (
    fork ?? refuse(join, 'adds signals of different inputs; an infinite-width kernel is read for one input.')
  );
}

function sum(join: tf.layers.Layer, branches: readonly (readonly Layer[])[]): readonly Layer[] {
  const [first, ...others] = branches;
  return others.reduce(
    (before, branch) => [{ type: 'residual' as const, label: labelOf(join), branch, shortcut: before }],
    first,
  );
}

/** What happens between the output of `from` (null: the model's input) and that of `to`. */
function between(from: tf.layers.Layer | null, to: tf.layers.Layer, reading: Reading): Layer[] {
  const pieces: (readonly Layer[])[] = [];
  let at: tf.layers.Layer | undefined = to;
  while (at && at !== from) {
    const parents = parentsOf(at, reading);
    if (parents.length > 1) {
      if (at.getClassName() !== 'Add')
        refuse(at, 'joins several signals; of such layers only add has a closed form.');
      const join: tf.layers.Layer = at;
      const fork = forkOf(join, parents, reading);
      const branches = parents.map((end) => between(fork, end, reading));
      pieces.push(sum(join, branches));
      at = fork;
    } else {
      pieces.push(isModel(at) ? layersOf(at, reading.rates) : formsOf(at, reading.rates[at.name] ?? 1));
      at = parents[0];
    }
  }
  if (at !== (from ?? undefined))
    refuse(
      to,
      'is reached by paths that cross; nest the residual blocks one in another or one after another.',
    );
  return pieces.reverse().flat();
}

function layersOf(model: { readonly layers: tf.layers.Layer[] }, rates: Reading['rates']): Layer[] {
  const reading: Reading = {
    rates,
    place: new Map(model.layers.map((layer, at) => [layer, at])),
    owner: new Map(model.layers.flatMap((layer) => inside(layer).map((inner) => [inner, layer] as const))),
  };
  const last = model.layers[model.layers.length - 1];
  return between(null, last, reading);
}

/**
 * The architecture of a model for `limitKernel`: the model as it is started, every width to infinity. With it
 * `limitKernel(…, {kind: 'ntk'})` is the limit of `empiricalKernel` (mean over outputs, trained weights only) at its own
 * scale: each product keeps its fan-in, constant factors and step factors (`rates`, by layer name), so the tangent
 * kernel of plain layers grows with the width, as theirs does (standard parameterisation: W of variance
 * scale / fan-in, sigmaW^2 its product with the fan-in; a zero bias is sigmaB 0 and still learns). Weights enter by their
 * variance, which the initialisers state; weights loaded or trained since are not looked at.
 *
 * Throws InputError with a sentence that names the layer that has no closed form.
 */
export function architectureOf(
  model: tf.LayersModel,
  rates: Readonly<Record<string, number>> = {},
): Architecture {
  if (model.inputs.length !== 1 || model.outputs.length !== 1)
    throw new InputError(
      `The model has ${model.inputs.length} inputs and ${model.outputs.length} outputs; an infinite-width kernel is read for one of each.`,
      { field: 'model' },
    );
  const layers = layersOf(model, rates);
  const last = layers.at(-1);
  if (last?.type !== 'dense')
    throw new InputError(
      `The model ends with ${last?.label ?? 'its input'}, after the last dense product; an infinite-width kernel needs a linear output, so leave the activation of the output to the loss.`,
      { field: 'model' },
    );
  requireClosedForm(layers);
  return { parameterization: 'standard', layers };
}
