import { decodeNpz, encodeNpz, type NpzEntry } from '../../../core/npz.js';
import type { Checkpoint } from './checkpoint.js';

/** A checkpoint as an npz: "0", "1", ... are `model.getWeights()`; the optimiser's buffers and state are beside. */
export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array {
  const entries: Record<string, NpzEntry> = {};
  for (const [i, { shape, values }] of checkpoint.weights.entries())
    entries[String(i)] = { data: values, shape };
  const { slots, ...rest } = checkpoint.optimizer;
  for (const [i, slot] of Object.entries(slots)) {
    entries[`slot.${i}.first`] = { data: slot.first };
    if (slot.second) entries[`slot.${i}.second`] = { data: slot.second };
  }
  for (const [i, data] of (checkpoint.twin ?? []).entries()) entries[`twin.${i}`] = { data };
  const state = JSON.stringify({ step: checkpoint.step, time: checkpoint.time, ...rest });
  entries['state'] = { data: new TextEncoder().encode(state) };
  return encodeNpz(entries);
}

/** Reads what `encodeCheckpoint` wrote. `name` is for error messages; `inflate` undoes raw deflate. */
export function decodeCheckpoint(
  bytes: Uint8Array,
  name: string,
  inflate: (bytes: Uint8Array) => Uint8Array,
): Checkpoint {
  const arrays = decodeNpz(bytes, name, inflate);
  const state = JSON.parse(new TextDecoder().decode(arrays.get('state')?.data as Uint8Array)) as {
    step: number;
    time: number;
    count: number;
    noise: Checkpoint['optimizer']['noise'];
  };
  const weights: { shape: readonly number[]; values: Float32Array }[] = [];
  for (let i = 0; arrays.has(String(i)); i++) {
    const array = arrays.get(String(i));
    if (array) weights.push({ shape: array.shape, values: array.data as Float32Array });
  }
  const slots: Record<number, { first: Float32Array; second: Float32Array | null }> = {};
  for (const [key, array] of arrays) {
    const match = /^slot\.(\d+)\.first$/.exec(key);
    if (!match) continue;
    const second = arrays.get(`slot.${match[1]}.second`);
    slots[Number(match[1])] = {
      first: array.data as Float32Array,
      second: (second?.data as Float32Array) ?? null,
    };
  }
  const twin: Float32Array[] = [];
  for (let i = 0; arrays.has(`twin.${i}`); i++) twin.push(arrays.get(`twin.${i}`)?.data as Float32Array);
  return {
    ...(twin.length > 0 ? { twin } : {}),
    step: state.step,
    time: state.time,
    weights,
    optimizer: { count: state.count, noise: state.noise, slots },
  };
}
