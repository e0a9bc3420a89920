/**
 * What a model file exports: the plain value behind every run. Every field can be overridden from the
 * command line (`--set model.width=4096`), which is also how sweeps work.
 *
 * This file holds types only; `schema.ts` checks values and explains what is wrong with them.
 */

/** Names of the activations known to the builders, the empirical and the infinite-width kernels. */
export const activationNames = [
  'relu',
  'leakyRelu',
  'abs',
  'erf',
  'sin',
  'cos',
  'gelu',
  'identity',
  'tanh',
  'sigmoid',
  'softplus',
  'silu',
  'exp',
] as const;
export type ActivationName = (typeof activationNames)[number];

/**
 * Top-layer scale alpha of f(x) = (alpha / m) sum_j u_j h(theta_j, x): 'ntk' is sqrt(m), 'mean-field' is 1,
 * 'standard' is sqrt(m) with the scale put into the initial u instead of a factor, a string `m^t` is a power of the
 * width, a number is alpha itself.
 */
export type TwoLayerScale = 'ntk' | 'mean-field' | 'standard' | `m^${number}` | number;

/** 'symmetric' starts in +u/-u pairs over equal theta, so that f_0 = 0 exactly (needs an even width). */
export type StartName = 'gaussian' | 'symmetric';

/** Which parameters move: all, the readout u alone (random features), or the network's tangent space at the start. */
export type TrainedPart = 'all' | 'readout' | 'tangent';

export interface TwoLayerModel {
  readonly kind: 'twoLayer';
  readonly width: number;
  readonly activation: ActivationName;
  readonly scale: TwoLayerScale;
  readonly init: StartName;
  /** Start of theta: N(0, I/d) ('inverse-dimension', the default) or N(0, I) ('unit'). */
  readonly thetaStart: 'inverse-dimension' | 'unit';
  readonly bias: boolean;
  readonly train: TrainedPart;
}

export const parameterizationNames = ['standard', 'ntk', 'mean-field', 'maximal-update'] as const;
export type ParameterizationName = (typeof parameterizationNames)[number];

export interface MlpModel {
  readonly kind: 'mlp';
  /** Widths of the hidden layers, first to last. */
  readonly hidden: readonly number[];
  readonly activation: ActivationName;
  readonly parameterization: ParameterizationName;
  /** Standard deviation factor of the weights (variance sigmaW^2 / fan-in) and of the biases. */
  readonly sigmaW: number;
  readonly sigmaB: number;
  readonly bias: boolean;
  readonly init: StartName;
  readonly train: TrainedPart;
}

export interface ResidualModel {
  readonly kind: 'residual';
  readonly width: number;
  /** Number of residual blocks L. */
  readonly depth: number;
  readonly activation: ActivationName;
  /** Factor of each block: 1/L, 1/sqrt(L) or a number. */
  readonly blockScale: '1/L' | '1/sqrt(L)' | number;
  /** 'independent' (the default): every block is drawn anew; 'equal': all start from the same weights, smooth in depth. */
  readonly init?: 'independent' | 'equal';
  readonly train: TrainedPart;
}

export type ModelSpec = TwoLayerModel | MlpModel | ResidualModel;

/**
 * A plain TensorFlow.js builder: takes the `tf` namespace and returns a `tf.LayersModel` (typed loosely here because
 * this file must not import TensorFlow; `network` narrows it).
 */
export type ModelBuilder = (tf: never) => unknown;

interface Subset {
  /** Number of training samples (default: all, or the source's natural size). */
  readonly train?: number;
  /** Number of test samples. */
  readonly test?: number;
  /** Seed of the subset; the experiment's seed when absent. */
  readonly seed?: number;
}

export type DataSpec =
  | (Subset & {
      readonly kind: 'mnist';
      /** Classes kept; two classes give targets -1/+1 under squared loss. */
      readonly digits?: readonly number[];
      /** Folder with the four idx files (gzipped or not), relative to the model file. */
      readonly path?: string;
      readonly shuffleLabels?: boolean;
      /** Input shape: [784] by default, [28, 28, 1] with 'image'. */
      readonly shape?: 'flat' | 'image';
    })
  | (Subset & {
      readonly kind: 'digits';
      readonly digits?: readonly number[];
      readonly shuffleLabels?: boolean;
      readonly shape?: 'flat' | 'image';
    })
  | (Subset & {
      readonly kind: 'teacher';
      readonly dimension: number;
      /**
       * 'tanh': y = tanh(slope w.x); 'interaction': y = tanh(1.5 w.x) + .3 x1 x2 / sqrt d; 'network': sum of sigmoid
       * or tanh neurons given in `neurons`.
       */
      readonly target: 'tanh' | 'interaction' | 'network';
      readonly slope?: number;
      readonly neurons?: {
        readonly theta: readonly (readonly number[])[];
        readonly u: readonly number[];
        readonly activation: ActivationName;
      };
      /** Inputs N(0, inputScale^2 I), or rescaled to norm sqrt d with 'sphere'. */
      readonly inputs?: 'normal' | 'sphere';
      readonly inputScale?: number;
      /** Standard deviation of the label noise on training samples. */
      readonly noise?: number;
      readonly shuffleLabels?: boolean;
    })
  | (Subset & {
      readonly kind: 'gaussianMixture';
      readonly dimension: number;
      readonly classes: number;
      /** Distance of the class means from the origin, in units of the within-class deviation. */
      readonly separation: number;
    })
  | (Subset & {
      readonly kind: 'csv';
      readonly path: string;
      /** Column name(s) or index(es) of the target; the last column when absent. */
      readonly target?: string | number | readonly (string | number)[];
      readonly task?: 'regression' | 'classification';
      readonly standardize?: boolean;
    })
  | (Subset & {
      /** A .npz with arrays x, y (and optional xTest, yTest), or two .npy files. */
      readonly kind: 'npz' | 'npy';
      readonly path: string;
      readonly targetPath?: string;
      readonly x?: string;
      readonly y?: string;
      readonly task?: 'regression' | 'classification';
    });

export type LossName = 'mse' | 'crossEntropy';

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
  readonly data: DataSpec;
  readonly loss: LossName;
  readonly optimizer: OptimizerSpec;
  readonly steps: number;
  readonly batch: number | 'full';
  readonly probe: number;
  readonly seed: number;
  readonly regularization?: RegularizationSpec;
  readonly noise?: NoiseSpec;
  readonly stop?: StopSpec;
  readonly measure: MeasureSpec;
}
