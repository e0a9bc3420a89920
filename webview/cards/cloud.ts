import type { Snapshot } from '../../src/protocol/records.js';

/** Neurons as points: [m, 3] rows theta on two directions, then u. */
export interface Cloud {
  readonly data: Float32Array | Float64Array;
  readonly count: number;
}

/** Ends of the axes: so far that nearly every neuron of every measurement is inside. */
export interface Reach {
  readonly theta: number;
  readonly u: number;
}

/** Share of the neurons that lie inside the axes. */
const inside = 0.995;

/** Reach of one measurement. */
export function reachOf({ data, shape }: Snapshot): Reach {
  const count = shape[0];
  const theta = new Float64Array(count);
  const u = new Float64Array(count);
  for (let j = 0; j < count; j++) {
    theta[j] = Math.max(Math.abs(data[3 * j]), Math.abs(data[3 * j + 1]));
    u[j] = Math.abs(data[3 * j + 2]);
  }
  const at = (values: Float64Array) => values.sort()[Math.floor(inside * (count - 1))] ?? 0;
  return { theta: at(theta), u: at(u) };
}

/**
 * The cloud at a step that may lie between two measurements: there the neurons are placed on the straight line between
 * them, in the logarithm of the step (measurements are log-spaced). Writes into `buffer` when it has the size.
 */
export function cloudAt(
  all: readonly Snapshot[],
  step: number | null,
  buffer: Float32Array | null,
): Cloud | null {
  if (all.length === 0) return null;
  let i = all.length - 1;
  if (step !== null) while (i > 0 && all[i].step > step) i--;
  const [from, to] = [all[i], all[i + 1]];
  const count = from.shape[0];
  if (step === null || !to || step <= from.step || to.data.length !== from.data.length)
    return { data: from.data, count };
  const share = (Math.log1p(step) - Math.log1p(from.step)) / (Math.log1p(to.step) - Math.log1p(from.step));
  const out = buffer?.length === from.data.length ? buffer : new Float32Array(from.data.length);
  for (let j = 0; j < out.length; j++) out[j] = from.data[j] + share * (to.data[j] - from.data[j]);
  return { data: out, count };
}
