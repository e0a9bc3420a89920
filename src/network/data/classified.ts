import { InputError } from '../../core/errors.js';
import { Random } from '../../core/random.js';
import { type DataContext, type Dataset, type Split, targetsOf } from './dataset.js';

/** Samples with a class each, before anything is chosen: `row(i, out, at)` writes the scaled input of sample i. */
export interface LabelledSource {
  readonly name: string;
  readonly size: number;
  readonly labels: ArrayLike<number>;
  /** Every class, in the order of the outputs, where some may have no sample; those of the labels when absent. */
  readonly classes?: readonly number[];
  /** Labels were given as one-hot rows: one output a class under every loss. */
  readonly oneHot?: boolean;
  readonly inputSize: number;
  readonly row: (index: number, out: Float32Array, at: number) => void;
}

export interface Choice {
  readonly digits?: readonly number[];
  readonly train?: number;
  readonly test?: number;
  readonly seed?: number;
  readonly shuffleLabels?: boolean;
}

/**
 * A seeded train/test choice, balanced over the classes, from one source (split without overlap) or from two. Throws
 * an InputError that names the field when more samples are asked for than there are.
 */
export function classify(
  trainSource: LabelledSource,
  testSource: LabelledSource | null,
  choice: Choice,
  inputShape: readonly number[],
  context: DataContext,
): Dataset {
  const classes = chosenClasses(trainSource, choice.digits);
  const random = new Random(choice.seed ?? context.seed).fork(`data/${trainSource.name}`);
  const pool = byClass(trainSource, classes, random.fork('train'));
  const available = pool.reduce((sum, group) => sum + group.length, 0);
  const trainSize = choice.train ?? (testSource ? available : Math.floor((available * 2) / 3));
  const trainRows = takeBalanced(pool, trainSize, 'data.train', trainSource.name);
  const testPool = testSource ? byClass(testSource, classes, random.fork('test')) : pool;
  const left = testPool.reduce((sum, group) => sum + group.length, 0);
  // All samples may train; then nothing is tested.
  const none = choice.test === undefined && left === 0;
  const testRows = none ? [] : takeBalanced(testPool, choice.test ?? left, 'data.test', trainSource.name);
  const shuffle = choice.shuffleLabels ? random.fork('labels') : null;
  const part = (
    source: LabelledSource,
    rows: readonly number[],
    shuffled: Random | null,
  ): Split & { outputs: number } => {
    const labels = Int32Array.from(rows, (i) => classes.indexOf(source.labels[i]));
    if (shuffled) {
      const order = shuffled.permutation(labels.length);
      labels.set(Int32Array.from(order, (i) => labels[i]));
    }
    const x = new Float32Array(rows.length * source.inputSize);
    for (const [k, i] of rows.entries()) source.row(i, x, k * source.inputSize);
    return {
      size: rows.length,
      x,
      labels,
      ...targetsOf(labels, classes.length, context.loss, source.oneHot),
    };
  };
  const train = part(trainSource, trainRows, shuffle);
  const test = part(testSource ?? trainSource, testRows, null);
  return { name: trainSource.name, inputShape, outputs: train.outputs, classes: classes.length, train, test };
}

function chosenClasses(source: LabelledSource, digits: readonly number[] | undefined): readonly number[] {
  const present = source.classes ?? [...new Set(Array.from(source.labels))].sort((a, b) => a - b);
  if (!digits) return present;
  const missing = digits.filter((d) => !present.includes(d));
  if (digits.length < 2 || missing.length > 0)
    throw new InputError(
      `data.digits is [${digits.join(', ')}]; it must name at least two of the classes ${present.join(', ')}.`,
      { field: 'data.digits' },
    );
  return digits;
}

/** Shuffled row numbers of each class. */
function byClass(source: LabelledSource, classes: readonly number[], random: Random): number[][] {
  const groups = classes.map(() => [] as number[]);
  for (const i of random.permutation(source.size)) {
    const c = classes.indexOf(source.labels[i]);
    if (c >= 0) groups[c].push(i);
  }
  return groups;
}

/** Takes `count` rows off the groups in turn, so that classes differ by at most one while they last. */
function takeBalanced(groups: number[][], count: number, field: string, name: string): number[] {
  const available = groups.reduce((sum, group) => sum + group.length, 0);
  if (count > available || count < 1)
    throw new InputError(
      `${field} is ${count}, but ${name} has ${available} samples of these classes left; ask for 1 to ${available}.`,
      { field },
    );
  const rows: number[] = [];
  for (let turn = 0; rows.length < count; turn++) {
    const row = groups[turn % groups.length].pop();
    if (row !== undefined) rows.push(row);
  }
  return rows;
}
