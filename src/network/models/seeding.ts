import { Random } from '../../core/random.js';
import * as tf from '../tf.js';
import { type Initializer, initializerOf, wasSet, withSeededRandom, writeUnseen } from './weightOrigins.js';

export interface InitializerConfig {
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/**
 * Draws every weight of a plain TensorFlow.js model anew from its own initialiser's law, seeded by the run: the same
 * seed gives the same start on every backend. Constants stay, and so do weights that were set (`setWeights`, a loaded
 * file); returns how many of those there are, and of all.
 */
export function seedModel(
  model: tf.LayersModel,
  seed: number,
): { readonly kept: number; readonly of: number } {
  const random = new Random(seed).fork('model');
  let kept = 0;
  let all = 0;
  // By position, not by name: TensorFlow.js numbers unnamed layers on through the life of the process.
  for (const [position, layer] of leaves(model).entries()) {
    const names = new Map<string, number>();
    for (const weight of layer.weights) {
      const name = weight.originalName.split('/').pop()?.replace(/_\d+$/, '') ?? '';
      // Both directions, and every cell of a stack, have a kernel.
      const before = names.get(name) ?? 0;
      names.set(name, before + 1);
      all++;
      if (wasSet(weight)) kept++;
      else draw(weight, random.fork(`${position}/${name}${before > 0 ? `#${before}` : ''}`));
    }
  }
  return { kept, of: all };
}

function draw(weight: tf.LayerVariable, stream: Random): void {
  const initializer = initializerOf(weight);
  if (!initializer || constants.has(initializer.getClassName())) return;
  const shape = weight.shape as number[];
  const values = drawn(initializer, shape, stream);
  const tensor = values ? tf.tensor(values, shape) : withSeededRandom(stream, () => initializer.apply(shape));
  writeUnseen(weight, tensor);
  tensor.dispose();
}

const constants = new Set(['Zeros', 'Ones', 'Constant', 'Identity']);

function drawn(initializer: Initializer, shape: readonly number[], stream: Random): Float32Array | null {
  const config = { className: initializer.getClassName(), config: initializer.getConfig() };
  if (config.className === 'Orthogonal') return orthogonal(shape, Number(config.config['gain'] ?? 1), stream);
  const sample = sampler(config, shape);
  if (!sample) return null;
  return Float32Array.from({ length: shape.reduce((product, n) => product * n, 1) }, () => sample(stream));
}

/**
 * [rows, cols] with orthonormal rows or columns, whichever are fewer, times `gain`: the Q of a normal matrix, with a positive
 * diagonal in R, as TensorFlow.js draws it; by Gram-Schmidt, twice, in float64. Null for other ranks.
 */
function orthogonal(shape: readonly number[], gain: number, stream: Random): Float32Array | null {
  if (shape.length !== 2) return null;
  const [rows, cols] = shape;
  const [long, few] = [Math.max(rows, cols), Math.min(rows, cols)];
  const vectors = Array.from({ length: few }, () => stream.normals(long));
  for (const [k, v] of vectors.entries()) {
    for (const other of [...vectors.slice(0, k), ...vectors.slice(0, k)]) {
      const along = v.reduce((sum, a, i) => sum + a * other[i], 0);
      for (let i = 0; i < long; i++) v[i] -= along * other[i];
    }
    const length = Math.hypot(...v);
    for (let i = 0; i < long; i++) v[i] /= length;
  }
  return Float32Array.from({ length: rows * cols }, (_, at) => {
    const [i, j] = [Math.floor(at / cols), at % cols];
    return gain * (rows >= cols ? vectors[j][i] : vectors[i][j]);
  });
}

/** The layers that hold weights themselves, those of nested models included, in order. */
function leaves(model: { readonly layers: tf.layers.Layer[] }): tf.layers.Layer[] {
  return model.layers.flatMap((layer) => {
    const inner = (layer as unknown as { layers?: tf.layers.Layer[] }).layers;
    return inner ? leaves({ layers: inner }) : [layer];
  });
}

type Draw = (random: Random) => number;

const normal =
  (mean: number, deviation: number): Draw =>
  (random) =>
    mean + deviation * random.normal();
const uniform =
  (low: number, high: number): Draw =>
  (random) =>
    low + (high - low) * random.uniform();

/** Normal cut at two deviations, whose own deviation is then `deviation`. */
function truncated(deviation: number): Draw {
  const wide = deviation / 0.87962566103423978;
  return (random) => {
    for (;;) {
      const z = random.normal();
      if (Math.abs(z) <= 2) return wide * z;
    }
  };
}

export function fans(shape: readonly number[]): [number, number] {
  if (shape.length < 2) return [shape[0] ?? 1, shape[0] ?? 1];
  const window = shape.slice(0, -2).reduce((a, b) => a * b, 1);
  return [window * shape[shape.length - 2], window * shape[shape.length - 1]];
}

function sampler({ className, config }: InitializerConfig, shape: readonly number[]): Draw | null {
  const number = (name: string, fallback: number) =>
    typeof config[name] === 'number' ? (config[name] as number) : fallback;
  switch (className) {
    case 'RandomNormal':
      return normal(number('mean', 0), number('stddev', 0.05));
    case 'TruncatedNormal':
      return truncated(0.87962566103423978 * number('stddev', 0.05));
    case 'RandomUniform':
      return uniform(number('minval', -0.05), number('maxval', 0.05));
    case 'VarianceScaling': {
      const [fanIn, fanOut] = fans(shape);
      const fan =
        config['mode'] === 'fanIn' ? fanIn : config['mode'] === 'fanOut' ? fanOut : (fanIn + fanOut) / 2;
      const variance = number('scale', 1) / Math.max(1, fan);
      return config['distribution'] === 'uniform'
        ? uniform(-Math.sqrt(3 * variance), Math.sqrt(3 * variance))
        : truncated(Math.sqrt(variance));
    }
    default:
      return null;
  }
}
