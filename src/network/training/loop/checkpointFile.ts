import * as v from 'valibot';
import { InputError } from '../../../core/errors.js';
import { decodeNpz, encodeNpz, type Inflate, type NpzEntry } from '../../../core/npz.js';
import type { Checkpoint } from './checkpoint.js';
import type { RecorderState } from './recorderState.js';
import { packState, unpackState } from './stateFile.js';

const floats = v.instance(Float32Array);
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const word = v.pipe(v.number(), v.integer());
const state = v.looseObject({
  step: count,
  time: v.pipe(v.number(), v.finite()),
  count,
  noise: v.tuple([word, word, word, word, v.nullable(v.pipe(v.number(), v.finite()))]),
  more: v.optional(v.record(v.string(), count)),
});

/**
 * A checkpoint as an npz: "0", "1", ... are `model.getWeights()`; the optimiser's buffers and state are beside. `more` are
 * counts that belong to it, such as how long the files of the run were.
 */
export function encodeCheckpoint(
  checkpoint: Checkpoint,
  more?: Readonly<Record<string, number>>,
): Uint8Array {
  const entries: Record<string, NpzEntry> = {};
  for (const [i, { shape, values }] of checkpoint.weights.entries())
    entries[String(i)] = { data: values, shape };
  const { slots, ...rest } = checkpoint.optimizer;
  for (const [i, slot] of Object.entries(slots)) {
    entries[`slot.${i}.first`] = { data: slot.first };
    if (slot.second) entries[`slot.${i}.second`] = { data: slot.second };
  }
  for (const [i, data] of (checkpoint.twin ?? []).entries()) entries[`twin.${i}`] = { data };
  const text = JSON.stringify({ step: checkpoint.step, time: checkpoint.time, more, ...rest });
  entries['state'] = { data: new TextEncoder().encode(text) };
  if (checkpoint.recorder) {
    const packed = packState(checkpoint.recorder);
    entries['recorder'] = { data: new TextEncoder().encode(packed.text) };
    for (const [i, entry] of packed.arrays.entries()) entries[`recorder.${i}`] = entry;
  }
  return encodeNpz(entries);
}

export interface DecodedCheckpoint extends Checkpoint {
  readonly more?: Readonly<Record<string, number>>;
}

/**
 * Reads what `encodeCheckpoint` wrote. `name` is for error messages; `inflate` undoes raw deflate. Throws a RangeError or
 * an InputError with a whole sentence where the file is damaged.
 */
export function decodeCheckpoint(bytes: Uint8Array, name: string, inflate: Inflate): DecodedCheckpoint {
  const arrays = decodeNpz(bytes, name, inflate);
  const damaged = (what: string) =>
    new InputError(`${name} is no whole checkpoint: ${what}. Go on from an earlier one.`, { file: name });
  const textOf = (entry: string): string => {
    const data = arrays.get(entry)?.data;
    if (!(data instanceof Uint8Array)) throw damaged(`it has no ${entry}`);
    return new TextDecoder().decode(data);
  };
  const floatsOf = (entry: string): Float32Array => {
    const data = arrays.get(entry)?.data;
    if (!v.is(floats, data)) throw damaged(`${entry} is no float32 array`);
    return data;
  };
  const parsed = v.safeParse(state, parseJson(textOf('state')));
  if (!parsed.success) throw damaged(`its state is not as it was written (${parsed.issues[0].message})`);
  const { step, time, count: taken, noise, more } = parsed.output;
  const weights: { shape: readonly number[]; values: Float32Array }[] = [];
  for (let i = 0; arrays.has(String(i)); i++)
    weights.push({ shape: arrays.get(String(i))?.shape ?? [], values: floatsOf(String(i)) });
  const slots: Record<number, { first: Float32Array; second: Float32Array | null }> = {};
  for (const key of arrays.keys()) {
    const match = /^slot\.(\d+)\.first$/.exec(key);
    if (!match) continue;
    const second = `slot.${match[1]}.second`;
    slots[Number(match[1])] = { first: floatsOf(key), second: arrays.has(second) ? floatsOf(second) : null };
  }
  const twin: Float32Array[] = [];
  for (let i = 0; arrays.has(`twin.${i}`); i++) twin.push(floatsOf(`twin.${i}`));
  const recorder = arrays.has('recorder')
    ? (unpackState(textOf('recorder'), (i) => {
        const data = arrays.get(`recorder.${i}`)?.data;
        if (!(data instanceof Float32Array || data instanceof Float64Array))
          throw damaged(`recorder.${i} is no array of floats`);
        return data;
      }) as RecorderState)
    : undefined;
  return {
    ...(twin.length > 0 ? { twin } : {}),
    ...(recorder ? { recorder } : {}),
    ...(more ? { more } : {}),
    step,
    time,
    weights,
    optimizer: { count: taken, noise, slots },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
