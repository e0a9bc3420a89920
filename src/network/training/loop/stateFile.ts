import type { NpzEntry } from '../../../core/npz.js';

/**
 * Plain values with typed arrays of floats in them, as a text and arrays: what JSON cannot hold exactly (arrays, NaN,
 * infinities, -0) is marked in the text.
 */
export interface PackedState {
  readonly text: string;
  readonly arrays: readonly NpzEntry[];
}

type Mark = { readonly $array: number } | { readonly $number: string };

const isFloats = (value: unknown): value is Float32Array | Float64Array =>
  value instanceof Float32Array || value instanceof Float64Array;

export function packState(state: unknown): PackedState {
  const arrays: NpzEntry[] = [];
  const walk = (value: unknown): unknown => {
    if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0)))
      return { $number: Object.is(value, -0) ? '-0' : String(value) } satisfies Mark;
    if (isFloats(value)) return { $array: arrays.push({ data: value.slice() }) - 1 } satisfies Mark;
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, walk(inner)]));
    return value;
  };
  const text = JSON.stringify(walk(state));
  return { text, arrays };
}

/** Reads what `packState` wrote; `array(i)` is the i-th array. */
export function unpackState(text: string, array: (index: number) => unknown): unknown {
  return JSON.parse(text, (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null) return value;
    if ('$array' in value) return array(Number((value as { $array: unknown }).$array));
    if ('$number' in value) return Number((value as { $number: unknown }).$number);
    return value;
  });
}
