import type { LineFit } from '../core/stats/index.js';
import type {
  DataSpec,
  ExperimentDefinition,
  MlpModel,
  ModelSpec,
  TwoLayerModel,
} from '../experiment/definition.js';
import { type Dataset, loadData } from '../network/data/index.js';
import { empiricalKernel } from '../network/kernel/index.js';
import { type BuiltModel, buildModel } from '../network/models/build.js';
import * as tf from '../network/tf.js';
import {
  type Sabotage,
  type TrainControl,
  type TrainingSummary,
  tensorsOf,
  train,
} from '../network/training/index.js';
import type { MetricsRow, RunRecord, Snapshot, SnapshotName } from '../protocol/records.js';
import type { ClaimContext } from './claim.js';
import type { Figure } from './figure.js';

/** What claims and reproductions are made of: tasks, networks, whole runs, kernels, and the figure of a fit. */

export type TrainingDefinition = Omit<ExperimentDefinition, 'model' | 'data'>;

/** A two-layer tanh network, alpha = sqrt(m), symmetrised, theta ~ N(0, I/d): the reference of THEORY's claims. */
export const twoLayerNet = (width: number, more: Partial<TwoLayerModel> = {}): TwoLayerModel => ({
  kind: 'twoLayer',
  width,
  activation: 'tanh',
  scale: 'ntk',
  init: 'symmetric',
  thetaStart: 'inverse-dimension',
  bias: false,
  train: 'all',
  ...more,
});

/** A deep tanh network under the NTK parameterisation, without biases. */
export const deepNet = (hidden: readonly number[], more: Partial<MlpModel> = {}): MlpModel => ({
  kind: 'mlp',
  hidden,
  activation: 'tanh',
  parameterization: 'ntk',
  sigmaW: 1,
  sigmaB: 0,
  bias: false,
  init: 'gaussian',
  train: 'all',
  ...more,
});

/** d = 10, n = 48, inputs of norm sqrt d, y = tanh(1.5 w.x) + .3 x1 x2 / sqrt d: the task of the lazy-training claims. */
export const interactionTask = (more: Partial<Extract<DataSpec, { kind: 'teacher' }>> = {}): DataSpec => ({
  kind: 'teacher',
  dimension: 10,
  target: 'interaction',
  inputs: 'sphere',
  train: 48,
  test: 200,
  ...more,
});

/** d = 20, x ~ N(0, I), y = tanh(3 w.x): one hidden direction, which kernels find hard. */
export const ridgeTask = (more: Partial<Extract<DataSpec, { kind: 'teacher' }>> = {}): DataSpec => ({
  kind: 'teacher',
  dimension: 20,
  target: 'tanh',
  slope: 3,
  train: 400,
  test: 2000,
  ...more,
});

export const dataOf = (
  spec: DataSpec,
  seed: number,
  { loss = 'mse', sabotage }: { loss?: ExperimentDefinition['loss']; sabotage?: Sabotage } = {},
): Dataset => loadData(spec, { folder: '.', seed, loss, sabotage });

export const networkOf = (
  spec: ModelSpec,
  data: Dataset,
  context: ClaimContext,
  seed = context.seed,
): BuiltModel =>
  buildModel(spec, {
    inputShape: data.inputShape,
    outputs: data.outputs,
    seed,
    sabotage: context.sabotage,
  });

/** A training definition with the claims' defaults: squared loss, full batch, no kernels on the way. */
export const training = (more: Partial<TrainingDefinition>): TrainingDefinition => ({
  loss: 'mse',
  optimizer: { kind: 'sgd', learningRate: 'auto' },
  steps: 1000,
  batch: 'full',
  probe: 48,
  seed: 0,
  measure: { kernels: 0, metricsEvery: 50 },
  ...more,
});

/** Gradient descent at eta m / alpha^2, at which features move alike whatever the width and the scale; a row at either end. */
export const scaledDescent = (
  rate: number,
  { steps, ...more }: Partial<TrainingDefinition> & { readonly steps: number; readonly seed: number },
): TrainingDefinition =>
  training({
    optimizer: { kind: 'sgd', learningRate: rate, stepScale: 'm/alpha^2' },
    steps,
    measure: { kernels: 0, metricsEvery: steps },
    ...more,
  });

export interface Finished {
  readonly built: BuiltModel;
  readonly data: Dataset;
  readonly summary: TrainingSummary;
  readonly records: readonly RunRecord[];
  readonly rows: readonly MetricsRow[];
}

/** Trains to the end. The network stays alive for further measurements: `finished.built.model.dispose()` is the caller's. */
export async function trainToEnd(
  built: BuiltModel,
  data: Dataset,
  definition: TrainingDefinition,
  context: ClaimContext,
  control: Pick<TrainControl, 'onCheckpoint'> = {},
): Promise<Finished> {
  const setup = { built, data, definition, sabotage: context.sabotage };
  const loop = train(setup, { ...control, signal: context.signal });
  const records: RunRecord[] = [];
  for (;;) {
    const next = await loop.next();
    if (next.done) {
      context.signal?.throwIfAborted();
      const rows = records.filter((r): r is MetricsRow => r.kind === 'metrics');
      return { built, data, summary: next.value, records, rows };
    }
    records.push(next.value);
  }
}

/** Last value of a column, NaN when it was never measured. */
export const lastOf = (rows: readonly MetricsRow[], column: string): number =>
  rows.reduce((found, row) => row.values[column] ?? found, Number.NaN);

/** A column as two lists, step and value. */
export function columnOf(rows: readonly MetricsRow[], column: string): { step: number[]; value: number[] } {
  const has = rows.filter((row) => row.values[column] !== undefined);
  return { step: has.map((row) => row.step), value: has.map((row) => row.values[column]) };
}

export const snapshotsOf = (records: readonly RunRecord[], name: SnapshotName): Snapshot[] =>
  records.filter((r): r is Snapshot => r.kind === 'snapshot' && r.name === name);

/** The trace kernel [n, n] of a network on the first `count` training inputs, row-major. */
export async function kernelOn(
  built: BuiltModel,
  data: Dataset,
  count = data.train.size,
): Promise<Float32Array> {
  const { x, y } = tensorsOf(
    data.train,
    data,
    Uint32Array.from({ length: Math.min(count, data.train.size) }, (_, i) => i),
  );
  y.dispose();
  try {
    return (await empiricalKernel(built.model, x)).data;
  } finally {
    x.dispose();
  }
}

/** The trace kernel [M, n] between test and training inputs, row-major. */
export async function testKernelOn(built: BuiltModel, data: Dataset): Promise<Float32Array> {
  const test = tensorsOf(data.test, data);
  const against = tensorsOf(data.train, data);
  try {
    return (await empiricalKernel(built.model, test.x, { against: against.x })).data;
  } finally {
    tf.dispose([test.x, test.y, against.x, against.y]);
  }
}

/** Outputs on a part of the data, [n, O] row-major. */
export function outputsOf(built: BuiltModel, data: Dataset, part: 'train' | 'test' = 'train'): Float32Array {
  return tf.tidy(() => {
    const { x } = tensorsOf(data[part], data);
    return (built.model.apply(x) as tf.Tensor).dataSync().slice();
  }) as Float32Array;
}

/** mean (f - y)^2 over a part of the data; y may differ from the data's targets. */
export function meanSquare(f: ArrayLike<number>, y: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < f.length; i++) sum += (f[i] - y[i]) ** 2;
  return sum / f.length;
}

/** |a - b|_F / |b|_F. */
export function relativeDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let top = 0;
  let bottom = 0;
  for (let i = 0; i < b.length; i++) {
    top += (a[i] - b[i]) ** 2;
    bottom += b[i] ** 2;
  }
  return Math.sqrt(top / bottom);
}

/** Measured points of a power law on log axes, with the fitted line through them. */
export function powerLawFigure(
  title: string,
  xLabel: string,
  laws: readonly {
    readonly label: string;
    readonly x: readonly number[];
    readonly y: readonly number[];
    readonly fit: LineFit;
  }[],
): Figure {
  return {
    title,
    xLabel,
    yLabel: 'value',
    logX: true,
    logY: true,
    series: laws.flatMap(({ label, x, y, fit }) => [
      { label, x, y, style: 'dots' as const },
      {
        label: `slope ${fit.slope.toFixed(2)} [${fit.interval[0].toFixed(2)}, ${fit.interval[1].toFixed(2)}]`,
        x,
        y: x.map((v) => Math.exp(fit.intercept + fit.slope * Math.log(v))),
        style: 'dashed' as const,
      },
    ]),
  };
}

/** Whether a number lies within `tolerance` of what theory says. */
export const within = (measured: number, predicted: number, tolerance: number): boolean =>
  Math.abs(measured - predicted) <= tolerance;

export const geometric = (from: number, to: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => from * (to / from) ** (i / (count - 1)));

export const short = (value: number): string => String(Number(value.toPrecision(3)));
