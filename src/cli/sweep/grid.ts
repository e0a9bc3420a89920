import { InputError } from '../../core/errors.js';
import { expandVary } from '../../experiment/index.js';

/** One combination of the varied values. */
export interface Cell {
  /** Folder name, the same for the same values. */
  readonly id: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** All combinations, the first variable slowest. Throws an InputError for a variable given twice or too many cells. */
export function gridOf(vary: readonly string[]): Cell[] {
  const axes = vary.map(expandVary);
  const names = axes.map((a) => a.path);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice)
    throw new InputError(`--vary names ${twice} twice; give all its values at once: ${twice}=a,b,c.`);
  const count = axes.reduce((product, axis) => product * axis.values.length, 1);
  if (count > 10_000)
    throw new InputError(
      `The grid has ${count} cells; up to 10000 are run at once. Vary less, or part it with several sweeps.`,
    );
  let cells: Record<string, unknown>[] = [{}];
  for (const { path, values } of axes)
    cells = cells.flatMap((cell) => values.map((value) => ({ ...cell, [path]: value })));
  return cells.map((values) => ({ id: cellId(values), values }));
}

const cellId = (values: Readonly<Record<string, unknown>>): string =>
  Object.entries(values)
    .map(
      ([path, value]) =>
        `${path.split('.').at(-1)}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
    )
    .join(',')
    .replace(/[^A-Za-z0-9=,._^-]/g, '_')
    .slice(0, 120) || 'all';

/** `I/N`: every N-th cell, counted from the I-th. */
export function shardOf<T>(cells: readonly T[], text: string | undefined): T[] {
  if (text === undefined) return [...cells];
  const match = /^(\d+)\/(\d+)$/.exec(text);
  const [index, count] = match ? [Number(match[1]), Number(match[2])] : [0, 0];
  if (!match || index < 1 || index > count)
    throw new InputError(`--shard is "${text}"; write I/N with I from 1 to N, such as 2/4.`, {
      field: '--shard',
    });
  return cells.filter((_, i) => i % count === index - 1);
}
