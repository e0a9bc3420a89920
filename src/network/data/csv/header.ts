import path from 'node:path';
import { InputError } from '../../../core/errors.js';
import { say } from '../../../core/say.js';
import { kindOf } from './cells.js';
import type { TextTable } from './text.js';

/** Named columns and the samples below them. */
export interface NamedTable {
  readonly names: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly lines: readonly number[];
  readonly delimiter: string;
}

/**
 * Whether the first line names the columns. It does where it has text over numbers; it does not where it has numbers, or
 * texts that come again below. Where neither tells, it is taken for names.
 */
function isHeader(table: TextTable): { header: boolean; certain: boolean } {
  const [first, ...rest] = table.rows;
  const body = rest.slice(0, 1000);
  if (body.length === 0) {
    const header = first.every((cell) => kindOf(cell, table.delimiter) === 'text');
    return { header, certain: true };
  }
  let textOverNumbers = 0;
  let numbers = 0;
  let comesAgain = 0;
  for (const [i, cell] of first.entries()) {
    const kind = kindOf(cell, table.delimiter);
    const below = body.map((row) => row[i] ?? '');
    const numeric = below.filter((c) => kindOf(c, table.delimiter) === 'number').length;
    if (kind === 'number') numbers++;
    else if ((kind === 'text' || kind === 'date') && numeric > 0.5 * below.length) textOverNumbers++;
    else if (kind === 'text' && below.includes(cell)) comesAgain++;
  }
  if (textOverNumbers > 0 && textOverNumbers + comesAgain >= numbers / 2 && comesAgain === 0)
    return { header: true, certain: true };
  if (numbers > 0 || comesAgain > 0) return { header: false, certain: numbers > 0 };
  return { header: true, certain: textOverNumbers > 0 };
}

/**
 * Parts names from samples. `header` says whether there are names; it is found, and said, where absent. Rows of another
 * length are an InputError that names the line.
 */
export function named(
  table: TextTable,
  file: string,
  header: boolean | undefined,
  notes: string[],
): NamedTable {
  const name = path.basename(file);
  if (table.rows.length === 0) throw new InputError(`${file} holds no rows.`, { file, field: 'data.path' });
  const found = isHeader(table);
  const headed = header ?? found.header;
  const width = (table.rows[headed ? 1 : 0] ?? table.rows[0]).length;
  let names = headed ? [...table.rows[0]] : Array.from({ length: width }, (_, i) => String(i));
  // R writes no name above the names of the rows.
  if (headed && names.length === width - 1) names = ['', ...names];
  const rows = headed ? table.rows.slice(1) : table.rows;
  const lines = headed ? table.lines.slice(1) : table.lines;
  if (rows.length === 0)
    throw new InputError(`${file} holds names of columns, but no rows.`, { file, field: 'data.path' });
  const odd = rows.findIndex((row) => row.length !== names.length);
  if (odd >= 0)
    throw new InputError(
      `${file}, line ${lines[odd]}: there are ${rows[odd].length} cells, but ${names.length} columns. Mend the line, or set data.delimiter.`,
      { file, line: lines[odd], field: 'data.path' },
    );
  if (header === undefined && !headed)
    notes.push(
      say`${name} has no names of columns: line ${table.lines[0]} is the first sample, columns are numbered from 0 (data.header: true says otherwise).`,
    );
  else if (header === undefined && !found.certain)
    notes.push(
      say`${name}: line ${table.lines[0]} is taken for the names of the columns (data.header: false says otherwise).`,
    );
  return { names, rows, lines, delimiter: table.delimiter };
}
