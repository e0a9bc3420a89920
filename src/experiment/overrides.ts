import { InputError } from '../core/errors.js';
import { say } from '../core/say.js';

/** `path=value`: the value as JSON, else as a string. Throws an InputError when there is no `=`. */
export function parseOverride(text: string): { readonly path: string; readonly value: unknown } {
  const at = text.indexOf('=');
  if (at <= 0) throw new InputError(`"${text}" is no override; write path=value, such as model.width=4096.`);
  return { path: text.slice(0, at).trim(), value: parseValue(text.slice(at + 1)) };
}

export function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Parts of a path. */
const deepest = 32;
/** Values of one field: no grid has more cells. */
export const mostValues = 10_000;

/**
 * A copy of a definition with the fields at the given dotted paths replaced. New fields may be set (the schema refuses
 * unknown ones afterwards); a path through something that is not an object is an InputError.
 */
export function applyOverrides<T extends object>(
  definition: T,
  overrides: Readonly<Record<string, unknown>>,
): T {
  let result: unknown = definition;
  for (const [path, value] of Object.entries(overrides)) {
    const keys = path.split('.', deepest + 1);
    if (keys.length > deepest)
      throw new InputError(`--set ${path.slice(0, 60)}…: the path has more than ${deepest} parts.`, {
        field: path.slice(0, 60),
      });
    result = replaced(result, keys, value, path);
  }
  return result as T;
}

function replaced(target: unknown, keys: readonly string[], value: unknown, path: string): unknown {
  if (keys.length === 0) return value;
  if (typeof target === 'function')
    throw new InputError(
      `--set ${path}: ${path.startsWith('data.') ? say`the data` : say`the model`} is a function, so it has no fields to set.`,
      { field: path },
    );
  if (target !== undefined && (typeof target !== 'object' || target === null))
    throw new InputError(
      `--set ${path}: "${keys[0]}" is not reachable, because what is above it is ${JSON.stringify(target)}.`,
      { field: path },
    );
  const [key, ...rest] = keys;
  if (key === '__proto__') throw new InputError(`--set ${path}: "__proto__" is no field.`, { field: path });
  if (Array.isArray(target) && !(/^\d{1,9}$/.test(key) && Number(key) <= target.length))
    throw new InputError(
      `--set ${path}: "${key}" is no place of a list of ${target.length}; places are 0 to ${target.length}, of which the last one adds to the list.`,
      { field: path },
    );
  const copy = (Array.isArray(target) ? [...target] : { ...target }) as Record<string, unknown>;
  copy[key] = replaced(copy[key], rest, value, path);
  return copy;
}

/** Values of one `--vary path=a,b,c` or `path=a..b` (inclusive whole numbers). */
export function expandVary(text: string): { readonly path: string; readonly values: readonly unknown[] } {
  const { path, value } = parseOverride(text.replace(/=(.*)$/, (_, v: string) => `=${JSON.stringify(v)}`));
  const range = /^(-?\d+)\.\.(-?\d+)$/.exec(String(value));
  if (range) {
    const [from, to] = [Number(range[1]), Number(range[2])];
    if (to < from)
      throw new InputError(
        `--vary ${text}: the range ${from}..${to} is empty; write the smaller number first.`,
      );
    const count = to - from + 1;
    if (!(count <= mostValues))
      throw new InputError(
        `--vary ${text}: the range has ${count} values; up to ${mostValues} are run at once. Vary less, or split it into several sweeps.`,
      );
    return { path, values: Array.from({ length: count }, (_, i) => from + i) };
  }
  const values = splitTop(String(value)).map(parseValue);
  if (values.length === 0)
    throw new InputError(`--vary ${text} names no values; write path=a,b,c or path=a..b.`);
  return { path, values };
}

/** Splits at commas that are outside of brackets and quotes. */
function splitTop(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quoted = false;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '"') quoted = !quoted;
    else if (!quoted && '[{'.includes(c)) depth++;
    else if (!quoted && ']}'.includes(c)) depth--;
    else if (c === ',' && depth === 0 && !quoted) {
      parts.push(text.slice(from, i));
      from = i + 1;
    }
  }
  parts.push(text.slice(from));
  return parts.map((p) => p.trim()).filter((p) => p !== '');
}

/** Arguments of a builder among the overrides (`args.units`). */
export const argsOf = (overrides: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(overrides)
      .filter(([path]) => path.startsWith('args.'))
      .map(([path, value]) => [path.slice('args.'.length), value]),
  );
