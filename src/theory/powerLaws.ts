import type { LineFit } from '../core/stats/index.js';
import type { Dataset } from '../network/data/index.js';
import type { BuiltModel } from '../network/models/build.js';
import type { ClaimContext } from './claim.js';
import type { Figure } from './figure.js';
import { lastOf, powerLawFigure, training, trainToEnd } from './laboratory.js';
import { geometricMeans, pooledFit } from './subSeeds.js';

/** How far whole runs go from their start, as a power of the width or of the scale. */

export interface Distance {
  /** Relative movement of all weights, and of those of the first layer alone. */
  readonly movement: number;
  readonly features: number;
  readonly drift: number;
  /** NaN without a twin. */
  readonly twinGap: number;
}

export interface RunToEnd {
  readonly learningRate: number;
  /** Most steps that the run may take. */
  readonly steps: number;
  /** Share of the initial loss at which it ends. */
  readonly left: number;
  readonly seed: number;
  readonly twin?: boolean;
}

/** Trains a network and says how far it came from its start; the network is disposed of. */
export async function distanceOf(
  built: BuiltModel,
  data: Dataset,
  { learningRate, steps, left, seed, twin = false }: RunToEnd,
  context: ClaimContext,
): Promise<Distance> {
  const definition = training({
    optimizer: { kind: 'sgd', learningRate },
    steps,
    stop: { lossFraction: left },
    seed,
    // One row at either end: a run that stops at a row's step would not report its last kernel.
    measure: { kernels: 2, twin, metricsEvery: steps },
  });
  try {
    const { rows } = await trainToEnd(built, data, definition, context);
    return {
      movement: lastOf(rows, 'movement'),
      features: lastOf(rows, 'movement.features'),
      drift: lastOf(rows, 'drift'),
      twinGap: lastOf(rows, 'twinGap'),
    };
  } finally {
    built.model.dispose();
  }
}

export interface Sweep<T, Name extends string> {
  readonly seeds: readonly number[];
  readonly points: readonly T[];
  /** What is said while a point is measured. */
  readonly text: (point: T) => string;
  readonly measure: (point: T, seed: number) => Promise<Readonly<Record<Name, number>>>;
}

/** Measures every point under every seed: by quantity, [seeds][points]. */
export async function measureSweep<T, Name extends string>(
  names: readonly Name[],
  { seeds, points, text, measure }: Sweep<T, Name>,
  context: ClaimContext,
): Promise<Record<Name, number[][]>> {
  const runs = Object.fromEntries(names.map((name) => [name, [] as number[][]])) as Record<Name, number[][]>;
  for (const [i, seed] of seeds.entries()) {
    for (const name of names) runs[name].push([]);
    for (const [k, point] of points.entries()) {
      context.progress?.((i + k / points.length) / seeds.length, text(point));
      const found = await measure(point, seed);
      for (const name of names) runs[name][i].push(found[name]);
    }
  }
  return runs;
}

export interface PowerLaw {
  /** Geometric means over the seeds, by point. */
  readonly typical: readonly number[];
  readonly fit: LineFit;
}

/** The power law in x that runs [seeds][points] follow, fitted from one point on. */
export const powerLawOf = (
  x: readonly number[],
  runs: readonly (readonly number[])[],
  from = 0,
): PowerLaw => ({
  typical: geometricMeans(runs),
  fit: pooledFit(
    x.slice(from),
    runs.map((run) => run.slice(from)),
  ),
});

/** Power laws in one x, drawn with their fits. */
export const powerLawsFigure = (
  title: string,
  xLabel: string,
  x: readonly number[],
  laws: Readonly<Record<string, PowerLaw>>,
): Figure =>
  powerLawFigure(
    title,
    xLabel,
    Object.entries(laws).map(([label, { typical, fit }]) => ({ label, x, y: typical, fit })),
  );
