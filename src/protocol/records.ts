/**
 * What a training run says about itself. The training loop yields these records; the trainer writes them to the run
 * folder and sends them up the wire; the host keeps them per run; panels draw them. Nothing here knows TensorFlow,
 * Node or the DOM.
 */

/** One row at the fixed cadence. Columns: see `metricColumns`; `movement.<layer>` holds one relative movement per layer. */
export interface MetricsRow {
  readonly kind: 'metrics';
  readonly step: number;
  /** Training time: the sum of step sizes so far. */
  readonly time: number;
  /** Absent: not measured at this step. NaN or infinite: measured and not finite (null in metrics.jsonl). */
  readonly values: Readonly<Record<string, number>>;
}

/**
 * Scalar columns a row may hold, in the order of display. Further names: `movement.<layer>` (relative L2 movement of
 * one layer). `drift` is |Theta_t - Theta_0|_F / |Theta_0|_F on the probe set, `twinGap` the relative L2 distance
 * between network and linearised twin outputs on the probe set, `cost` is C(y), `sharpness` the top Hessian
 * eigenvalue, `stepBound` 2 / eta, `maxStep` the largest stable step by the kernel, `tax` the share of wall time spent
 * on diagnostics.
 */
export const metricColumns = [
  'loss',
  'testLoss',
  'accuracy',
  'trainAccuracy',
  'drift',
  'movement',
  'twinLoss',
  'twinTestLoss',
  'twinGap',
  'predictedLoss',
  'alignment',
  'cost',
  'lambdaMax',
  'lambdaMin',
  'sharpness',
  'stepBound',
  'maxStep',
  'effectiveNeurons',
  'tax',
] as const;
export type MetricColumn = (typeof metricColumns)[number];

/** Columns that hold wall-clock measurements: they differ between equal runs, and belong to timing.jsonl. */
export const timingColumns = ['tax'] as const satisfies readonly MetricColumn[];

/**
 * Arrays measured now and then. With P probe inputs, O outputs:
 * - `eigenvalues` [P] descending, float64, of the trace kernel on the probe set
 * - `energy` [P]: share of label energy (v_k . y)^2 / |y|^2 of each mode of this kernel
 * - `residual` [P]: v_k(0) . (f_t - y) of each mode of the INITIAL kernel; `predictedResidual` [P]: theory's value
 * - `kernel` [P, P] float32 trace kernel; `eigenvectors` [k, P] rows are the top modes
 * - `neuronMovement` [m]: L2 distance of each first-layer neuron from its start; `neuronMovement.<layer>` likewise
 * - `particles` [m, 3]: theta on two fixed principal directions, then u
 * - `layerShare` [layers]: share of each layer in the kernel's trace (names in `layers` of RunStarted)
 * - `probeInputs` [P, ...input shape], once, where they are small enough to be looked at
 * - `landscape` [g, g, 3], `weightPath` [places, 3], `lossLine` [points, 2] at the end: see network/training/observe/landscape
 * - `probeOutputs` [P, O]; `limitEigenvalues` [P]: infinite-width ghost
 */
export const snapshotNames = [
  'eigenvalues',
  'energy',
  'residual',
  'predictedResidual',
  'kernel',
  'eigenvectors',
  'neuronMovement',
  'particles',
  'layerShare',
  'probeInputs',
  'probeOutputs',
  'limitEigenvalues',
  'landscape',
  'weightPath',
  'lossLine',
] as const;
export type SnapshotName = (typeof snapshotNames)[number] | `neuronMovement.${string}`;

export interface Snapshot {
  readonly kind: 'snapshot';
  readonly name: SnapshotName;
  readonly step: number;
  readonly time: number;
  /** Row-major shape of `data`. */
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array;
  /** For `eigenvalues`: values below it are rounding noise of the float32 Gram matrix. */
  readonly noiseFloor?: number;
}

export type Regime = 'lazy' | 'rich' | 'in between' | 'undetermined';

/** One measurement that the verdict rests on: below `lazy` it speaks for the lazy, above `rich` for the rich regime. */
export interface RegimeEvidence {
  /** `gap` is the distance from the linearisation so far, `expectedGap` that of the whole run. */
  readonly name: 'gap' | 'expectedGap' | 'drift' | 'twinGap' | 'movement';
  readonly value: number;
  readonly lazy: number;
  readonly rich: number;
}

export interface RegimeRecord {
  readonly kind: 'regime';
  readonly step: number;
  readonly regime: Regime;
  /** Where the verdict lies: 0 at the bar of lazy, 1 at that of rich, in the logarithm. Absent where nothing could be said. */
  readonly score?: number;
  readonly evidence?: readonly RegimeEvidence[];
  /** Sentences, strongest first: what was measured and what it means; also when theory does not apply. */
  readonly reasons: readonly string[];
}

/** Anything worth a line in the log and, by level, a mark on the charts (chosen step size, throttled diagnostics ...). */
export interface NoteRecord {
  readonly kind: 'note';
  readonly step: number;
  readonly level: 'info' | 'warning';
  readonly text: string;
  /** Diagnostics were left out to keep their cost down. */
  readonly throttle?: boolean;
}

export type RunRecord = MetricsRow | Snapshot | RegimeRecord | NoteRecord;

export type RunStatus = 'running' | 'paused' | 'finished' | 'stopped' | 'diverged' | 'failed' | 'interrupted';

/** Who trained: Kernelscope itself, or a program that was watched. */
export type RunKind = 'trained' | 'watched';

/** Facts known before the first step. What a watched run cannot know is absent. */
export interface RunStarted {
  /** Absent: trained. */
  readonly kind?: RunKind;
  readonly run: string;
  /** Absolute path of the run folder. */
  readonly folder: string;
  readonly name: string;
  /** Model file (absolute) and export the run came from. */
  readonly source: { readonly file: string; readonly exportName: string; readonly line?: number };
  readonly definition: Readonly<Record<string, unknown>>;
  readonly backend: { readonly name: string; readonly why: string };
  readonly steps?: number;
  readonly learningRate?: number;
  readonly parameters: number;
  /** Names of the layers that hold weights, in order. */
  readonly layers: readonly string[];
  readonly probe: { readonly size: number; readonly outputs: number; readonly labels: readonly number[] };
  readonly outputs: number;
  readonly train?: number;
  readonly test?: number;
  readonly seed?: number;
  readonly startedAt: string;
}

/** How the run ended; `message` is a sentence for people (what went wrong, at which step, the way out). */
export interface RunEnded {
  readonly status: Exclude<RunStatus, 'running' | 'paused'>;
  readonly step: number;
  readonly message?: string;
  readonly summary?: {
    readonly loss: { readonly train: number; readonly test: number | null };
    readonly accuracy: number | null;
    readonly drift: number | null;
    readonly movement: Readonly<Record<string, number>>;
    readonly regime: Regime;
    readonly seconds: number;
  };
}
