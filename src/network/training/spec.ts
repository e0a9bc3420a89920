/** A training run as a plain value: what `train` takes. */

import type { DataFunction, DataSpec, LossName } from '../data/spec.js';
import type { ModelBuilder, ModelSpec } from '../models/spec.js';

export interface OptimizerSpec {
  readonly kind: 'sgd' | 'momentum' | 'adam';
  /** Base step size eta (that of theta); 'auto' is half the largest stable step measured from the kernel. */
  readonly learningRate: number | 'auto';
  readonly momentum?: number;
  /** eta_u / eta_theta of a two-layer network: 1, alpha, m / alpha, or a number. */
  readonly ratio?: 'equal' | 'alpha' | 'm/alpha' | number;
  /** Factor on the base step: none, m (mean-field time) or m / alpha^2 (equal training time across widths and scales). */
  readonly stepScale?: 'none' | 'm' | 'm/alpha^2';
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
}

export interface RegularizationSpec {
  /** (lambda / 2) |w|^2 (per neuron: divided by m) on all parameters, on the readout u, or on theta. */
  readonly all?: number;
  readonly readout?: number;
  readonly features?: number;
}

export interface NoiseSpec {
  /** Temperature tau of Langevin noise: each step adds sqrt(2 tau eta) N(0, I) to the parameters. */
  readonly temperature: number;
  readonly on?: 'all' | 'readout' | 'features';
}

export interface StopSpec {
  /** Stop when the training loss is at most this fraction of the initial one. */
  readonly lossFraction?: number;
  readonly loss?: number;
  /** Stop once training time (steps times step size) reaches this. */
  readonly time?: number;
}

export interface MeasureSpec {
  /** Number of kernel measurements over the run, log-spaced (default 24); 0 turns kernels off. */
  readonly kernels?: number;
  /** Also measure the kernel every this many steps. */
  readonly every?: number;
  /** Linearised twin trained on the same batches. */
  readonly twin?: boolean;
  /** Top Hessian eigenvalue at the kernel's cadence. */
  readonly sharpness?: boolean;
  /** Loss on the plane of the path and on the line from start to end, evaluated after the last step. */
  readonly landscape?: boolean;
  /** Neurons as particles (two-layer networks). */
  readonly particles?: boolean;
  /** Steps between metrics rows (default: chosen for about 2,000 rows). */
  readonly metricsEvery?: number;
  /** Steps between checkpoints (default: ten over the run). */
  readonly checkpointEvery?: number;
}

/** A complete experiment, after defaults were filled in by the schema. `probe` is P, the number of probe inputs. */
export interface ExperimentDefinition {
  readonly name?: string;
  /** The regime this experiment is meant to show; the editor warns where width and scale cannot give it. */
  readonly expect?: 'lazy' | 'rich';
  readonly model: ModelSpec | ModelBuilder;
  readonly data: DataSpec | DataFunction;
  readonly loss: LossName;
  readonly optimizer: OptimizerSpec;
  readonly steps: number;
  readonly batch: number | 'full';
  readonly probe: number;
  readonly seed: number;
  /** Arguments of the model's builder, by name. */
  readonly args?: Readonly<Record<string, unknown>>;
  readonly regularization?: RegularizationSpec;
  readonly noise?: NoiseSpec;
  readonly stop?: StopSpec;
  readonly measure: MeasureSpec;
}
