import path from 'node:path';
import { InputError } from '../../core/errors.js';
import { listed } from '../../core/listed.js';
import { say } from '../../core/say.js';
import * as tf from '../tf.js';
import { fromArrays, type NumberArray } from './arrays.js';
import type { DataContext, Dataset } from './dataset.js';
import type { ArrayInput, DataFunction } from './spec.js';

type Fields = Readonly<Record<string, unknown>>;

/** Most samples that are taken from a `tf.data` dataset, which may never end. */
const mostSamples = 1_000_000;

/**
 * Data of a function `(tf) => ({ x, y, xTest, yTest })`: nested lists, typed arrays, tensors, a `tf.data` dataset of
 * { xs, ys }, or a promise of these. Throws an InputError that names the field.
 */
export async function loadGiven(load: DataFunction, context: DataContext, file: string): Promise<Dataset> {
  const notes: string[] = [];
  const given = await (load as (t: typeof tf) => unknown)(tf);
  const fields = await fieldsOf(given, file, notes);
  const array = (name: string): NumberArray | undefined =>
    fields[name] === undefined || fields[name] === null
      ? undefined
      : numbersOf(fields[name] as ArrayInput, name, file, notes);
  const [x, y, xTest, yTest] = ['x', 'y', 'xTest', 'yTest'].map(array);
  if (!x || !y) throw wrongResult(file, say`an object without ${x ? 'y' : 'x'}`);
  if (!xTest !== !yTest)
    throw new InputError(
      `${file}: data gives one of xTest and yTest, but not the other. A test set needs both.`,
      { file, field: 'data' },
    );
  const choice = {
    task: oneOf(fields, 'task', ['regression', 'classification'] as const, file),
    missing: oneOf(fields, 'missing', ['drop', 'mean'] as const, file),
    train: countOf(fields, 'train', file),
    test: countOf(fields, 'test', file),
  };
  const test = xTest && yTest ? { test: { x: wide(xTest, yTest), y: yTest } } : {};
  return fromArrays({ name: path.basename(file), file, x: wide(x, y), y, ...test, notes }, choice, context);
}

const wrongResult = (file: string, what: string): InputError =>
  new InputError(
    `${file}: the data function returned ${what}. It must return { x, y }, with xTest and yTest for a test set, as lists, typed arrays or tensors, or a tf.data dataset of { xs, ys }.`,
    { file, field: 'data' },
  );

async function fieldsOf(given: unknown, file: string, notes: string[]): Promise<Fields> {
  if (typeof given !== 'object' || given === null)
    throw wrongResult(file, given === undefined ? say`nothing` : String(given));
  if (isDataset(given)) return fromDataset(given, file, notes);
  if (Array.isArray(given)) {
    if (given.length !== 2 && given.length !== 4) throw wrongResult(file, say`a list of ${given.length}`);
    return { x: given[0], y: given[1], xTest: given[2], yTest: given[3] };
  }
  const fields = given as Record<string, unknown>;
  if (isDataset(fields['train'])) {
    const train = await fromDataset(fields['train'], file, notes);
    const test = isDataset(fields['test']) ? await fromDataset(fields['test'], file, notes) : {};
    return { ...train, xTest: (test as Fields)['x'], yTest: (test as Fields)['y'], task: fields['task'] };
  }
  return {
    ...fields,
    x: fields['x'] ?? fields['xs'] ?? fields['inputs'],
    y: fields['y'] ?? fields['ys'] ?? fields['labels'] ?? fields['targets'],
    xTest: fields['xTest'] ?? fields['testXs'],
    yTest: fields['yTest'] ?? fields['testYs'],
  };
}

interface AnyDataset {
  readonly forEachAsync: (f: (element: unknown) => void) => Promise<void>;
  readonly take?: (count: number) => AnyDataset;
}

const isDataset = (value: unknown): value is AnyDataset =>
  typeof (value as AnyDataset | null)?.forEachAsync === 'function';

/** Gathers a dataset's elements; batches (one more axis than the first element's inputs tell) are put behind each other. */
async function fromDataset(dataset: AnyDataset, file: string, notes: string[]): Promise<Fields> {
  const elements: { xs: NumberArray; ys: NumberArray; batched: boolean }[] = [];
  let samples = 0;
  await (dataset.take?.(mostSamples) ?? dataset).forEachAsync((element) => {
    const pair = (Array.isArray(element) ? { xs: element[0], ys: element[1] } : element) as Fields;
    if (pair?.['xs'] === undefined || pair['ys'] === undefined)
      throw wrongResult(file, say`a dataset whose elements are no { xs, ys }`);
    const batched = isTensor(pair['xs']) && isTensor(pair['ys']);
    const [xs, ys] = [one(pair['xs'], 'xs', file), one(pair['ys'], 'ys', file)];
    tf.dispose([pair['xs'], pair['ys']] as tf.Tensor[]);
    elements.push({ xs, ys, batched });
    samples += batched ? (xs.shape[0] ?? 1) : 1;
  });
  if (elements.length === 0) throw wrongResult(file, say`a dataset without elements`);
  const rows = (key: 'xs' | 'ys') => {
    const first = elements[0][key];
    // Elements of one sample have one axis less than batches; a batch's size may be smaller at the end.
    const together = elements[0].batched && agree(elements.map((e) => [e.xs, e.ys]));
    const sample = together ? first.shape.slice(1) : first.shape;
    const values = elements.flatMap((e) => Array.from(e[key].values));
    const width = sample.reduce((a, b) => a * b, 1);
    return {
      called: key === 'xs' ? 'x' : 'y',
      shape: [values.length / width, ...sample],
      values: Float64Array.from(values),
      whole: elements.every((e) => e[key].whole),
    };
  };
  if (samples >= mostSamples)
    notes.push(say`The dataset goes on; its first ${mostSamples} samples are taken.`);
  return { x: rows('xs'), y: rows('ys') };
}

/**
 * Whether inputs and targets of every element have the same first axis: then they are batches. Two vectors of one length
 * are one sample, as inputs most often are.
 */
const agree = (pairs: readonly (readonly [NumberArray, NumberArray])[]): boolean =>
  pairs.every(
    ([x, y]) =>
      x.shape.length > 0 &&
      y.shape.length > 0 &&
      x.shape[0] === y.shape[0] &&
      x.shape.length + y.shape.length > 2,
  );

function one(value: unknown, name: string, file: string): NumberArray {
  if (typeof value === 'number' || typeof value === 'boolean')
    return {
      called: name,
      shape: [],
      values: Float64Array.of(Number(value)),
      whole: Number.isInteger(value),
    };
  const fields = value as Fields;
  if (!isTensor(value) && !Array.isArray(value) && !ArrayBuffer.isView(value)) {
    const inner = Object.values(fields ?? {});
    if (inner.length === 1) return one(inner[0], name, file);
    // Columns of tf.data.csv: one number each.
    if (inner.every((v) => typeof v === 'number'))
      return {
        called: name,
        shape: [inner.length],
        values: Float64Array.from(inner as number[]),
        whole: false,
      };
    throw wrongResult(file, say`a dataset with several ${name}, but models with one input are trained`);
  }
  return numbersOf(value as ArrayInput, name, file, []);
}

const isTensor = (value: unknown): value is tf.Tensor =>
  typeof (value as tf.Tensor | null)?.dataSync === 'function' && Array.isArray((value as tf.Tensor).shape);

function numbersOf(value: ArrayInput, name: string, file: string, notes: string[]): NumberArray {
  if ('values' in (value as object) && 'whole' in (value as object)) return value as unknown as NumberArray;
  if (isTensor(value)) {
    if (value.dtype === 'string')
      return labelled(value.dataSync() as unknown as string[], value.shape, name, notes);
    if (value.dtype === 'complex64')
      throw new InputError(`${file}: ${name} is a complex tensor; take its real part (tf.real).`, {
        file,
        field: 'data',
      });
    const values = Float64Array.from(value.dataSync() as Float32Array);
    return { called: name, shape: value.shape, values, whole: value.dtype !== 'float32' };
  }
  if (typeof (value as { length?: unknown }).length !== 'number')
    throw new InputError(
      `${file}: ${name} is no list of numbers. Give nested lists, a typed array or a tensor.`,
      { file, field: 'data' },
    );
  const list = value as ArrayLike<unknown>;
  const shape: number[] = [];
  for (let inner: unknown = list; isList(inner); inner = inner[0]) shape.push(inner.length);
  const flat: unknown[] = [];
  gather(list, shape, [], flat, { name, file });
  if (flat.length > 0 && flat.every((v) => typeof v === 'string'))
    return labelled(flat as string[], shape, name, notes);
  const odd = flat.findIndex((v) => typeof v !== 'number' && typeof v !== 'boolean' && typeof v !== 'bigint');
  if (odd >= 0)
    throw new InputError(
      `${file}: ${name} holds ${kindOf(flat[odd])} at place ${odd} of ${flat.length}; it must hold numbers.`,
      { file, field: 'data' },
    );
  const typed = /^(?:Big)?(?:Ui|I)nt/.test(list.constructor?.name ?? '');
  const values = Float64Array.from(flat as number[], Number);
  return typed
    ? { called: name, shape, values, whole: true }
    : { called: name, shape, values, whole: values.every(Number.isInteger), untyped: true };
}

const isList = (value: unknown): value is ArrayLike<unknown> =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));

function gather(
  list: ArrayLike<unknown>,
  shape: readonly number[],
  at: readonly number[],
  out: unknown[],
  facts: { readonly name: string; readonly file: string },
): void {
  if (list.length !== shape[at.length])
    throw new InputError(
      `${facts.file}: ${facts.name}[${at.join('][')}] has ${list.length} entries, but the first one beside it has ${shape[at.length]}. Rows must be equally long.`,
      { file: facts.file, field: 'data' },
    );
  for (let i = 0; i < list.length; i++) {
    const inner = list[i];
    if (isList(inner) && at.length + 1 < shape.length) gather(inner, shape, [...at, i], out, facts);
    else if (at.length + 1 === shape.length) out.push(inner);
    else
      throw new InputError(
        `${facts.file}: ${facts.name}[${[...at, i].join('][')}] is no list, but the first one beside it is. Rows must be equally deep.`,
        { file: facts.file, field: 'data' },
      );
  }
}

const kindOf = (value: unknown): string => (value === null ? 'null' : typeof value);

/** Texts as labels, in the order of the alphabet. */
function labelled(
  texts: readonly string[],
  shape: readonly number[],
  name: string,
  notes: string[],
): NumberArray {
  const levels = [...new Set(texts)].sort();
  notes.push(say`${name} holds texts, taken for ${levels.length} labels (${listed(levels)}).`);
  return { called: name, shape, values: Float64Array.from(texts, (t) => levels.indexOf(t)), whole: true };
}

/** A flat list of inputs whose length is a multiple of the number of targets has one row a target. */
function wide(x: NumberArray, y: NumberArray): NumberArray {
  const n = y.shape[0];
  if (x.shape.length !== 1 || x.shape[0] === n || n === 0 || x.shape[0] % n !== 0) return x;
  return { ...x, shape: [n, x.shape[0] / n] };
}

function oneOf<T extends string>(
  fields: Fields,
  name: string,
  allowed: readonly T[],
  file: string,
): T | undefined {
  const value = fields[name];
  if (value === undefined || allowed.includes(value as T)) return value as T | undefined;
  throw new InputError(
    `${file}: data gives ${name} "${String(value)}"; it must be one of ${allowed.join(', ')}.`,
    {
      file,
      field: 'data',
    },
  );
}

function countOf(fields: Fields, name: string, file: string): number | undefined {
  const value = fields[name];
  if (value === undefined || (Number.isInteger(value) && (value as number) > 0))
    return value as number | undefined;
  throw new InputError(
    `${file}: data gives ${name} ${typeof value === 'object' ? say`an object` : String(value)}; it must be a number of samples. Give a test set as xTest and yTest.`,
    { file, field: 'data' },
  );
}
