import { InputError } from '../../core/errors.js';
import { Random } from '../../core/random.js';
import { classify, type LabelledSource } from './classified.js';
import type { DataContext, Dataset, Split } from './dataset.js';
import type { Targets } from './targets.js';

/** Inputs [size, ...inputShape] and their targets, as they were read. */
export interface Part {
  readonly size: number;
  readonly x: Float64Array;
  readonly y: Targets;
}

/** What was read, before samples are chosen. `test` is a test set of its own. */
export interface Samples {
  readonly name: string;
  readonly inputShape: readonly number[];
  readonly train: Part;
  readonly test?: Part;
  readonly notes: readonly string[];
}

export interface SplitChoice {
  readonly train?: number;
  readonly test?: number;
  readonly seed?: number;
}

/**
 * Chooses training and test samples: balanced over classes for labels (two thirds train), at random for numbers (four
 * fifths train); a test set that was given is kept to. Throws an InputError when more are asked for than there are.
 */
export function split(samples: Samples, choice: SplitChoice, context: DataContext): Dataset {
  const { train, test, inputShape, name, notes } = samples;
  const said = notes.length > 0 ? { notes } : {};
  if (train.y.kind === 'classes') {
    const data = classify(
      sourceOf(name, train),
      test ? sourceOf(name, test) : null,
      choice,
      inputShape,
      context,
    );
    return { ...data, ...said };
  }
  const { outputs } = train.y;
  const random = new Random(choice.seed ?? context.seed).fork(`data/${name}`);
  const order = random.permutation(train.size);
  const trainSize = choice.train ?? (test ? train.size : Math.max(1, Math.floor(train.size * 0.8)));
  const testSize = choice.test ?? (test ? test.size : train.size - trainSize);
  const left = test ? test.size : train.size - trainSize;
  if (trainSize > train.size || testSize > left)
    throw new InputError(
      `data.train and data.test ask for ${trainSize} + ${testSize} samples, but ${name} holds ${train.size}${test ? ` + ${test.size}` : ''}.`,
      { field: trainSize > train.size ? 'data.train' : 'data.test' },
    );
  const testOrder = test ? random.fork('test').permutation(test.size) : order.subarray(trainSize);
  return {
    name,
    inputShape,
    outputs,
    classes: null,
    train: taken(train, order.subarray(0, trainSize)),
    test: taken(test ?? train, testOrder.subarray(0, testSize)),
    ...said,
  };
}

function sourceOf(name: string, part: Part): LabelledSource {
  const inputSize = part.size === 0 ? 0 : part.x.length / part.size;
  const y = part.y as Extract<Targets, { kind: 'classes' }>;
  return {
    name,
    size: part.size,
    labels: y.labels,
    classes: y.classes,
    oneHot: y.oneHot,
    inputSize,
    row: (i, out, at) => out.set(part.x.subarray(i * inputSize, (i + 1) * inputSize), at),
  };
}

function taken(part: Part, rows: ArrayLike<number>): Split {
  const { values, outputs } = part.y as Extract<Targets, { kind: 'values' }>;
  const inputSize = part.x.length / Math.max(1, part.size);
  const x = new Float32Array(rows.length * inputSize);
  const y = new Float32Array(rows.length * outputs);
  for (let k = 0; k < rows.length; k++) {
    const i = rows[k];
    x.set(part.x.subarray(i * inputSize, (i + 1) * inputSize), k * inputSize);
    y.set(values.subarray(i * outputs, (i + 1) * outputs), k * outputs);
  }
  return { size: rows.length, x, y, labels: null };
}
