import { say } from '../../../core/say.js';

/** What a cell of a table may be. */
export type CellKind = 'missing' | 'number' | 'nan' | 'infinite' | 'date' | 'text';

const plainNumber = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const grouped = /^[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?$/;
const decimalComma = /^[+-]?(?:\d{1,3}(?:\.\d{3})+|\d*),\d+(?:[eE][+-]?\d+)?$/;

/** Words for a value that is not there: in any column, and in columns of numbers only (they may be names elsewhere). */
const absent = new Set(['', 'na', 'n/a', '#n/a', '<na>', 'null', '?']);
const absentNumbers = new Set(['none', '-', '--', '.', 'missing', 'nil', '*']);

const month = '(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*';
const clock = '\\d{1,2}:\\d{2}(?::\\d{2}(?:\\.\\d+)?)?(?:\\s?[ap]m)?';
const dates = [
  `\\d{4}[-/.]\\d{1,2}(?:[-/.]\\d{1,2})?(?:[T ]${clock}(?:\\s?(?:Z|UTC|[+-]\\d{2}:?\\d{2}))?)?`,
  `\\d{1,2}[-/.]\\d{1,2}[-/.]\\d{2,4}(?:,?\\s+${clock})?`,
  `\\d{1,2}[-\\s.]+${month}[-\\s,.]+\\d{2,4}(?:\\s+${clock})?`,
  `${month}\\.?[-\\s]+(?:\\d{1,2},?[-\\s]+)?\\d{4}(?:\\s+${clock})?`,
  clock,
].map((pattern) => new RegExp(`^(?:${pattern})$`, 'i'));

/** Whether a number is written with a decimal comma: only where commas part no cells. */
const hasDecimalComma = (cell: string, delimiter: string): boolean =>
  delimiter !== ',' && decimalComma.test(cell);

export function kindOf(cell: string, delimiter: string): CellKind {
  const lower = cell.toLowerCase();
  if (absent.has(lower)) return 'missing';
  if (/^[+-]?nan$/.test(lower)) return 'nan';
  if (/^[+-]?inf(?:inity)?$/.test(lower)) return 'infinite';
  const value = numberOf(cell, delimiter);
  if (value !== null) return Number.isFinite(value) ? 'number' : 'infinite';
  return dates.some((date) => date.test(cell)) ? 'date' : 'text';
}

/** Whether a text stands for a missing number. */
export const standsForNone = (cell: string): boolean => absentNumbers.has(cell.toLowerCase());

/** The number that a cell writes, null for none: 1e-3, −2, 1,234.5 and, where commas part no cells, 1.234,5. */
export function numberOf(cell: string, delimiter: string): number | null {
  const text = cell.replace('\u2212', '-');
  if (plainNumber.test(text)) return Number(text);
  if (hasDecimalComma(text, delimiter)) return Number(text.replace(/\./g, '').replace(',', '.'));
  return grouped.test(text) ? Number(text.replace(/,/g, '')) : null;
}

/** How a number is written other than plainly; null for plain ones. */
export function writtenAs(cell: string, delimiter: string): string | null {
  if (plainNumber.test(cell)) return null;
  if (hasDecimalComma(cell, delimiter)) return say`decimal commas`;
  return grouped.test(cell) ? say`commas between thousands` : null;
}
