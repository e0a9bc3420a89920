import path from 'node:path';
import { InputError } from '../../../core/errors.js';
import { listed } from '../../../core/listed.js';
import { say } from '../../../core/say.js';
import type { DataContext, Dataset } from '../dataset.js';
import { readBytes } from '../files.js';
import { fillWithMeans } from '../missing.js';
import type { DataSpec } from '../spec.js';
import { split } from '../split.js';
import { settleTargets, type Targets } from '../targets.js';
import { type Column, countsRows, levelsOf, readColumn, shown } from './columns.js';
import { type NamedTable, named } from './header.js';
import { readTable } from './text.js';

type CsvSpec = Extract<DataSpec, { kind: 'csv' }>;

/**
 * A table of text: numbers as inputs, texts as one-hot inputs, the last column (or those of `target`) as target. What is
 * found out, left out or replaced is in the data's notes; what cannot be a number is an InputError with file, line and
 * column.
 */
export function loadCsv(spec: CsvSpec, context: DataContext): Dataset {
  const file = path.resolve(context.folder, spec.path);
  const name = path.basename(file);
  const notes: string[] = [];
  const table = named(readTable(readBytes(file), file, spec.delimiter, notes), file, spec.header, notes);
  const reading = { table, file, missingChosen: spec.missing !== undefined, notes };
  const ignored = columnsOf(spec.ignore ?? [], table.names, file, 'ignore');
  const targetIndexes = targetsOf(spec.target, table, ignored, file);
  const targets = targetIndexes.map((i) => readColumn(i, 'target', reading));
  const inputs = inputColumns(targetIndexes, ignored, reading);
  if (inputs.length === 0)
    throw new InputError(
      `${file} has no column left for inputs; it has the columns ${table.names.join(', ')}.`,
      {
        file,
        field: 'data.target',
      },
    );
  const rows = keptSamples(inputs, targets, table, spec, file, notes);
  const { x, width } = inputsOf(inputs, rows, name, notes);
  if (spec.missing === 'mean') fillWithMeans(x, rows.length, width);
  if (spec.standardize ?? true) {
    standardizeNumbers(x, inputs, rows, width);
    if (inputs.some((column) => column.numbers))
      notes.push(
        say`${name}: numbers are standardised to mean 0 and deviation 1 (data.standardize: false keeps them).`,
      );
  }
  const y = targetValues(targets, rows, spec, context, file, table, notes);
  const samples = { name, inputShape: [width], train: { size: rows.length, x, y }, notes };
  return split(samples, spec, context);
}

function columnsOf(
  wanted: readonly (string | number)[],
  names: readonly string[],
  file: string,
  field: 'target' | 'ignore',
): number[] {
  return wanted.map((name) => {
    const index = typeof name === 'number' ? name : names.indexOf(name);
    if (index < 0 || index >= names.length)
      throw new InputError(
        `data.${field} is ${JSON.stringify(name)}, but ${file} has the columns ${names.join(', ')}.`,
        { file, field: `data.${field}` },
      );
    if (typeof name === 'string' && names.lastIndexOf(name) !== index)
      throw new InputError(
        `data.${field} is ${JSON.stringify(name)}, but ${file} has several columns of that name. Say which by its number, from 0.`,
        { file, field: `data.${field}` },
      );
    return index;
  });
}

/** The target's columns; the last that holds anything when none is named. */
function targetsOf(
  target: CsvSpec['target'],
  table: NamedTable,
  ignored: readonly number[],
  file: string,
): number[] {
  if (target !== undefined)
    return columnsOf(Array.isArray(target) ? target : [target], table.names, file, 'target');
  for (let i = table.names.length - 1; i >= 0; i--)
    if (!ignored.includes(i) && table.rows.some((row) => row[i] !== '')) return [i];
  return [table.names.length - 1];
}

function inputColumns(
  targets: readonly number[],
  ignored: readonly number[],
  reading: Parameters<typeof readColumn>[2],
): Column[] {
  const { table, file, notes } = reading;
  const name = path.basename(file);
  return table.names.flatMap((column, i): Column[] => {
    if (targets.includes(i) || ignored.includes(i)) return [];
    const cells = table.rows.map((row) => row[i]);
    const rowNames = column === '' && new Set(cells).size === cells.length && cells.some((c) => !Number(c));
    if (countsRows(column, cells) || rowNames) {
      notes.push(say`${name}: column ${i} has no name and only names the rows; it is left out.`);
      return [];
    }
    const read = readColumn(i, 'input', reading);
    if (read.missing < cells.length) return [read];
    notes.push(say`${name}: column ${column === '' ? String(i) : shown(column)} is empty and left out.`);
    return [];
  });
}

/** Rows that are taken: all with a target, and under `missing: 'drop'` those alone that lack nothing. */
function keptSamples(
  inputs: readonly Column[],
  targets: readonly Column[],
  table: NamedTable,
  spec: CsvSpec,
  file: string,
  notes: string[],
): number[] {
  const name = path.basename(file);
  const all = table.rows.map((_, i) => i);
  const lacks = (column: Column, i: number) =>
    column.numbers ? Number.isNaN(column.numbers[i]) : column.texts?.[i] === '';
  const labelled = all.filter((i) => !targets.some((column) => lacks(column, i)));
  if (labelled.length === 0)
    throw new InputError(
      `${file}: the target ${targets.map((t) => shown(t.name)).join(', ')} is empty in every row.`,
      {
        file,
        field: 'data.target',
      },
    );
  if (labelled.length < all.length) {
    const first = all.findIndex((i) => targets.some((column) => lacks(column, i)));
    notes.push(
      say`${name}: ${all.length - labelled.length} of ${all.length} rows have no target (line ${table.lines[first]} is the first) and are left out.`,
    );
  }
  const gappy = inputs.filter((column) => labelled.some((i) => lacks(column, i)));
  if (gappy.length === 0) return labelled;
  const incomplete = labelled.filter((i) => gappy.some((column) => lacks(column, i)));
  const where = gappy.map((column) => shown(column.name)).join(', ');
  const line = table.lines[incomplete[0]];
  if (spec.missing === 'mean') {
    notes.push(
      say`${name}: values are missing in ${incomplete.length} of ${all.length} rows (column ${where}; line ${line} is the first) and are replaced by the mean of their column.`,
    );
    return labelled;
  }
  if (spec.missing === undefined && 2 * incomplete.length > labelled.length)
    throw new InputError(
      `${file}, line ${line}: values are missing in ${incomplete.length} of ${all.length} rows (column ${where}), too many to leave the rows out unasked. Set data.missing to 'mean' or 'drop', or leave columns out with data.ignore.`,
      { file, line, field: 'data.missing' },
    );
  const gone = new Set(incomplete);
  const complete = labelled.filter((i) => !gone.has(i));
  if (complete.length === 0)
    throw new InputError(
      `${file}: every row lacks a value (column ${where}), so data.missing 'drop' leaves none. Set data.missing to 'mean', or leave columns out with data.ignore.`,
      { file, field: 'data.missing' },
    );
  notes.push(
    say`${name}: values are missing in ${incomplete.length} of ${all.length} rows (column ${where}; line ${line} is the first), and the rows are left out (data.missing: 'mean' puts in the mean of the column instead).`,
  );
  return complete;
}

const widthOf = (column: Column, rows: readonly number[]): number =>
  column.numbers ? 1 : levelsOf(rows.map((i) => column.texts?.[i] ?? '')).length;

/** Inputs [rows, width]: a number a column, or one-hot texts; NaN where a value is missing. */
function inputsOf(
  inputs: readonly Column[],
  rows: readonly number[],
  name: string,
  notes: string[],
): { x: Float64Array; width: number } {
  const width = inputs.reduce((sum, column) => sum + widthOf(column, rows), 0);
  const x = new Float64Array(rows.length * width);
  let at = 0;
  for (const column of inputs) {
    if (column.numbers) {
      for (const [k, i] of rows.entries()) x[k * width + at] = column.numbers[i];
      at++;
      continue;
    }
    const texts = column.texts as readonly string[];
    const levels = levelsOf(rows.map((i) => texts[i]));
    for (const [k, i] of rows.entries())
      for (const [l, level] of levels.entries())
        x[k * width + at + l] = texts[i] === '' ? Number.NaN : texts[i] === level ? 1 : 0;
    notes.push(
      say`${name}: column ${shown(column.name)} holds texts and is one-hot: ${levels.length} inputs (${listed(levels, 6)}).`,
    );
    at += levels.length;
  }
  return { x, width };
}

function standardizeNumbers(
  x: Float64Array,
  inputs: readonly Column[],
  rows: readonly number[],
  width: number,
): void {
  let at = 0;
  for (const column of inputs) {
    if (column.numbers) standardize(x, rows.length, width, at);
    at += widthOf(column, rows);
  }
}

function standardize(x: Float64Array, rows: number, width: number, j: number): void {
  let mean = 0;
  let square = 0;
  for (let i = 0; i < rows; i++) mean += x[i * width + j] / rows;
  for (let i = 0; i < rows; i++) square += (x[i * width + j] - mean) ** 2 / rows;
  const deviation = Math.sqrt(square) || 1;
  for (let i = 0; i < rows; i++) x[i * width + j] = (x[i * width + j] - mean) / deviation;
}

function targetValues(
  targets: readonly Column[],
  rows: readonly number[],
  spec: CsvSpec,
  context: DataContext,
  file: string,
  table: NamedTable,
  notes: string[],
): Targets {
  const text = targets.find((column) => column.texts);
  if (text && (targets.length > 1 || spec.task === 'regression'))
    throw new InputError(
      `${file}: the target column ${shown(text.name)} holds texts ("${text.texts?.find(Boolean)}"); ${targets.length > 1 ? say`only a target of one column may` : say`regression needs numbers`}. Choose another target (data.target), or data.task 'classification' with one column.`,
      { file, field: 'data.target' },
    );
  if (text) {
    const texts = text.texts as readonly string[];
    const levels = levelsOf(rows.map((i) => texts[i]));
    if (levels.length < 2)
      throw new InputError(
        `${file}: the target column ${shown(text.name)} holds only "${levels[0]}"; classification needs at least two classes.`,
        { file, field: 'data.target' },
      );
    notes.push(
      say`${path.basename(file)}: the target ${shown(text.name)} has ${levels.length} classes (${listed(levels)}).`,
    );
    const labels = Int32Array.from(rows, (i) => levels.indexOf(texts[i]));
    return { kind: 'classes', labels, classes: levels.map((_, i) => i), oneHot: false };
  }
  const values = new Float64Array(rows.length * targets.length);
  for (const [k, i] of rows.entries())
    for (const [t, column] of targets.entries())
      values[k * targets.length + t] = (column.numbers as Float64Array)[i];
  return settleTargets(
    values,
    targets.length,
    {
      task: spec.task,
      loss: context.loss,
      what:
        targets.length === 1
          ? say`the column ${shown(targets[0].name)}`
          : say`the target of the columns ${targets.map((t) => shown(t.name)).join(', ')}`,
      file,
      whole: targets.every((column) => column.whole),
      wholeAreClasses: false,
      place: (sample) => say`line ${table.lines[rows[sample]]}`,
    },
    notes,
  );
}
