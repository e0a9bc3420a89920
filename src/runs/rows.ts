import { InputError } from '../core/errors.js';
import type { MetricsFrame } from '../protocol/trainerWire.js';
import { linesOf } from './files/lines.js';

type Row = { readonly step: number } & Readonly<Record<string, unknown>>;

/**
 * Rows of a .jsonl file of a run, one by one. A torn last line is dropped; anything else that is no row is an InputError
 * with its line.
 */
export function* rowsOf(file: string): Generator<Row> {
  let torn: { readonly line: number; readonly text: string } | null = null;
  let line = 0;
  for (const { text } of linesOf(file)) {
    line++;
    if (text === '') continue;
    if (torn)
      throw new InputError(
        `${file}:${torn.line} is not JSON: "${torn.text.slice(0, 60)}". The file was changed by something else; restore it or remove the line.`,
        { file, line: torn.line },
      );
    const value = parsed(text);
    if (value === undefined) {
      torn = { line, text };
      continue;
    }
    if (typeof (value as { step?: unknown } | null)?.step !== 'number')
      throw new InputError(
        `${file}:${line} is no row of a run, for it has no step: "${text.slice(0, 60)}". The file was changed by something else; restore it or remove the line.`,
        { file, line },
      );
    yield value as Row;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Numbers that grow in number. */
class Column {
  private values = new Float64Array(16);

  /** Sets the value of a row; those between are not measured. */
  set(row: number, value: number): void {
    if (row >= this.values.length) {
      const larger = new Float64Array(2 * row).fill(Number.NaN, this.values.length);
      larger.set(this.values);
      this.values = larger;
    }
    this.values[row] = value;
  }

  constructor() {
    this.values.fill(Number.NaN);
  }

  /** The first `count`, of a column of that length. */
  take(count: number): Float64Array {
    if (count <= this.values.length) return this.values.slice(0, count);
    const out = new Float64Array(count).fill(Number.NaN);
    out.set(this.values);
    return out;
  }
}

/** Rows as columns, in the order of first appearance; NaN where a row lacks one. */
export function framesOf(rows: Iterable<Readonly<Record<string, unknown>>>): MetricsFrame {
  const columns = new Map<string, Column>([
    ['step', new Column()],
    ['time', new Column()],
  ]);
  let count = 0;
  for (const row of rows) {
    for (const name in row) {
      let column = columns.get(name);
      if (!column) {
        column = new Column();
        columns.set(name, column);
      }
      const value = row[name];
      if (typeof value === 'number') column.set(count, value);
    }
    count++;
  }
  const taken = [...columns].map(([name, column]) => [name, column.take(count)] as const);
  const [[, step], [, time], ...others] = taken;
  return { step, time, columns: Object.fromEntries(others) };
}
