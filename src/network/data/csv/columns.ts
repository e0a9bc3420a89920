import path from 'node:path';
import { InputError } from '../../../core/errors.js';
import { say } from '../../../core/say.js';
import { type CellKind, kindOf, numberOf, standsForNone, writtenAs } from './cells.js';
import type { NamedTable } from './header.js';

/** One column of a table: numbers (NaN where missing), or texts ('' where missing) with their distinct values in order. */
export interface Column {
  readonly name: string;
  readonly index: number;
  readonly numbers: Float64Array | null;
  readonly texts: readonly string[] | null;
  /** Row of the first missing value, -1 for none. */
  readonly firstMissing: number;
  readonly missing: number;
  /** Whether all numbers are written without a fraction. */
  readonly whole: boolean;
}

/** Share of cells that are no numbers from which a column is one of texts, below which they are mistakes. */
const textShare = 0.1;
/** Most different texts of an input column. */
const mostLevels = 100;

export const shown = (name: string): string => `"${name}"`;

interface Reading {
  readonly table: NamedTable;
  readonly file: string;
  /** What "nan" is: a missing value where the choice was made, else a number that is not finite. */
  readonly missingChosen: boolean;
  readonly notes: string[];
}

/** Reads a column as what it holds. Throws an InputError that names file, line and column. */
export function readColumn(index: number, role: 'input' | 'target', reading: Reading): Column {
  const { table, file, missingChosen } = reading;
  const { rows, lines, delimiter } = table;
  const name = table.names[index];
  const cells = rows.map((row) => row[index]);
  const kinds = cells.map((cell) => kindOf(cell, delimiter));
  const count = (kind: CellKind) => kinds.reduce((sum, k) => sum + (k === kind ? 1 : 0), 0);
  const place = (row: number) => ({ file, line: lines[row], field: 'data.path' });
  const present = cells.length - count('missing');
  if (present > 0 && count('date') >= 0.9 * present) {
    const row = kinds.indexOf('date');
    throw new InputError(
      `${file}: column ${shown(name)} holds dates or times (${cells[row]} in line ${lines[row]}), which are no numbers. Write them as numbers, such as days since the first, or leave the column out (data.ignore: ['${name}']).`,
      place(row),
    );
  }
  const words = kinds.flatMap((kind, i) => (kind === 'text' || kind === 'date' ? [i] : []));
  const real = words.filter((i) => !standsForNone(cells[i]));
  const textual = real.length > 0 && (real.length >= textShare * present || count('number') === 0);
  if (textual) return textColumn(index, role, cells, kinds, reading);
  if (real.length > 0) {
    const row = real[0];
    throw new InputError(
      `${file}, line ${lines[row]}: column ${shown(name)} is "${cells[row]}"; it must be a number like most of the column. Correct the value, or leave it empty and choose data.missing.`,
      place(row),
    );
  }
  const bad = kinds.findIndex((kind) => kind === 'infinite' || (kind === 'nan' && !missingChosen));
  if (bad >= 0)
    throw new InputError(
      `${file}, line ${lines[bad]}: column ${shown(name)} is "${cells[bad]}", which is not finite. Correct the value, or set data.missing to 'drop' (without the row) or 'mean' where NaN stands for a missing value.`,
      place(bad),
    );
  const numbers = Float64Array.from(cells, (cell, i) =>
    kinds[i] === 'number' ? (numberOf(cell, delimiter) as number) : Number.NaN,
  );
  const odd = cells.find((cell, i) => kinds[i] === 'number' && writtenAs(cell, delimiter));
  const way = odd && writtenAs(odd, delimiter);
  if (way)
    reading.notes.push(say`${path.basename(file)}: column ${shown(name)} is read with ${way} (${odd}).`);
  if (/date|^day$|datum/i.test(name) && cells.every((cell) => /^(?:19|20)\d{2}[01]\d[0-3]\d$/.test(cell)))
    throw new InputError(
      `${file}: column ${shown(name)} holds dates or times (${cells[0]} in line ${lines[0]}), which are no numbers. Write them as numbers, such as days since the first, or leave the column out (data.ignore: ['${name}']).`,
      place(0),
    );
  return {
    name,
    index,
    numbers,
    texts: null,
    ...gaps(numbers, Number.isNaN),
    whole: cells.every((cell, i) => kinds[i] !== 'number' || /^[+-]?\d+$/.test(cell)),
  };
}

function textColumn(
  index: number,
  role: 'input' | 'target',
  cells: readonly string[],
  kinds: readonly CellKind[],
  { table, file }: Reading,
): Column {
  const name = table.names[index];
  const texts = cells.map((cell, i) => (kinds[i] === 'missing' || kinds[i] === 'nan' ? '' : cell));
  const levels = new Set(texts.filter((text) => text !== ''));
  const most = role === 'target' ? Number.POSITIVE_INFINITY : mostLevels;
  if (levels.size > 10 && (levels.size > 0.5 * texts.length || levels.size > most))
    throw new InputError(
      `${file}: column ${shown(name)} holds ${levels.size} different texts in ${texts.length} rows ("${texts.find(Boolean)}" is one): names or free text, no categories. ${
        role === 'target'
          ? say`Choose another target (data.target).`
          : say`Leave the column out (data.ignore: ['${name}']), or turn it into numbers.`
      }`,
      { file, field: role === 'target' ? 'data.target' : 'data.path' },
    );
  return { name, index, numbers: null, texts, ...gaps(texts, (text) => text === ''), whole: false };
}

function gaps<T>(
  values: ArrayLike<T>,
  absent: (value: T) => boolean,
): Pick<Column, 'missing' | 'firstMissing'> {
  let missing = 0;
  let firstMissing = -1;
  for (let i = 0; i < values.length; i++) {
    if (!absent(values[i])) continue;
    if (firstMissing < 0) firstMissing = i;
    missing++;
  }
  return { missing, firstMissing };
}

/** Distinct texts without the empty one, in the order of the alphabet (of numbers, where all are). */
export function levelsOf(texts: readonly string[]): string[] {
  const levels = [...new Set(texts)].filter((text) => text !== '');
  const numeric = levels.every((level) => Number.isFinite(Number(level)));
  return levels.sort((a, b) => (numeric ? Number(a) - Number(b) : a < b ? -1 : a > b ? 1 : 0));
}

/** Whether a column only numbers the rows: unnamed (or as pandas names it), counting up by one. */
export function countsRows(name: string, cells: readonly string[]): boolean {
  if (name !== '' && !/^unnamed: 0$/i.test(name)) return false;
  return cells.every(
    (cell, i) => /^-?\d+$/.test(cell) && (i === 0 || Number(cell) === Number(cells[i - 1]) + 1),
  );
}
