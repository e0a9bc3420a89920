import { Random } from '../../core/random.js';
import * as tf from '../tf.js';

export interface InitializerConfig {
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/**
 * Draws every weight of a plain TensorFlow.js model anew from its own initialiser's law, seeded by the run: the same
 * seed gives the same start on every backend. Weights of unknown initialisers, and those of constants, stay.
 */
export function seedModel(model: tf.LayersModel, seed: number): void {
  const random = new Random(seed).fork('model');
  // By position, not by name: TensorFlow.js numbers unnamed layers on through the life of the process.
  for (const [position, layer] of leaves(model).entries()) {
    const config = layer.getConfig() as Record<string, unknown>;
    for (const weight of layer.weights) {
      const name = weight.originalName.split('/').pop()?.replace(/_\d+$/, '') ?? '';
      const initializer = config[`${camel(name)}Initializer`] as InitializerConfig | undefined;
      const draw = initializer && sampler(initializer, weight.shape as number[]);
      if (!draw) continue;
      const stream = random.fork(`${position}/${name}`);
      const size = weight.shape.reduce<number>((product, n) => product * (n ?? 1), 1);
      const values = Float32Array.from({ length: size }, () => draw(stream));
      const tensor = tf.tensor(values, weight.shape as number[]);
      weight.write(tensor);
      tensor.dispose();
    }
  }
}

/** The layers that hold weights themselves, those of nested models included, in order. */
function leaves(model: { readonly layers: tf.layers.Layer[] }): tf.layers.Layer[] {
  return model.layers.flatMap((layer) => {
    const inner = (layer as unknown as { layers?: tf.layers.Layer[] }).layers;
    return inner ? leaves({ layers: inner }) : [layer];
  });
}

const camel = (name: string): string => name.replace(/_([a-z])/g, (_, c: string) => c.toUpperCase());

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
