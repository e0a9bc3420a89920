import type { Regime } from '../../../protocol/records.js';
import type { Dataset } from '../../data/index.js';
import type { BuiltModel } from '../../models/build.js';
import type { Sabotage } from '../sabotage.js';
import type { ExperimentDefinition } from '../spec.js';
import type { Checkpoint } from './checkpoint.js';
import type { ThrottleOptions } from './throttle.js';

export interface TrainingSetup {
  readonly built: BuiltModel;
  readonly data: Dataset;
  readonly definition: Omit<ExperimentDefinition, 'model' | 'data'>;
  readonly resume?: Checkpoint;
  readonly sabotage?: Sabotage;
}

export interface TrainControl {
  readonly signal?: AbortSignal;
  /** Awaited before every step: holds the run while it is paused. */
  readonly gate?: (step: number) => Promise<void> | void;
  /** `planned` says whether it is one of the cadence, or of the end; else it is one that an interrupt adds. */
  readonly onCheckpoint?: (checkpoint: Checkpoint, planned: boolean) => Promise<void> | void;
  /** Leaves out kernels where looking costs too much. Absent: every kernel of the schedule is measured. */
  readonly throttle?: ThrottleOptions;
  /** Told once, before the first step. */
  readonly onReady?: (facts: ReadyFacts) => void;
}

export interface ReadyFacts {
  readonly learningRate: number;
  readonly maxStep: number;
  /** On the training set, before the first step. */
  readonly loss: number;
  readonly parameters: number;
  readonly layers: readonly string[];
  readonly probe: number;
  /** Training rows of the probe inputs, [probe]. */
  readonly probeRows: ArrayLike<number>;
  readonly probeLabels: readonly number[];
}

export interface TrainingSummary {
  readonly step: number;
  readonly stopped: boolean;
  readonly loss: { readonly train: number; readonly test: number | null };
  readonly accuracy: number | null;
  readonly drift: number | null;
  readonly movement: Readonly<Record<string, number>>;
  readonly regime: Regime;
  readonly eigenvalues: Float64Array;
}
