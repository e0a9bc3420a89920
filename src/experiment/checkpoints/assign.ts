import { InputError } from '../../core/errors.js';
import { listed } from '../../core/listed.js';
import * as tf from '../../network/tf.js';
import type { NamedArray } from './safetensors.js';

/** What the arrays of one layer are called, as PyTorch, Flax and Keras do, by what they are in a layers model. */
const roles: Readonly<Record<string, readonly string[]>> = {
  kernel: ['kernel', 'weight', 'w', 'weights'],
  depthwise_kernel: ['depthwise_kernel', 'kernel', 'weight'],
  pointwise_kernel: ['pointwise_kernel'],
  recurrent_kernel: ['recurrent_kernel'],
  embeddings: ['embeddings', 'embedding', 'weight'],
  bias: ['bias', 'b'],
  gamma: ['gamma', 'scale', 'weight'],
  beta: ['beta', 'bias'],
  moving_mean: ['moving_mean', 'running_mean', 'mean'],
  moving_variance: ['moving_variance', 'running_var', 'var'],
  alpha: ['alpha', 'weight'],
};

/** Arrays that are no weights. */
const ignored =
  /(?:^|[./])(?:num_batches_tracked|step|epoch|count|seed_generator_state)$|^(?:slot|twin)\.|^state$/;

/**
 * Values for `model.weights` from named arrays: numbered ones ("0", "1", ... or "arr_0", ...) are `model.getWeights()`;
 * others go by layer, groups of one name before the last "." or "/" in the order of their numbers. PyTorch's `weight` is
 * [out, in, ...] and is turned; behind a Flatten its rows are put from channels first to channels last. Throws an
 * InputError that names the array which does not fit.
 */
export function assignArrays(
  model: tf.LayersModel,
  arrays: readonly NamedArray[],
  file: string,
): Float32Array[] {
  const used = arrays.filter(({ name }) => !ignored.test(name));
  for (const { name, values } of used) {
    const bad = values.findIndex((v) => !Number.isFinite(v));
    if (bad >= 0)
      throw new InputError(`${file}: ${name} is ${values[bad]} at place ${bad}; weights must be finite.`, {
        file,
      });
  }
  const numbered = used.every(({ name }) => /^(?:arr_)?\d+$/.test(name));
  return numbered ? byNumber(model, used, file) : byLayer(model, used, file);
}

const same = (a: readonly (number | null)[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((n, i) => n === b[i]);

function byNumber(model: tf.LayersModel, arrays: readonly NamedArray[], file: string): Float32Array[] {
  const numberOf = ({ name }: NamedArray) => Number(name.replace('arr_', ''));
  const sorted = [...arrays].sort((a, b) => numberOf(a) - numberOf(b));
  if (sorted.length !== model.weights.length)
    throw new InputError(
      `${file} holds ${sorted.length} arrays, but the model has ${model.weights.length} weights (model.getWeights()).`,
      { file },
    );
  return model.weights.map((weight, i) => {
    const { name, shape, values } = sorted[i];
    if (!same(weight.shape, shape)) throw unfit(file, name, shape, weight);
    return values;
  });
}

const unfit = (file: string, name: string, shape: readonly number[], weight: tf.LayerVariable): InputError =>
  new InputError(
    `${file}: ${name} has the shape [${shape.join(', ')}], but ${weight.originalName} of the model needs [${weight.shape.join(', ')}]. Give the model of these checkpoints with --model.`,
    { file },
  );

function byLayer(model: tf.LayersModel, arrays: readonly NamedArray[], file: string): Float32Array[] {
  const groups = new Map<string, NamedArray[]>();
  for (const array of arrays) {
    const prefix = array.name.replace(/(?:^|[./])[^./]*$/, '');
    groups.set(prefix, [...(groups.get(prefix) ?? []), array]);
  }
  const order = [...groups.keys()].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const layers = leaves(model).filter((layer) => layer.weights.length > 0);
  if (order.length !== layers.length)
    throw new InputError(
      `${file} holds the weights of ${order.length} layers (${listed(order, 6)}), but the model has ${layers.length} (${listed(
        layers.map((l) => l.name),
        6,
      )}).`,
      { file },
    );
  // Layers named alike on both sides are meant; else the order tells.
  const byName = layers.every((layer) => order.some((prefix) => lastPart(prefix) === layer.name));
  const found = new Map<tf.LayerVariable, Float32Array>();
  for (const [i, layer] of layers.entries()) {
    const prefix = byName ? (order.find((p) => lastPart(p) === layer.name) as string) : order[i];
    const group = groups.get(prefix) as NamedArray[];
    const flattened = flattenedShape(model, layer);
    for (const weight of layer.weights) found.set(weight, valuesFor(weight, group, flattened, file, prefix));
  }
  return model.weights.map((weight) => found.get(weight) as Float32Array);
}

const lastPart = (name: string): string => name.split(/[./]/).pop() ?? name;

const leaves = (model: { readonly layers: tf.layers.Layer[] }): tf.layers.Layer[] =>
  model.layers.flatMap((layer) => {
    const inner = (layer as unknown as { layers?: tf.layers.Layer[] }).layers;
    return inner ? leaves({ layers: inner }) : [layer];
  });

function valuesFor(
  weight: tf.LayerVariable,
  group: readonly NamedArray[],
  flattened: readonly number[] | null,
  file: string,
  prefix: string,
): Float32Array {
  const role = lastPart(weight.originalName).replace(/_\d+$/, '');
  const names = roles[role] ?? [role];
  const array = names
    .map((name) => group.find((a) => lastPart(a.name) === name))
    .find((a) => a !== undefined);
  if (!array)
    throw new InputError(
      `${file}: ${prefix || 'the file'} has no ${names.join(' or ')} for ${weight.originalName}; it has ${group.map((a) => lastPart(a.name)).join(', ')}.`,
      { file },
    );
  const turned = lastPart(array.name) === 'weight' && role !== 'embeddings' ? fromTorch(array, role) : array;
  if (!same(weight.shape, turned.shape)) throw unfit(file, array.name, array.shape, weight);
  return turned !== array && turned.shape.length === 2 && flattened
    ? channelsLast(turned, flattened)
    : turned.values;
}

/** [out, in, ...window] as [...window, in, out]; depthwise [channels, 1, ...window] as [...window, channels, 1]. */
function fromTorch({ name, shape, values }: NamedArray, role: string): NamedArray {
  if (shape.length < 2) return { name, shape, values };
  const rank = shape.length;
  const window = Array.from({ length: rank - 2 }, (_, i) => i + 2);
  const axes = role === 'depthwise_kernel' ? [...window, 0, 1] : [...window, 1, 0];
  const out = axes.map((axis) => shape[axis]);
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const turned = new Float32Array(values.length);
  for (let at = 0; at < turned.length; at++) {
    let from = 0;
    for (let k = rank - 1, rest = at; k >= 0; k--) {
      from += (rest % out[k]) * strides[axes[k]];
      rest = Math.floor(rest / out[k]);
    }
    turned[at] = values[from];
  }
  return { name, shape: out, values: turned };
}

/** Shape [h, w, c] that a layer's inputs were flattened from, with nothing but dropout and activations between; null else. */
function flattenedShape(model: tf.LayersModel, layer: tf.layers.Layer): readonly number[] | null {
  const all = leaves(model);
  for (let i = all.indexOf(layer) - 1; i >= 0; i--) {
    const before = all[i];
    if (before.getClassName() === 'Flatten') {
      const shape = (before.input as tf.SymbolicTensor).shape.slice(1) as number[];
      return shape.length >= 2 ? shape : null;
    }
    if (!/^(?:Dropout|Activation|ReLU|LeakyReLU|GaussianNoise)$/.test(before.getClassName())) return null;
  }
  return null;
}

/** Rows of a kernel [c * h * w, units] of inputs with channels first, as those of [h * w * c] with channels last. */
function channelsLast({ shape, values }: NamedArray, flattened: readonly number[]): Float32Array {
  const [rows, units] = shape;
  const channels = flattened[flattened.length - 1];
  const places = rows / channels;
  const out = new Float32Array(values.length);
  for (let place = 0; place < places; place++)
    for (let c = 0; c < channels; c++) {
      const from = (c * places + place) * units;
      out.set(values.subarray(from, from + units), (place * channels + c) * units);
    }
  return out;
}

/** Gives a model its weights. */
export function writeWeights(model: tf.LayersModel, values: readonly Float32Array[]): void {
  for (const [i, weight] of model.weights.entries()) {
    const tensor = tf.tensor(values[i], weight.shape as number[]);
    weight.write(tensor);
    tensor.dispose();
  }
}
