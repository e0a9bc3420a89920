import type { Table } from '../cards/card.js';

const csvField = (value: number | string | null): string => {
  if (value === null) return '';
  const text = String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** RFC 4180 text with a header line. */
export function toCsv(table: Table): string {
  return [table.columns, ...table.rows].map((row) => row.map(csvField).join(',')).join('\r\n') + '\r\n';
}

/** A Markdown table of at most 50 rows, thinned evenly when there are more (first and last row kept). */
export function toMarkdown(table: Table): string {
  const count = table.rows.length;
  const kept =
    count <= 50
      ? table.rows
      : Array.from({ length: 50 }, (_, i) => table.rows[Math.round((i * (count - 1)) / 49)]);
  const line = (cells: readonly (number | string | null)[]) =>
    `| ${cells.map((c) => (c === null ? '' : String(c).replaceAll('|', '\\|'))).join(' | ')} |`;
  return [line(table.columns), line(table.columns.map(() => '---')), ...kept.map(line)].join('\n');
}
