import { expandVary } from '../../experiment/overrides.js';
import type { RunFile } from '../../runs/index.js';

type Values = Readonly<Record<string, unknown>>;

export interface SweepCost {
  readonly cells: number;
  /** Seconds of training in all, by an earlier run of the experiment; null when there is none to judge by. */
  readonly seconds: number | null;
}

/** Seconds a trainer takes before its first step: starting, loading, reading data. */
const overhead = 1.5;

/**
 * What a sweep will take: the time of an earlier run, scaled cell by cell with the fields that time is proportional to
 * (width, steps, training inputs). Throws an InputError for a text that `--vary` would refuse.
 */
export function sweepCost(vary: readonly string[], last: RunFile | undefined): SweepCost {
  const axes = vary.map((text) => expandVary(text));
  const cells = axes.reduce((product, axis) => product * axis.values.length, 1);
  const measured = last?.ended?.summary?.seconds;
  if (!last || measured === undefined) return { cells, seconds: null };
  // The sum over a grid of products over axes is the product of the sums.
  const sum = axes.reduce(
    (product, { path, values }) =>
      product * values.reduce<number>((s, value) => s + growth(path, value, last.info.definition), 0),
    1,
  );
  return { cells, seconds: measured * sum + overhead * cells };
}

/** By how much a value makes a run longer than the earlier one was. */
function growth(path: string, value: unknown, definition: Values): number {
  if (!/^(model\.width|steps|data\.train)$/.test(path)) return 1;
  const before = path.split('.').reduce<unknown>((at, key) => (at as Values | undefined)?.[key], definition);
  return typeof value === 'number' && typeof before === 'number' && before > 0 ? value / before : 1;
}
