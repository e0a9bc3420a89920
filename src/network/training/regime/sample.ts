import type { Dataset } from '../../data/index.js';
import type { LossName } from '../../data/spec.js';
import { chainOf } from '../../patterns/denseChain.js';
import type * as tf from '../../tf.js';
import { probeRows, tensorsOf } from '../loop/batches.js';
import type { KernelProbe } from '../observe/probe.js';
import { passesAhead, type Sample } from './descent.js';

/** Share of the multiplications of the run itself that going through it ahead may take. */
const shareOfRun = 0.02;
/** Multiplications that are never worth saving on: some tenths of a second. */
const alwaysAllowed = 1.5e10;
/** What calling the backend takes in a pass, and adding up a weight in a stage, in multiplications of large products. */
const calling = 1e7;
const adding = 400;
/** Inputs of a sample: fewer say nothing, more cost too much. */
const sizes = [1024, 768, 512, 384, 256, 192, 128, 96, 64, 48, 32, 24, 16] as const;

export interface SampleSize {
  readonly loss: LossName;
  /** Training inputs n, and those of one step. */
  readonly inputs: number;
  readonly batch: number;
  readonly cost: NetworkCost;
  /** Base step size times what drives the fastest mode: 2 at the stable step. */
  readonly stiffness: number;
  readonly steps: number;
}

/** Training inputs on which a run is simulated: as many as its budget allows; 0 where it allows none. */
export function sampleSize({ loss, inputs, batch, cost, stiffness, steps }: SampleSize): number {
  const allowed = Math.max(alwaysAllowed, shareOfRun * steps * batch * 3 * cost.work);
  const passes = passesAhead(stiffness, steps, loss);
  const fits = sizes.find((size) => {
    const n = Math.min(size, inputs);
    const saved = savedOf(cost, n);
    return passes * (calling + 3 * n * (cost.work - saved) + adding * (cost.weights - saved)) <= allowed;
  });
  return fits === undefined ? 0 : Math.min(inputs, fits);
}

/** Smallest sample that says something. */
export const fewest = sizes[sizes.length - 1];

export interface NetworkCost {
  /** Multiplications of a forward pass of one input, about. */
  readonly work: number;
  /** Trainable weights. */
  readonly weights: number;
  /** Entries of an input of a chain of dense layers, and units of its first layer: few inputs need few of its weights. */
  readonly first?: { readonly entries: number; readonly units: number };
}

const savedOf = ({ first }: NetworkCost, n: number): number =>
  first && 2 * n <= first.entries ? (first.entries - n) * first.units : 0;

/** What passes of a model cost. */
export function costOf(model: tf.LayersModel): NetworkCost {
  const weights = model.trainableWeights.reduce((sum, w) => sum + w.read().size, 0);
  const kernel = chainOf(model)?.[0].kernel;
  const first = kernel ? { first: { entries: kernel.shape[0], units: kernel.shape[1] as number } } : {};
  return { work: workOf(model), weights, ...first };
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
