import { lowerBound } from '../../src/core/series/index.js';
import type { ColumnData, RunData } from '../store.js';
import type { Table } from '../ui/table.js';

/** Metrics columns of one run as a table; columns never measured are left out. */
export function columnsTable(run: RunData | undefined, names: readonly string[]): Table {
  if (!run) return { columns: ['step'], rows: [] };
  const present = names.flatMap((name) => {
    const data = run.column(name);
    return data ? [{ name, data }] : [];
  });
  const steps = new Set<number>();
  const byName = present.map(({ data }) => {
    const values = new Map<number, number>();
    for (let i = 0; i < data.step.length; i++) {
      values.set(data.step[i], data.values[i]);
      steps.add(data.step[i]);
    }
    return values;
  });
  const rows = [...steps]
    .sort((a, b) => a - b)
    .map((step) => [step, ...byName.map((values) => finiteOrNull(values.get(step)))]);
  return { columns: ['step', ...present.map((p) => p.name)], rows };
}

/** The same columns of several runs side by side, for comparison. */
export function comparedTable(runs: readonly RunData[], names: readonly string[]): Table {
  if (runs.length === 1) return columnsTable(runs[0], names);
  const tables = runs.map((run) => columnsTable(run, names));
  const byStep = new Map<number, (number | string | null)[]>();
  let width = 0;
  for (const table of tables) {
    const columns = table.columns.length - 1;
    for (const [step, ...values] of table.rows) {
      const row = byStep.get(Number(step)) ?? [];
      byStep.set(Number(step), row);
      for (const [i, value] of values.entries()) row[width + i] = value;
    }
    width += columns;
  }
  return {
    columns: [
      'step',
      ...runs.flatMap((run, i) => tables[i].columns.slice(1).map((name) => `${run.label}: ${name}`)),
    ],
    rows: [...byStep.entries()]
      .sort(([a], [b]) => a - b)
      .map(([step, row]) => [step, ...Array.from({ length: width }, (_, i) => row[i] ?? null)]),
  };
}

/** Values of one column minus another one at the steps of the first; linear between measured steps, NaN outside. */
export function differenceOf(column: ColumnData, reference: ColumnData): Float64Array {
  const out = new Float64Array(column.step.length).fill(Number.NaN);
  const known: number[] = [];
  for (let i = 0; i < reference.step.length; i++) if (Number.isFinite(reference.values[i])) known.push(i);
  const steps = Float64Array.from(known, (i) => reference.step[i]);
  for (let i = 0; i < out.length; i++) {
    const step = column.step[i];
    const right = lowerBound(steps, step);
    if (right >= steps.length) continue;
    const [a, b] = [reference.values[known[Math.max(0, right - 1)]], reference.values[known[right]]];
    if (steps[right] === step) out[i] = column.values[i] - b;
    else if (right > 0) {
      const share = (step - steps[right - 1]) / (steps[right] - steps[right - 1]);
      out[i] = column.values[i] - (a + share * (b - a));
    }
  }
  return out;
}

const finiteOrNull = (value: number | undefined): number | null =>
  value === undefined || Number.isNaN(value) ? null : value;
