import type { Dataset } from '../../data/index.js';
import type { LossName } from '../../data/spec.js';
import type * as tf from '../../tf.js';
import { probeRows, tensorsOf } from '../loop/batches.js';
import type { KernelProbe } from '../observe/probe.js';
import { passesAhead, type Sample } from './descent.js';

/** Share of the multiplications of the run itself that going through it ahead may take. */
const shareOfRun = 0.03;
/** Multiplications that are never worth saving on (some tenths of a second), and what calling the backend takes in a pass. */
const alwaysAllowed = 8e9;
const calling = 1e7;
/** Inputs of a sample: as few say something, more cost too much. */
const fewest = 16;
const most = 1024;

export interface SampleSize {
  readonly loss: LossName;
  /** Training inputs n, and those of one step. */
  readonly inputs: number;
  readonly batch: number;
  /** Multiplications of a forward pass of one input. */
  readonly work: number;
  /** Base step size times what drives the fastest mode: 2 at the stable step. */
  readonly stiffness: number;
  readonly steps: number;
}

/** Training inputs on which a run is gone through ahead: as many as its budget allows, and never less than a few. */
export function sampleSize({ loss, inputs, batch, work, stiffness, steps }: SampleSize): number {
  const pass = 3 * work;
  const allowed = Math.max(alwaysAllowed, shareOfRun * steps * batch * pass);
  const fits = Math.floor((allowed / passesAhead(stiffness, steps, loss) - calling) / pass);
  return Math.min(inputs, most, Math.max(fewest, fits));
}

/** Multiplications of a forward pass of one input, about: weights, times the places at which a layer uses them. */
export function workOf(model: { readonly layers: tf.layers.Layer[] }): number {
  return model.layers.reduce((sum, layer) => {
    const inner = (layer as unknown as { layers?: tf.layers.Layer[] }).layers;
    return sum + (inner ? workOf({ layers: inner }) : layer.countParams() * placesOf(layer));
  }, 0);
}

function placesOf(layer: tf.layers.Layer): number {
  const list = (shape: tf.Shape | tf.Shape[]): tf.Shape[] =>
    Array.isArray(shape[0]) ? (shape as tf.Shape[]) : [shape as tf.Shape];
  const shapes = layer.inboundNodes.flatMap((node) => [
    ...list(node.inputShapes as tf.Shape | tf.Shape[]),
    ...list(node.outputShapes as tf.Shape | tf.Shape[]),
  ]);
  const places = shapes.map((shape) => shape.slice(1, -1).reduce<number>((all, n) => all * (n ?? 1), 1));
  return Math.max(1, ...places);
}

/** `size` training inputs, the probe inputs among them first, with the gap taken on those; the caller disposes. */
export function sampleOf(data: Dataset, probe: Pick<KernelProbe, 'rows' | 'size'>, size: number): Sample {
  const few = Array.from({ length: Math.min(size, probe.size) }, (_, k) =>
    Math.floor((k * probe.size) / Math.min(size, probe.size)),
  ).map((place) => probe.rows[place]);
  const own = new Set(few);
  const more = size > probe.size ? probeRows(data, size).filter((row) => !own.has(row)) : [];
  const rows = [...few, ...more.slice(0, size - few.length)];
  const { x, y } = tensorsOf(data.train, data, rows);
  return { x, y, rows: few.map((_, i) => i) };
}
