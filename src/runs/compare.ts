import { leavesOf } from './definitions.js';
import { readRun, type StoredRun } from './reader.js';

export interface Comparison {
  readonly runs: readonly {
    readonly run: string;
    readonly name: string;
    readonly folder: string;
    readonly status: string;
  }[];
  /** Last value of every column that either run measured; null where it did not. */
  readonly values: Readonly<Record<string, readonly (number | null)[]>>;
  /** Fields of the definition that differ, by dotted path. */
  readonly differences: Readonly<Record<string, readonly unknown[]>>;
  /** Whether all metrics at common steps are bitwise equal. */
  readonly identical: boolean;
}

function lastFinite(values: Float64Array | undefined): number | null {
  for (let i = (values?.length ?? 0) - 1; i >= 0; i--)
    if (values && Number.isFinite(values[i])) return values[i];
  return null;
}

/**
 * Whether all metrics at common steps are equal. Of watched programs those that both have: what is measured there follows the
 * clock.
 */
function sameMetrics(a: StoredRun, b: StoredRun): boolean {
  const byClock = a.run.kind === 'watched' || b.run.kind === 'watched';
  const at = new Map(Array.from(b.metrics.step, (step, i) => [step, i]));
  let common = 0;
  for (let i = 0; i < a.metrics.step.length; i++) {
    const j = at.get(a.metrics.step[i]);
    if (j === undefined) continue;
    common++;
    for (const [name, column] of Object.entries(a.metrics.columns)) {
      const other = b.metrics.columns[name];
      if (!other || Object.is(column[i], other[j])) continue;
      if (!byClock || (Number.isFinite(column[i]) && Number.isFinite(other[j]))) return false;
    }
  }
  return common > 0;
}

/** What two or more runs have in common and where they part. Throws an InputError for a folder that is no run. */
export function compareRuns(folders: readonly string[]): Comparison {
  const runs = folders.map(readRun);
  const names = [...new Set(runs.flatMap((r) => Object.keys(r.metrics.columns)))];
  const definitions = runs.map((r) =>
    leavesOf({ ...r.run.info.definition, backend: r.run.info.backend.name }),
  );
  const fields = [...new Set(definitions.flatMap((d) => [...d.keys()]))];
  const differing = fields.filter(
    (field) => new Set(definitions.map((d) => JSON.stringify(d.get(field) ?? null))).size > 1,
  );
  return {
    runs: runs.map(({ run, folder }) => ({
      run: run.info.run,
      name: run.label ?? run.info.name,
      folder,
      status: run.status,
    })),
    values: Object.fromEntries(
      names.map((name) => [name, runs.map((r) => lastFinite(r.metrics.columns[name]))]),
    ),
    differences: Object.fromEntries(
      differing.map((field) => [field, definitions.map((d) => d.get(field) ?? null)]),
    ),
    identical: runs.slice(1).every((r) => sameMetrics(runs[0], r)),
  };
}
