/** Networks as plain values: what `buildModel` builds. */

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
