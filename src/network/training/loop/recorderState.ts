import type { ResidualState } from '../../../core/dynamics/residualDynamics.js';
import type { GapAt } from '../regime/descent.js';

/** Trainable weights at a step, joined. */
export interface Place {
  readonly step: number;
  readonly weights: Float32Array;
}

/** What is said of a kernel after it has been measured. */
export interface LastKernel {
  readonly drift: number;
  readonly cost: number;
  readonly eigenvalues: Float64Array;
}

/** What a checkpoint keeps of the watch over the regime. */
export interface WatchState {
  readonly dynamics: ResidualState | null;
  /** Kernel [P, P] measured last. */
  readonly kernel: Float64Array | null;
  readonly measured: number;
  readonly step: number;
  readonly path: readonly GapAt[];
  readonly lookedAhead: boolean;
  readonly covered: number;
}

export interface ObserverState {
  readonly last: LastKernel | null;
  readonly twinGap: number | null;
  readonly largestTwinGap: number | null;
  readonly watch: WatchState | null;
}

/** What the recording of a run depends on beside the weights. */
export interface RecorderState {
  /** Of the checkpoint's own step: whether its kernel, and its row, have been recorded. */
  readonly told: { readonly kernel: boolean; readonly row: boolean };
  /** Whether the run has come to its end here by its own rule. */
  readonly over: boolean;
  /** Columns of a kernel whose row is still to come. */
  readonly kernelValues: Readonly<Record<string, number>> | null;
  readonly observer: ObserverState | null;
  /** Places of the run that the loss landscape is drawn around. */
  readonly places: readonly Place[] | null;
}
