import { InputError } from '../../core/errors.js';
import { dualMap } from '../../core/kernels/activations.js';
import type { Layer, Padding } from '../../core/kernels/architecture.js';
import { say } from '../../core/say.js';
import { leakySlope } from '../models/activations.js';
import { Elementwise, ScaledDense } from '../models/layers.js';
import { fans, type InitializerConfig } from '../models/seeding.js';
import type * as tf from '../tf.js';

interface OpenLayer {
  readonly kernel?: tf.LayerVariable;
  readonly bias?: tf.LayerVariable | null;
  readonly gamma?: tf.LayerVariable | null;
  readonly beta?: tf.LayerVariable | null;
}

type Config = Readonly<Record<string, unknown>>;

export const labelOf = (layer: tf.layers.Layer): string =>
  say`Layer "${layer.name}" (${layer.getClassName()})`;

/** Throws the InputError that names the layer. */
export function refuse(layer: tf.layers.Layer, said: string): never {
  throw new InputError(`${labelOf(layer)} ${said}`, { field: 'model' });
}

const trained = (layer: tf.layers.Layer, weight: tf.LayerVariable | null | undefined): boolean =>
  weight !== null && weight !== undefined && layer.trainableWeights.includes(weight);

/** Variance of a centred initialiser's law; null when it is not centred or its entries are not independent. */
function varianceOf(initializer: unknown, shape: readonly number[]): number | null {
  if (typeof initializer !== 'object' || initializer === null) return null;
  const { className, config } = initializer as InitializerConfig;
  const value = (key: string, fallback: number): number => {
    const v = config?.[key];
    return typeof v === 'number' ? v : fallback;
  };
  switch (className) {
    case 'Zeros':
      return 0;
    case 'Constant':
      return value('value', Number.NaN) === 0 ? 0 : null;
    case 'RandomNormal':
      return value('mean', 0) === 0 ? value('stddev', 0.05) ** 2 : null;
    case 'TruncatedNormal':
      // Cut at two deviations, which leaves this share of the deviation.
      return value('mean', 0) === 0 ? (0.87962566103423978 * value('stddev', 0.05)) ** 2 : null;
    case 'RandomUniform': {
      const [low, high] = [value('minval', -0.05), value('maxval', 0.05)];
      return low === -high ? high ** 2 / 3 : null;
    }
    case 'VarianceScaling': {
      const [fanIn, fanOut] = fans(shape);
      const mode = config['mode'];
      const fan = mode === 'fanIn' ? fanIn : mode === 'fanOut' ? fanOut : (fanIn + fanOut) / 2;
      return value('scale', 1) / Math.max(1, fan);
    }
    default:
      return null;
  }
}

/** sigmaW, sigmaB and gains of a plain layer in the standard parameterisation; `rate` is the layer's step factor. */
function weightsOf(layer: tf.layers.Layer, rate: number) {
  const { kernel, bias } = layer as unknown as OpenLayer;
  const config = layer.getConfig() as Config;
  if (!kernel) return refuse(layer, 'is not built; give the first layer an inputShape.');
  const shape = kernel.shape as number[];
  const [fanIn] = fans(shape);
  const asked = (name: string, at: readonly number[]): number => {
    const variance = varianceOf(config[name], at);
    if (variance !== null) return variance;
    const said = (config[name] as InitializerConfig | undefined)?.className ?? 'none';
    return refuse(
      layer,
      `starts from the ${name} ${said}, which gives no infinite-width kernel; use independent centred weights, such as glorotNormal or heNormal (zeros for biases).`,
    );
  };
  return {
    w: Math.sqrt(asked('kernelInitializer', shape) * fanIn),
    b: bias ? Math.sqrt(asked('biasInitializer', bias.shape as number[])) : null,
    gains: {
      kernel: trained(layer, kernel) ? rate * fanIn : 0,
      bias: trained(layer, bias) ? rate : 0,
    },
  };
}

function scaledDense(layer: ScaledDense, rate: number): Layer {
  const fanIn = layer.kernel.shape[0] ?? 1;
  const { factor, biasFactor, deviation, biasDeviation, bias } = layer;
  return {
    type: 'dense',
    label: labelOf(layer),
    w: Math.abs(factor) * deviation * Math.sqrt(fanIn),
    b: bias ? Math.abs(biasFactor) * biasDeviation : null,
    gains: {
      kernel: trained(layer, layer.kernel) ? rate * factor ** 2 * fanIn : 0,
      bias: trained(layer, bias) ? rate * biasFactor ** 2 : 0,
    },
  };
}

const plainNames: Readonly<Record<string, string>> = { swish: 'silu' };

function activation(layer: tf.layers.Layer, said: unknown, parameters: readonly number[] = []): Layer[] {
  if (said === undefined || said === null || said === 'linear' || said === 'identity') return [];
  const name = plainNames[String(said)] ?? String(said);
  const map = dualMap(name, parameters);
  if (!map)
    return refuse(
      layer,
      `has the activation ${name}, which has no infinite-width kernel here; use relu, leaky relu, tanh, sigmoid, softplus, swish, gelu or linear.`,
    );
  return [{ type: 'activation', label: labelOf(layer), map, linear: false, name }];
}

const paddingOf = (layer: tf.layers.Layer, said: unknown): Padding =>
  said === 'same' || said === 'valid'
    ? said
    : refuse(layer, `has the padding ${String(said)}; use "same" or "valid".`);

/** Sizes along both axes of positions; one-dimensional layers work along the first. */
function axes(said: unknown, fallback: readonly [number, number]): readonly [number, number] {
  if (said === undefined || said === null) return fallback;
  const list = (Array.isArray(said) ? said : [said]) as number[];
  return [list[0], list[1] ?? 1];
}

function imagesOf(layer: tf.layers.Layer, config: Config): void {
  if (config['dataFormat'] === 'channelsFirst')
    refuse(layer, 'has its channels first; put them last ("channelsLast").');
}

function convolution(layer: tf.layers.Layer, config: Config, rate: number): Layer[] {
  imagesOf(layer, config);
  const dilation = axes(config['dilationRate'], [1, 1]);
  if (dilation[0] !== 1 || dilation[1] !== 1) refuse(layer, 'is dilated; use a dilationRate of 1.');
  return [
    {
      type: 'conv',
      label: labelOf(layer),
      ...weightsOf(layer, rate),
      window: axes(config['kernelSize'], [1, 1]),
      strides: axes(config['strides'], [1, 1]),
      padding: paddingOf(layer, config['padding']),
    },
    ...activation(layer, config['activation']),
  ];
}

function averagePool(layer: tf.layers.Layer, config: Config): Layer[] {
  imagesOf(layer, config);
  const window = axes(config['poolSize'], [2, 1]);
  return [
    {
      type: 'averagePool',
      label: labelOf(layer),
      window,
      strides: axes(config['strides'], window),
      padding: paddingOf(layer, config['padding']),
    },
  ];
}

function layerNorm(layer: tf.layers.Layer, config: Config, rate: number): Layer[] {
  const { gamma, beta } = layer as unknown as OpenLayer;
  const rank = layer.inputSpec?.[0]?.ndim ?? (layer.input as tf.SymbolicTensor).rank;
  const axis = ([config['axis']].flat() as number[]).map((a) => (a < 0 ? a + rank : a));
  if (axis.length !== 1 || axis[0] !== rank - 1)
    refuse(layer, 'normalises over other axes than the last; use axis -1.');
  const start = (name: string): unknown => (config[name] as InitializerConfig | undefined)?.className;
  if ((gamma && start('gammaInitializer') !== 'Ones') || (beta && start('betaInitializer') !== 'Zeros'))
    refuse(layer, 'starts from other values than scale 1 and shift 0; use the default initialisers.');
  return [
    {
      type: 'layerNorm',
      label: labelOf(layer),
      epsilon: typeof config['epsilon'] === 'number' ? config['epsilon'] : 1e-3,
      gains: { scale: trained(layer, gamma) ? rate : 0, shift: trained(layer, beta) ? rate : 0 },
    },
  ];
}

const reasons: Readonly<Record<string, string>> = {
  BatchNormalization: 'mixes the samples of a batch; use layerNormalization, or remove it',
  MaxPooling1D: 'takes a maximum; use averagePooling1d',
  MaxPooling2D: 'takes a maximum; use averagePooling2d',
  GlobalMaxPooling1D: 'takes a maximum; use globalAveragePooling1d',
  GlobalMaxPooling2D: 'takes a maximum; use globalAveragePooling2d',
  Dropout: 'is random while training; remove it',
  SimpleRNN: 'is recurrent, with its weights shared over time',
  LSTM: 'is recurrent, with its weights shared over time',
  GRU: 'is recurrent, with its weights shared over time',
  Embedding: 'reads whole numbers, not a vector',
};

/**
 * What one layer with one input does to a kernel, in order: nothing, one map, or a product and its activation. `rate`
 * multiplies what its trained weights add to the tangent kernel. Throws InputError naming a layer without a closed form.
 */
export function formsOf(layer: tf.layers.Layer, rate: number): readonly Layer[] {
  if (layer instanceof ScaledDense) return [scaledDense(layer, rate)];
  if (layer instanceof Elementwise)
    return activation(layer, layer.activation, layer.activation === 'leakyRelu' ? [leakySlope] : []);
  const kind = layer.getClassName();
  const config = layer.getConfig() as Config;
  switch (kind) {
    case 'InputLayer':
      return [];
    case 'Dense':
      return [
        { type: 'dense', label: labelOf(layer), ...weightsOf(layer, rate) },
        ...activation(layer, config['activation']),
      ];
    case 'Conv1D':
    case 'Conv2D':
      return convolution(layer, config, rate);
    case 'Activation':
      return activation(layer, config['activation']);
    case 'ReLU':
      return activation(layer, typeof config['maxValue'] === 'number' ? 'relu with a maximum' : 'relu');
    case 'LeakyReLU':
      return activation(layer, 'leakyRelu', [typeof config['alpha'] === 'number' ? config['alpha'] : 0.3]);
    case 'Flatten':
      imagesOf(layer, config);
      return [{ type: 'flatten', label: labelOf(layer) }];
    case 'GlobalAveragePooling1D':
    case 'GlobalAveragePooling2D':
      imagesOf(layer, config);
      return [{ type: 'globalAveragePool', label: labelOf(layer) }];
    case 'AveragePooling1D':
    case 'AveragePooling2D':
      return averagePool(layer, config);
    case 'LayerNormalization':
      return layerNorm(layer, config, rate);
    default: {
      const why = reasons[kind];
      return refuse(
        layer,
        `has no closed form at infinite width${why ? `: it ${why}.` : ' here; estimate its kernel from wide networks instead.'}`,
      );
    }
  }
}
