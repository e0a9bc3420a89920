/**
 * The wire between whoever starts a trainer (extension host, command line, tests) and the trainer child process.
 * `fork` with `serialization: 'advanced'`, so typed arrays travel as they are. Both directions carry the version and a
 * sequence number; `checkTrainerMessage` and `checkHostMessage` (validate.ts) refuse anything else with a sentence.
 */
import type { NoteRecord, RegimeRecord, RunEnded, RunStarted, Snapshot } from './records.js';
import type { Sentence } from './sentence.js';

export const trainerWireVersion = 1;

/** A batch of metrics rows as columns: NaN where a row lacks the column. All arrays have length `step.length`. */
export interface MetricsFrame {
  readonly step: Float64Array;
  readonly time: Float64Array;
  readonly columns: Readonly<Record<string, Float64Array>>;
}

export interface RunRequest {
  readonly file: string;
  readonly exportName: string;
  /** `path=value` overrides, already parsed. */
  readonly overrides: Readonly<Record<string, unknown>>;
  readonly backend: 'auto' | 'native' | 'wasm' | 'cpu';
  readonly nativePath?: string;
  /** Data spec for plain builders, as text (`mnist:0,1`, `digits`, `csv:path` ...). */
  readonly data?: string;
  /** Folder that holds `<id>/`; default `.kernelscope/runs` beside the workspace root. */
  readonly runsFolder: string;
  readonly runId?: string;
  /** Name of the sweep that the run is a cell of. */
  readonly sweep?: string;
  /** Hash of what a cell is trained from. */
  readonly cell?: string;
  /** Resume from the last checkpoint of this run folder. */
  readonly resume?: string;
  readonly paused?: boolean;
  /** Leaves out kernels where measuring takes more than a tenth of the training time; for runs that are looked at live. */
  readonly throttle?: boolean;
}

/** Diagnostics of the model under the cursor, before any training. */
export interface InspectRequest {
  readonly file: string;
  /** Unsaved text of the file, when it differs from the disk. */
  readonly text?: string;
  readonly exportName: string;
  readonly overrides: Readonly<Record<string, unknown>>;
  readonly backend: 'auto' | 'native' | 'wasm' | 'cpu';
  readonly nativePath?: string;
  readonly data?: string;
  /** A builder that nobody has said data for: normal inputs stand in, and nothing is said that needs targets. */
  readonly placeholderData?: boolean;
}

export interface Inspection {
  /** Name of the data, and whether normal inputs stand in for data that is not known. */
  readonly data: { readonly name: string; readonly placeholderData: boolean };
  readonly parameters: number;
  readonly layers: readonly {
    readonly name: string;
    /** What people call it: its name, or its type and number where TensorFlow.js made the name up. */
    readonly label: string;
    readonly type: string;
    readonly outputShape: readonly (number | null)[];
    readonly parameters: number;
    /** Share of the kernel's trace. */
    readonly kernelShare: number;
    /** Share of units that are dead (never active) or saturated on the probe set; null where it means nothing. */
    readonly deadUnits: number | null;
    readonly saturatedUnits: number | null;
  }[];
  readonly probe: number;
  readonly eigenvalues: Float64Array;
  readonly energy: Float64Array;
  readonly noiseFloor: number;
  readonly limitEigenvalues?: Float64Array;
  /** Why there is no infinite-width kernel, when there is none. */
  readonly limitNote?: string;
  readonly condition: number;
  readonly maxStep: number;
  readonly learningRate: number;
  readonly predictedLoss: { readonly step: Float64Array; readonly loss: Float64Array };
  /** Steps to 50 %, 10 % and 1 % of the initial loss by the kernel; null when never. */
  readonly stepsTo: {
    readonly half: number | null;
    readonly tenth: number | null;
    readonly hundredth: number | null;
  };
  readonly regime: { readonly regime: string; readonly reasons: readonly string[] };
  readonly problems: readonly InspectionProblem[];
  /** What was found out, left out or replaced when the file and its data were read, in sentences. */
  readonly notes: readonly string[];
  readonly backend: { readonly name: string; readonly why: string };
  readonly milliseconds: number;
}

/** A theory-backed problem, tied to a field of the definition (`optimizer.learningRate`, `model.width` ...). */
export interface InspectionProblem {
  readonly code: string;
  readonly severity: 'error' | 'warning' | 'information';
  readonly field: string;
  /** The layer it is about, when it is about one. */
  readonly layer?: string;
  readonly message: Sentence;
  /** New value of the field, as source text, with the title of the quick fix. */
  readonly fix?: { readonly title: Sentence; readonly value: string };
}

export type FromHost =
  | { readonly type: 'hello'; readonly version: number }
  | { readonly type: 'run'; readonly request: RunRequest }
  /** A run may come: what it needs is loaded and compiled. */
  | { readonly type: 'warm'; readonly request: Pick<RunRequest, 'backend' | 'nativePath'> }
  | { readonly type: 'inspect'; readonly id: number; readonly request: InspectRequest }
  | { readonly type: 'cancelInspect'; readonly id: number }
  | { readonly type: 'ack'; readonly frame: number }
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  | { readonly type: 'step'; readonly count: number }
  | { readonly type: 'stop' }
  | { readonly type: 'shutdown' };

export type FromTrainer =
  | { readonly type: 'hello'; readonly version: number; readonly node: string; readonly pid: number }
  | { readonly type: 'progress'; readonly stage: string; readonly fraction?: number }
  /** `loss` is that of step 0, told before anything slower is measured; its row follows. Null where a run goes on. */
  | { readonly type: 'started'; readonly info: RunStarted; readonly loss: number | null }
  | {
      readonly type: 'frame';
      readonly frame: number;
      readonly metrics: MetricsFrame;
      readonly snapshots: readonly Snapshot[];
      readonly events: readonly (RegimeRecord | NoteRecord)[];
    }
  | { readonly type: 'paused'; readonly step: number }
  | { readonly type: 'resumed'; readonly step: number }
  | { readonly type: 'finished'; readonly ended: RunEnded }
  | { readonly type: 'inspected'; readonly id: number; readonly result: Inspection }
  /** `field` names the part of the definition at fault when known; `line` (1-based) the place in the file. */
  | {
      readonly type: 'error';
      readonly id?: number;
      readonly message: string;
      readonly field?: string;
      readonly file?: string;
      readonly line?: number;
      readonly column?: number;
    };

export type Envelope<M> = { readonly v: number; readonly seq: number; readonly message: M };
