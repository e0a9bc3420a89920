import { InputError } from '../../core/errors.js';
import { say } from '../../core/say.js';
import type { DataContext, Dataset } from './dataset.js';
import { fillWithMeans, keptRows, type MissingChoice, rowsWithGaps } from './missing.js';
import { type Part, type SplitChoice, split } from './split.js';
import { settleTargets, type Targets } from './targets.js';

/** Numbers of one array, row-major, with what messages call it. */
export interface NumberArray {
  readonly called: string;
  readonly shape: readonly number[];
  readonly values: Float64Array;
  /** Of a whole type (or booleans): as targets they are labels. */
  readonly whole: boolean;
  /** Has no type (a list of numbers): whole ones are numbers under squared loss. */
  readonly untyped?: boolean;
}

export interface GivenArrays {
  readonly name: string;
  /** File that messages name. */
  readonly file: string;
  readonly x: NumberArray;
  readonly y: NumberArray;
  readonly test?: { readonly x: NumberArray; readonly y: NumberArray };
  readonly notes: string[];
}

export interface ArrayChoice extends SplitChoice {
  readonly task?: 'regression' | 'classification';
  readonly missing?: MissingChoice;
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Data from arrays x [n, ...], y [n], [n, 1] or [n, k], with or without a test set. Throws InputErrors that name the array. */
export function fromArrays(given: GivenArrays, choice: ArrayChoice, context: DataContext): Dataset {
  const { file, notes } = given;
  const train = cleaned(pair(given.x, given.y, file), choice.missing, given);
  const test = given.test && cleaned(pair(given.test.x, given.test.y, file), choice.missing, given);
  const inputShape = train.x.shape.slice(1);
  if (test) {
    for (const key of ['x', 'y'] as const) {
      const [a, b] = [train[key].shape.slice(1), test[key].shape.slice(1)];
      if (a.length !== b.length || a.some((n, i) => n !== b[i]))
        throw new InputError(
          `${file}: ${train[key].called} holds samples of shape [${a.join(', ')}], but ${test[key].called} of [${b.join(', ')}]. They must agree.`,
          { file, field: 'data' },
        );
    }
  }
  if (train.x.shape.length === 1) inputShape.push(1);
  const width = sizeOf(train.y.shape.slice(1));
  const n = train.y.shape[0];
  const together = new Float64Array((test ? test.y.values.length : 0) + train.y.values.length);
  together.set(train.y.values);
  if (test) together.set(test.y.values, train.y.values.length);
  const whole = train.y.whole && (test?.y.whole ?? true);
  const called = test ? say`${train.y.called} and ${test.y.called}` : train.y.called;
  const y = settleTargets(
    together,
    width,
    {
      task: choice.task,
      loss: context.loss,
      what: called,
      file,
      whole,
      wholeAreClasses: whole && !train.y.untyped,
      place: (i) => (i < n ? say`row ${i}` : say`row ${i - n} of the test set`),
    },
    notes,
  );
  return split(
    {
      name: given.name,
      inputShape,
      train: part(train.x, y, 0, n),
      ...(test ? { test: part(test.x, y, n, test.y.shape[0]) } : {}),
      notes,
    },
    choice,
    context,
  );
}

interface Pair {
  readonly x: NumberArray;
  readonly y: NumberArray;
}

function pair(x: NumberArray, y: NumberArray, file: string): Pair {
  for (const array of [x, y])
    if (array.shape.length === 0 || array.shape[0] === 0)
      throw new InputError(
        `${file}: ${array.called} has the shape [${array.shape.join(', ')}] and holds no samples. Its first axis counts samples.`,
        { file, field: 'data' },
      );
  if (x.shape[0] !== y.shape[0])
    throw new InputError(
      `${file}: ${x.called} has ${x.shape[0]} samples, but ${y.called} has ${y.shape[0]}. Their first axes must agree.`,
      { file, field: 'data' },
    );
  return { x, y };
}

/** Every number must be finite in float32 too; NaN may be a missing value where `missing` says so. */
function cleaned({ x, y }: Pair, missing: MissingChoice | undefined, given: GivenArrays): Pair {
  const { file, notes } = given;
  const n = x.shape[0];
  requireFinite(y, missing !== undefined, file);
  requireFinite(x, missing !== undefined, file);
  if (missing === undefined) return { x, y };
  const [xWidth, yWidth] = [x.values.length / n, y.values.length / n];
  const noTarget = rowsWithGaps(y.values, n, yWidth);
  const gaps = rowsWithGaps(x.values, n, xWidth);
  const keep: number[] = [];
  for (let i = 0; i < n; i++) if (!noTarget[i] && (missing === 'mean' || !gaps[i])) keep.push(i);
  if (keep.length === 0)
    throw new InputError(
      `${file}: every row of ${x.called} or ${y.called} holds NaN, so no sample is left.`,
      {
        file,
        field: 'data.missing',
      },
    );
  if (keep.length < n)
    notes.push(
      say`${n - keep.length} of ${n} rows of ${x.called} and ${y.called} hold NaN and are left out.`,
    );
  const kept = {
    x: { ...x, shape: [keep.length, ...x.shape.slice(1)], values: keptRows(x.values, xWidth, keep) },
    y: { ...y, shape: [keep.length, ...y.shape.slice(1)], values: keptRows(y.values, yWidth, keep) },
  };
  const filled = missing === 'mean' ? fillWithMeans(kept.x.values, keep.length, xWidth) : 0;
  if (filled > 0)
    notes.push(say`${filled} missing values of ${x.called} are replaced by the mean of their column.`);
  return kept;
}

function requireFinite(array: NumberArray, nanAllowed: boolean, file: string): void {
  const { values, shape, called } = array;
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(Math.fround(values[i])) || (nanAllowed && Number.isNaN(values[i]))) continue;
    const index: number[] = [];
    for (let axis = shape.length - 1, rest = i; axis >= 0; axis--) {
      index.unshift(rest % shape[axis]);
      rest = Math.floor(rest / shape[axis]);
    }
    const width = values.length / shape[0];
    const value = Number.isFinite(values[i]) ? say`${values[i]}, beyond float32` : String(values[i]);
    throw new InputError(
      `${file}: ${called} is ${value} in row ${Math.floor(i / width)}, column ${i % width} (index [${index.join(', ')}], from 0). Numbers must be finite; correct them, or set data.missing to 'drop' or 'mean' where NaN stands for a missing value.`,
      { file, field: 'data' },
    );
  }
}

function part(x: NumberArray, y: Targets, from: number, size: number): Part {
  const values =
    y.kind === 'classes'
      ? { ...y, labels: Float64Array.from({ length: size }, (_, i) => y.labels[from + i]) }
      : { ...y, values: y.values.subarray(from * y.outputs, (from + size) * y.outputs) };
  return { size, x: x.values, y: values };
}
