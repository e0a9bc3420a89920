import type { RunData } from '../store.js';
import type { Table } from './card.js';

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

const finiteOrNull = (value: number | undefined): number | null =>
  value === undefined || Number.isNaN(value) ? null : value;
