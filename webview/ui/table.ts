import { t } from '../strings.js';
import { element } from './dom.js';

/** Numbers behind a chart: what the data table, CSV and Markdown copies show. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (number | string | null)[])[];
}

const mostShown = 200;

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

const cellText = (value: number | string | null): string =>
  value === null ? '–' : typeof value === 'number' ? String(Number(value.toPrecision(6))) : value;

/** Shows the last rows of a table. */
export function fillTable(place: HTMLElement, title: string, { columns, rows }: Table): void {
  const shown = rows.slice(-mostShown);
  place.replaceChildren(
    element(
      'table',
      {},
      element('caption', {}, t('{0}: last {1} of {2} rows', title, shown.length, rows.length)),
      element('thead', {}, element('tr', {}, ...columns.map((c) => element('th', { scope: 'col' }, c)))),
      element(
        'tbody',
        {},
        ...shown.map((row) => element('tr', {}, ...row.map((v) => element('td', {}, cellText(v))))),
      ),
    ),
  );
}
