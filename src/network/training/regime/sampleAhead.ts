import type { Dataset } from '../../data/index.js';
import type * as tf from '../../tf.js';
import { probeRows, tensorsOf } from '../loop/batches.js';
import type { KernelProbe } from '../observe/probe.js';
import { descendAhead, type GapAt, passesAhead, type SampleRun } from './descentAhead.js';

/** Leaps of all looks ahead of a run by its kernels, about, and products of the kernel with a residual in a leap. */
const leaps = 16;
const perLeap = 320;
const forwards = 8;
/** Multiplications of the backend that take as long as one in a script. */
const scripted = 25;
/** What calling the backend takes in every pass, and what is never worth saving on: some tenths of a second a run. */
const calling = 1e7;
const alwaysAllowed = 8e9;
const mostInputs = 1024;

export interface SampleSize {
  /** Training inputs n, probe inputs P, outputs O, weights W. */
  readonly inputs: number;
  readonly probes: number;
  readonly outputs: number;
  readonly weights: number;
  /** eta lambda_max / (n O), with the momentum's factor; and steps of the run. */
  readonly stiffness: number;
  readonly steps: number;
}

/**
 * Training inputs on which going through the run ahead multiplies no more than the looks by kernels do; a leap of those
 * takes about as much as eight forward passes over the probes, and the products of every output's residual with the kernel.
 */
export function sampleSize({ inputs, probes, outputs, weights, stiffness, steps }: SampleSize): number {
  const network = forwards * probes * weights;
  const byKernels = leaps * (network + scripted * perLeap * outputs * probes ** 2);
  const allowed = Math.max(alwaysAllowed, byKernels);
  const pass = allowed / passesAhead(stiffness, steps) - calling;
  return Math.max(0, Math.min(inputs, mostInputs, Math.floor(pass / (3 * weights))));
}

/**
 * Whether a sample says more than the probe inputs: it is larger, or there are several outputs, which act on one another
 * and have kernels that change in different ways, while the kernel on the probe inputs is their mean.
 */
export const saysMore = (
  size: number,
  { probes, outputs }: Pick<SampleSize, 'probes' | 'outputs'>,
): boolean => size > probes || (size === probes && outputs > 1);

/** Goes through a run from its start on `size` training inputs, the probe inputs among them (see `descendAhead`). */
export async function lookOnSample(
  model: tf.LayersModel,
  data: Dataset,
  probe: KernelProbe,
  size: number,
  run: SampleRun,
  look: () => Promise<void>,
): Promise<GapAt[]> {
  const own = new Set(probe.rows);
  const more = probeRows(data, size).filter((row) => !own.has(row));
  const rows = [...probe.rows, ...more.slice(0, size - probe.size)];
  const { x, y } = tensorsOf(data.train, data, rows);
  try {
    const places = Array.from(probe.rows, (_, i) => i);
    return await descendAhead(model, { x, y, rows: places }, run, look);
  } finally {
    x.dispose();
    y.dispose();
  }
}
