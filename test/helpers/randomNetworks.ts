import { Random } from '../../src/core/random.js';
import * as tf from '../../src/network/tf.js';
import type { Architecture } from './architectures.js';

const L = tf.layers;

/** Draws one of some things. */
type Pick = <T>(things: readonly T[]) => T;

const activations = [
  'relu',
  'tanh',
  'sigmoid',
  'elu',
  'softplus',
  'selu',
  'swish',
  'softsign',
  'linear',
] as const;

/** Shapes are without the samples' axis: [d], [t, d] or [h, w, c]. */
type Step = (x: tf.SymbolicTensor, pick: Pick) => tf.SymbolicTensor | null;

const rankOf = (x: tf.SymbolicTensor): number => x.shape.length - 1;
const apply = (layer: tf.layers.Layer, x: tf.SymbolicTensor | tf.SymbolicTensor[]): tf.SymbolicTensor =>
  layer.apply(x) as tf.SymbolicTensor;
const seed = () => ({ kernelInitializer: tf.initializers.glorotNormal({ seed: 1 }) });

/** One step of a random network, for inputs of one rank; null where it does not fit. */
const steps: readonly Step[] = [
  (x, pick) =>
    rankOf(x) <= 2
      ? apply(
          L.dense({
            units: pick([3, 5]),
            activation: pick(activations),
            useBias: pick([true, false]),
            ...seed(),
          }),
          x,
        )
      : apply(L.dense({ units: pick([2, 3]), ...seed() }), x),
  (x, pick) =>
    apply(
      L.activation({ activation: pick(['relu', 'tanh', 'softmax', 'relu6', 'mish', 'gelu']) as 'relu' }),
      x,
    ),
  (x, pick) => apply(L.layerNormalization({ axis: pick([-1, rankOf(x), 1]), epsilon: 0.1 }), x),
  (x, pick) =>
    apply(
      L.layerNormalization({
        axis: rankOf(x) === 1 ? -1 : [rankOf(x) - 1, rankOf(x)],
        scale: pick([true, false]),
      }),
      x,
    ),
  (x, pick) => apply(L.batchNormalization({ scale: pick([true, false]), center: pick([true, false]) }), x),
  (x) =>
    rankOf(x) === 1 ? apply(L.reshape({ targetShape: [x.shape[1] as number, 1] }), x) : apply(L.flatten(), x),
  (x) => (rankOf(x) === 2 ? apply(L.permute({ dims: [2, 1] }), x) : null),
  (x) => (rankOf(x) === 1 ? apply(L.repeatVector({ n: 3 }), x) : null),
  (x, pick) =>
    rankOf(x) === 2 && (x.shape[1] as number) >= 3
      ? apply(
          L.conv1d({
            filters: pick([2, 3]),
            kernelSize: pick([1, 2, 3]),
            padding: pick(['same', 'valid']),
            strides: pick([1, 2]),
            useBias: pick([true, false]),
            activation: pick(['tanh', 'relu']),
            ...seed(),
          }),
          x,
        )
      : null,
  (x, pick) =>
    rankOf(x) === 2 && (x.shape[1] as number) >= 5
      ? apply(
          L.conv1d({ filters: 2, kernelSize: 2, dilationRate: 2, useBias: pick([true, false]), ...seed() }),
          x,
        )
      : null,
  (x, pick) =>
    rankOf(x) === 3 && (x.shape[1] as number) >= 3 && (x.shape[2] as number) >= 3
      ? apply(
          L.conv2d({
            filters: pick([2, 3]),
            kernelSize: pick([
              [1, 1],
              [2, 3],
              [3, 3],
            ]) as [number, number],
            padding: pick(['same', 'valid']),
            strides: pick([1, 2]),
            activation: pick(['tanh', 'relu', 'linear']),
            ...seed(),
          }),
          x,
        )
      : null,
  (x, pick) =>
    rankOf(x) === 3 && (x.shape[1] as number) >= 3 && (x.shape[2] as number) >= 3
      ? apply(
          L.depthwiseConv2d({
            kernelSize: [2, 2],
            depthMultiplier: pick([1, 2]),
            padding: pick(['same', 'valid']),
            dilationRate: pick([1, 2]) as unknown as [number, number],
            depthwiseInitializer: tf.initializers.glorotNormal({ seed: 2 }),
          }),
          x,
        )
      : null,
  (x, pick) =>
    rankOf(x) === 3 && (x.shape[1] as number) >= 3 && (x.shape[2] as number) >= 3
      ? apply(
          L.separableConv2d({
            filters: 2,
            kernelSize: [2, 2],
            depthMultiplier: pick([1, 2]),
            strides: pick([1, 2]),
            padding: 'same',
            depthwiseInitializer: tf.initializers.glorotNormal({ seed: 2 }),
            pointwiseInitializer: tf.initializers.glorotNormal({ seed: 3 }),
          }),
          x,
        )
      : null,
  (x, pick) =>
    rankOf(x) === 3
      ? apply(
          L.conv2dTranspose({
            filters: 2,
            kernelSize: 2,
            strides: pick([1, 2]),
            padding: pick(['same', 'valid']),
            ...seed(),
          }),
          x,
        )
      : null,
  (x, pick) =>
    rankOf(x) === 3 && (x.shape[1] as number) >= 2 && (x.shape[2] as number) >= 2
      ? apply(
          pick([
            L.maxPooling2d({ poolSize: 2, strides: pick([1, 2]) }),
            L.averagePooling2d({ poolSize: 2, strides: 1, padding: pick(['same', 'valid']) }),
          ]),
          x,
        )
      : null,
  (x) =>
    rankOf(x) === 2 && (x.shape[1] as number) >= 2
      ? apply(L.maxPooling1d({ poolSize: 2, strides: 1 }), x)
      : null,
  (x) => (rankOf(x) === 2 ? apply(L.globalAveragePooling1d(), x) : null),
  (x, pick) =>
    rankOf(x) === 3 ? apply(pick([L.globalAveragePooling2d({}), L.globalMaxPooling2d({})]), x) : null,
  (x) => (rankOf(x) === 3 ? apply(L.zeroPadding2d({ padding: 1 }), x) : null),
  (x, pick) =>
    rankOf(x) === 3
      ? apply(L.upSampling2d({ size: [2, 2], interpolation: pick(['nearest', 'bilinear']) }), x)
      : null,
  (x, pick) =>
    rankOf(x) === 2
      ? apply(
          pick([L.lstm, L.gru, L.simpleRNN] as const)({
            units: 3,
            returnSequences: pick([true, false]),
            goBackwards: pick([true, false]),
            ...seed(),
            recurrentInitializer: tf.initializers.glorotNormal({ seed: 4 }),
          } as never),
          x,
        )
      : null,
  (x) =>
    rankOf(x) === 2
      ? apply(
          L.bidirectional({
            layer: L.lstm({
              units: 2,
              returnSequences: true,
              ...seed(),
              recurrentInitializer: tf.initializers.glorotNormal({ seed: 4 }),
            }) as never,
            mergeMode: 'concat',
          }),
          x,
        )
      : null,
  (x) =>
    rankOf(x) === 2
      ? apply(L.timeDistributed({ layer: L.dense({ units: 3, activation: 'tanh', ...seed() }) }), x)
      : null,
  (x) => apply(L.dropout({ rate: 0.4 }), x),
  (x) => apply(L.gaussianNoise({ stddev: 0.4 }), x),
  (x) => apply(L.leakyReLU({ alpha: 0.2 }), x),
  (x) =>
    apply(
      L.prelu({ alphaInitializer: tf.initializers.randomUniform({ minval: 0.1, maxval: 0.4, seed: 5 }) }),
      x,
    ),
  (x) => apply(L.elu(), x),
  (x, pick) => {
    const units = x.shape[x.shape.length - 1] as number;
    const branch = apply(L.dense({ units, activation: 'tanh', ...seed() }), x);
    return apply(
      pick([L.add(), L.multiply(), L.average(), L.maximum(), L.concatenate()]) as tf.layers.Layer,
      [x, branch],
    );
  },
  (x) => {
    const units = x.shape[x.shape.length - 1] as number;
    const shared = L.dense({ units, activation: 'sigmoid', ...seed() });
    return apply(L.add(), [apply(shared, x), apply(shared, apply(shared, x))]);
  },
];

/** A network of 3 to 8 random layers, and a head; the same for the same seed. */
export function randomNetwork(number: number): Architecture {
  const random = new Random(`network ${number}`);
  const pick: Pick = (things) => things[Math.floor(random.uniform() * things.length) % things.length];
  const shape = pick([[4], [5, 3], [6, 5, 2]]);
  return {
    name: `random network ${number}`,
    shapes: [shape],
    build: () => {
      const own = new Random(`layers ${number}`);
      const draw: Pick = (things) => things[Math.floor(own.uniform() * things.length) % things.length];
      const x = tf.input({ shape });
      let h: tf.SymbolicTensor = x;
      const count = 3 + Math.floor(own.uniform() * 6);
      for (let placed = 0, tries = 0; placed < count && tries < 60; tries++) {
        const next = draw(steps)(h, draw);
        const size = next?.shape.slice(1).reduce<number>((a, b) => a * (b ?? 1), 1) ?? 0;
        if (!next || size > 300) continue;
        h = next;
        placed++;
      }
      if (rankOf(h) > 1) h = apply(L.flatten(), h);
      const y = apply(L.dense({ units: draw([1, 2, 3]), ...seed() }), h);
      return tf.model({ inputs: x, outputs: y });
    },
  };
}
