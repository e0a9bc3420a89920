import { createHash } from 'node:crypto';
import { InputError } from '../../core/errors.js';
import { expandVary, mostValues } from '../../experiment/index.js';

const longestName = 100;

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
  if (count > mostValues)
    throw new InputError(
      `The grid has ${count} cells; up to ${mostValues} are run at once. Vary less, or split it into several sweeps.`,
    );
  let cells: Record<string, unknown>[] = [{}];
  for (const { path, values } of axes)
    cells = cells.flatMap((cell) => values.map((value) => ({ ...cell, [path]: value })));
  for (const { path, values } of axes) {
    const texts = values.map((value) => JSON.stringify(value));
    const again = texts.find((text, i) => texts.indexOf(text) !== i);
    if (again !== undefined)
      throw new InputError(`--vary gives ${path} the value ${again} twice; name every value once.`, {
        field: path,
      });
  }
  const named = cells.map((values) => ({ values, ...nameOf(values) }));
  const counts = new Map<string, number>();
  // On some systems names differ in more than case, or are one.
  for (const { name } of named) counts.set(name.toLowerCase(), (counts.get(name.toLowerCase()) ?? 0) + 1);
  return named.map(({ values, name, whole }) => ({
    id: whole && counts.get(name.toLowerCase()) === 1 ? name : `${name}~${markOf(values)}`,
    values,
  }));
}

/** What a folder can be called of a cell's values, and whether it says all of them. */
function nameOf(values: Readonly<Record<string, unknown>>): { name: string; whole: boolean } {
  const text =
    Object.entries(values)
      .map(
        ([path, value]) =>
          `${path.split('.').at(-1)}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
      )
      .join(',') || 'all';
  const name = text.replace(/[^A-Za-z0-9=,._^-]/g, '_').slice(0, longestName);
  return { name, whole: name === text };
}

/** Tells cells apart whose names do not. */
const markOf = (values: Readonly<Record<string, unknown>>): string =>
  createHash('sha256').update(JSON.stringify(values)).digest('hex').slice(0, 12);

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
