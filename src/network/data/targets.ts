import { InputError } from '../../core/errors.js';
import { listed } from '../../core/listed.js';
import { say } from '../../core/say.js';
import type { LossName } from './spec.js';

/** What a network is to give for every sample. */
export type Targets =
  | {
      readonly kind: 'classes';
      /** Of each sample, one of `classes`. */
      readonly labels: ArrayLike<number>;
      /** Every label there is, in the order of the outputs. */
      readonly classes: readonly number[];
      /** Given as one-hot rows: as many outputs as classes under every loss. */
      readonly oneHot: boolean;
    }
  | { readonly kind: 'values'; readonly values: Float64Array; readonly outputs: number };

export interface TargetFacts {
  readonly task?: 'regression' | 'classification';
  readonly loss: LossName;
  /** What messages call the targets (the file's y, a column). */
  readonly what: string;
  readonly file: string;
  /** The numbers are of a whole type, or written without fractions. */
  readonly whole: boolean;
  /** Whole numbers are classes under squared loss too, as those of a whole type are. */
  readonly wholeAreClasses: boolean;
  /** Place of a sample in messages ("row 3", "line 5"). */
  readonly place: (sample: number) => string;
}

/** Distinct values above which most samples would have a class of their own. */
const fewClasses = 10;

/**
 * Settles what targets [size, width] are: numbers, or classes (labels, or one-hot rows). What is guessed goes to `notes`;
 * targets that do not fit the task or the loss are an InputError that names the sample.
 */
export function settleTargets(
  values: Float64Array,
  width: number,
  facts: TargetFacts,
  notes: string[],
): Targets {
  return width === 1 ? ofColumn(values, facts, notes) : ofRows(values, width, facts, notes);
}

const refused = (facts: TargetFacts, message: string): InputError =>
  new InputError(message, { file: facts.file, field: facts.task ? 'data.task' : 'loss' });

function ofColumn(values: Float64Array, facts: TargetFacts, notes: string[]): Targets {
  const { task, loss, what, file, whole } = facts;
  const numbers: Targets = { kind: 'values', values, outputs: 1 };
  const fraction = values.findIndex((value) => !Number.isInteger(value));
  const labels = fraction >= 0 ? [] : [...new Set(values)].sort((a, b) => a - b);
  const many = labels.length > fewClasses && 2 * labels.length > values.length;
  const shown = listed(labels);
  if (task === 'regression' || (task === undefined && loss === 'mse' && !facts.wholeAreClasses)) {
    if (loss !== 'crossEntropy') return numbers;
    throw refused(
      facts,
      `${file}: ${what} holds one number a sample, and one output has no classes, but cross-entropy needs them. Set loss to 'mse', or give labels and data.task 'classification'.`,
    );
  }
  if (fraction >= 0) {
    if (task === undefined && loss === 'mse') return numbers;
    throw refused(
      facts,
      `${file}: ${what} holds numbers (${values[fraction]} in ${facts.place(fraction)}), and one output has no classes. Labels are whole numbers; for numbers set loss to 'mse' and data.task to 'regression'.`,
    );
  }
  if (task === undefined && !whole) {
    if (loss === 'mse') return numbers;
    throw refused(
      facts,
      `${file}: ${what} holds floating-point numbers (${shown}), and one output has no classes, but cross-entropy needs them. Set data.task to 'classification' where they are ${labels.length} labels, or loss to 'mse'.`,
    );
  }
  if (task === undefined && many) {
    if (loss === 'mse') {
      notes.push(
        say`${what} holds ${labels.length} different whole numbers in ${values.length} samples and is taken as numbers (data.task: 'classification' makes classes of them).`,
      );
      return numbers;
    }
    throw refused(
      facts,
      `${file}: ${what} holds ${labels.length} different whole numbers in ${values.length} samples, which are hardly classes. Set data.task to 'classification' where they are, or loss to 'mse'.`,
    );
  }
  if (labels.length < 2 && task === undefined && loss === 'mse') return numbers;
  if (labels.length < 2)
    throw refused(
      facts,
      `${file}: ${what} holds only the label ${shown}; classification needs at least two classes.`,
    );
  if (task === undefined)
    notes.push(
      say`${what} holds the whole numbers ${shown}: ${labels.length} classes (data.task: 'regression' takes them as numbers).`,
    );
  return { kind: 'classes', labels: values, classes: labels, oneHot: false };
}

function ofRows(values: Float64Array, width: number, facts: TargetFacts, notes: string[]): Targets {
  const { task, loss, what, file } = facts;
  const size = values.length / width;
  const numbers: Targets = { kind: 'values', values, outputs: width };
  if (task === 'regression' && loss !== 'crossEntropy') return numbers;
  const labels = new Int32Array(size);
  let odd = -1;
  let shares = true;
  for (let i = 0; i < size; i++) {
    const row = values.subarray(i * width, (i + 1) * width);
    labels[i] = row.indexOf(1);
    const hot = labels[i] >= 0 && row.every((v, k) => v === (k === labels[i] ? 1 : 0));
    if (hot) continue;
    if (odd < 0) odd = i;
    const sum = row.reduce((a, b) => a + b, 0);
    if (row.some((v) => v < 0) || Math.abs(sum - 1) > 1e-3) {
      if (shares) odd = i;
      shares = false;
    }
  }
  if (odd < 0) {
    notes.push(say`${what} is one-hot: ${width} classes.`);
    return {
      kind: 'classes',
      labels,
      classes: Array.from({ length: width }, (_, k) => k),
      oneHot: true,
    };
  }
  if (loss !== 'crossEntropy' && task === undefined) return numbers;
  if (shares && task === undefined) {
    notes.push(
      say`${what} holds shares of ${width} classes (each row sums to 1), so no accuracy is measured.`,
    );
    return numbers;
  }
  const row = Array.from(values.subarray(odd * width, (odd + 1) * width)).join(', ');
  throw refused(
    facts,
    `${file}: ${what} is [${row.slice(0, 60)}] in ${facts.place(odd)}; rows of classes are one-hot, with one 1 and else 0. Give one label a sample, or set loss to 'mse' and data.task to 'regression'.`,
  );
}
