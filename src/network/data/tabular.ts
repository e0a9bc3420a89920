import { readFileSync } from 'node:fs';
import path from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { InputError } from '../../core/errors.js';
import { decodeNpy, type NpyArray, toFloat64 } from '../../core/npy.js';
import { decodeNpz } from '../../core/npz.js';
import { Random } from '../../core/random.js';
import { classify } from './classified.js';
import type { DataContext, Dataset, Split } from './dataset.js';
import type { DataSpec } from './spec.js';

type CsvSpec = Extract<DataSpec, { kind: 'csv' }>;
type ArraySpec = Extract<DataSpec, { kind: 'npz' | 'npy' }>;

/** Inputs [n, ...inputShape] and targets [n, outputs] before the choice of samples. */
interface Samples {
  readonly name: string;
  readonly size: number;
  readonly inputShape: readonly number[];
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly outputs: number;
  readonly task: 'regression' | 'classification';
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new InputError(
      `${file} could not be read (${(error as NodeJS.ErrnoException).code}). data.path is relative to the model file.`,
      { file, field: 'data.path' },
    );
  }
}

/** Numeric columns of a CSV file with or without a header line; the target defaults to the last column. */
export function loadCsv(spec: CsvSpec, context: DataContext): Dataset {
  const file = path.resolve(context.folder, spec.path);
  const lines = parse(read(file), { skip_empty_lines: true, trim: true, bom: true }) as string[][];
  if (lines.length === 0) throw new InputError(`${file} holds no rows.`, { file, field: 'data.path' });
  const headed = lines[0].some((cell) => cell === '' || Number.isNaN(Number(cell)));
  const names = headed ? lines[0] : lines[0].map((_, i) => String(i));
  const rows = headed ? lines.slice(1) : lines;
  if (rows.length === 0)
    throw new InputError(`${file} holds a header line, but no rows.`, { file, field: 'data.path' });
  const targets = targetColumns(spec.target, names, file);
  const inputs = names.map((_, i) => i).filter((i) => !targets.includes(i));
  const classNames = new Map<string, number>();
  const textual = targets.length === 1 && rows.some((row) => Number.isNaN(Number(row[targets[0]])));
  const task = spec.task ?? (textual ? 'classification' : 'regression');
  const cell = (row: number, column: number): number => {
    const text = rows[row][column];
    const value = text === undefined || text === '' ? Number.NaN : Number(text);
    if (Number.isNaN(value))
      throw new InputError(
        `${file}, line ${row + 1 + (headed ? 1 : 0)}: column "${names[column]}" is "${text ?? ''}"; it must be a number. Remove the row or fill the value.`,
        { file, line: row + 1 + (headed ? 1 : 0), field: 'data.path' },
      );
    return value;
  };
  const target = (row: number, column: number): number => {
    if (task === 'regression') return cell(row, column);
    const text = rows[row][column] ?? '';
    if (!classNames.has(text)) classNames.set(text, classNames.size);
    return classNames.get(text) as number;
  };
  const n = rows.length;
  const x = new Float64Array(n * inputs.length);
  const y = new Float64Array(n * targets.length);
  for (let i = 0; i < n; i++) {
    for (const [k, column] of inputs.entries()) x[i * inputs.length + k] = cell(i, column);
    for (const [k, column] of targets.entries()) y[i * targets.length + k] = target(i, column);
  }
  if (spec.standardize ?? true) standardize(x, n, inputs.length);
  return choose(
    { name: path.basename(file), size: n, inputShape: [inputs.length], x, y, outputs: targets.length, task },
    spec,
    context,
  );
}

function targetColumns(target: CsvSpec['target'], names: readonly string[], file: string): number[] {
  const wanted = target === undefined ? [names.length - 1] : Array.isArray(target) ? target : [target];
  return wanted.map((name: string | number) => {
    const index = typeof name === 'number' ? name : names.indexOf(name);
    if (index < 0 || index >= names.length)
      throw new InputError(
        `data.target is ${JSON.stringify(name)}, but ${file} has the columns ${names.join(', ')}.`,
        { file, field: 'data.target' },
      );
    return index;
  });
}

function standardize(x: Float64Array, rows: number, cols: number): void {
  for (let j = 0; j < cols; j++) {
    let mean = 0;
    let square = 0;
    for (let i = 0; i < rows; i++) mean += x[i * cols + j] / rows;
    for (let i = 0; i < rows; i++) square += (x[i * cols + j] - mean) ** 2 / rows;
    const deviation = Math.sqrt(square) || 1;
    for (let i = 0; i < rows; i++) x[i * cols + j] = (x[i * cols + j] - mean) / deviation;
  }
}

/** Arrays x and y of an .npz (with optional xTest, yTest), or two .npy files. Integer targets are classes. */
export function loadArrays(spec: ArraySpec, context: DataContext): Dataset {
  const file = path.resolve(context.folder, spec.path);
  const { x, y } = spec.kind === 'npz' ? fromNpz(file, spec) : fromNpy(file, spec, context);
  const n = x.shape[0];
  if (y.shape[0] !== n)
    throw new InputError(
      `${file}: x has ${n} samples, but y has ${y.shape[0]}. Their first axes must agree.`,
      { file, field: 'data.path' },
    );
  const task = spec.task ?? (/^[iub]/.test(y.type) && y.shape.length === 1 ? 'classification' : 'regression');
  const outputs = y.shape.slice(1).reduce((a, b) => a * b, 1);
  return choose(
    {
      name: path.basename(file),
      size: n,
      inputShape: x.shape.slice(1),
      x: toFloat64(x),
      y: toFloat64(y),
      outputs,
      task,
    },
    spec,
    context,
  );
}

function fromNpz(file: string, spec: ArraySpec): { x: NpyArray; y: NpyArray } {
  const arrays = decodeNpz(read(file), file, inflateRawSync);
  const get = (name: string): NpyArray => {
    const array = arrays.get(name);
    if (!array)
      throw new InputError(
        `${file} has no array "${name}"; it holds ${[...arrays.keys()].join(', ')}. Set data.x and data.y.`,
        { file, field: 'data' },
      );
    return array;
  };
  return { x: get(spec.x ?? 'x'), y: get(spec.y ?? 'y') };
}

function fromNpy(file: string, spec: ArraySpec, context: DataContext): { x: NpyArray; y: NpyArray } {
  if (!spec.targetPath)
    throw new InputError('data.targetPath is missing; with kind "npy" it names the file of the targets.', {
      field: 'data.targetPath',
    });
  const targets = path.resolve(context.folder, spec.targetPath);
  return { x: decodeNpy(read(file), file), y: decodeNpy(read(targets), targets) };
}

function choose(samples: Samples, spec: CsvSpec | ArraySpec, context: DataContext): Dataset {
  const inputSize = samples.inputShape.reduce((a, b) => a * b, 1);
  if (samples.task === 'classification') {
    const source = {
      name: samples.name,
      size: samples.size,
      labels: samples.y,
      inputSize,
      row: (i: number, out: Float32Array, at: number) =>
        out.set(samples.x.subarray(i * inputSize, (i + 1) * inputSize), at),
    };
    return classify(source, null, spec, samples.inputShape, context);
  }
  const order = new Random(spec.seed ?? context.seed).fork(`data/${samples.name}`).permutation(samples.size);
  const trainSize = spec.train ?? Math.max(1, Math.floor(samples.size * 0.8));
  const testSize = spec.test ?? samples.size - trainSize;
  if (trainSize + testSize > samples.size)
    throw new InputError(
      `data.train and data.test ask for ${trainSize} + ${testSize} samples, but ${samples.name} holds ${samples.size}.`,
      { field: 'data.train' },
    );
  const part = (from: number, size: number): Split => {
    const x = new Float32Array(size * inputSize);
    const y = new Float32Array(size * samples.outputs);
    for (let k = 0; k < size; k++) {
      const i = order[from + k];
      x.set(samples.x.subarray(i * inputSize, (i + 1) * inputSize), k * inputSize);
      y.set(samples.y.subarray(i * samples.outputs, (i + 1) * samples.outputs), k * samples.outputs);
    }
    return { size, x, y, labels: null };
  };
  return {
    name: samples.name,
    inputShape: samples.inputShape,
    outputs: samples.outputs,
    classes: null,
    train: part(0, trainSize),
    test: part(trainSize, testSize),
  };
}
