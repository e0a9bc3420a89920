import * as tf from '../../../src/network/tf.js';
import type { Architecture } from '../architectures.js';
import { graph, readout, type Symbolic, stack, through } from './build.js';

const L = tf.layers;
const dense = (units: number, activation: string = 'tanh') =>
  L.dense({ units, activation: activation as 'tanh' });
const joined = (layer: tf.layers.Layer, ...xs: Symbolic[]): Symbolic => layer.apply(xs) as Symbolic;
const sequential = (...layers: tf.layers.Layer[]) => tf.sequential({ layers });
const row = [4];

const merge = (name: string, layer: () => tf.layers.Layer, shape: readonly number[] = row): Architecture =>
  graph(`merge: ${name}`, [shape], (x) =>
    readout(joined(layer(), through(x, dense(4)), through(x, dense(4, 'sigmoid')))),
  );

/** Branches that meet, layers and models used inside others or more than once, several inputs and outputs. */
export const structureModels: readonly Architecture[] = [
  merge('add', () => L.add()),
  merge('multiply', () => L.multiply()),
  merge('average', () => L.average()),
  merge('maximum', () => L.maximum()),
  merge('minimum', () => L.minimum()),
  merge('concatenate', () => L.concatenate()),
  merge('concatenate along the first axis', () => L.concatenate({ axis: 1 }), [3, 2]),
  merge('dot', () => L.dot({ axes: 1 })),
  merge('dot, normalised', () => L.dot({ axes: 1, normalize: true })),
  merge('dot of sequences', () => L.dot({ axes: [2, 2] }), [3, 2]),
  merge('dot of sequences, along time', () => L.dot({ axes: [1, 1] }), [3, 2]),
  graph('merge: a row with a sequence', [[3, 4]], (x) =>
    readout(
      joined(L.multiply(), through(x, dense(4)), through(x, dense(4), L.averagePooling1d({ poolSize: 3 }))),
    ),
  ),
  graph('merge: three at once', [row], (x) =>
    readout(joined(L.add(), through(x, dense(3)), through(x, dense(3)), through(x, dense(3, 'relu')))),
  ),
  graph('residual', [row], (x) => {
    const h = through(x, dense(5));
    return readout(joined(L.add(), h, through(h, dense(5), dense(5))));
  }),
  graph('residual convolutions with batch normalisation', [[4, 4, 2]], (x) => {
    const conv = () => L.conv2d({ filters: 2, kernelSize: 3, padding: 'same', useBias: false });
    const branch = through(x, conv(), L.batchNormalization(), L.reLU(), conv(), L.batchNormalization());
    return readout(through(joined(L.add(), x, branch), L.reLU(), L.globalAveragePooling2d({})));
  }),
  graph('densely connected', [row], (x) => {
    const one = joined(L.concatenate(), x, through(x, dense(3)));
    return readout(joined(L.concatenate(), one, through(one, dense(3))));
  }),
  graph('shared: dense, twice in a row', [row], (x) => {
    const layer = dense(4);
    return readout(through(x, layer, layer));
  }),
  graph('shared: convolution, twice in a row', [[4, 4, 2]], (x) => {
    const layer = L.conv2d({ filters: 2, kernelSize: 3, padding: 'same', activation: 'tanh' });
    return readout(through(x, layer, layer));
  }),
  graph(
    'shared: lstm on two sequences',
    [
      [3, 2],
      [3, 2],
    ],
    (a, b) => {
      const layer = L.lstm({ units: 3 });
      return readout(joined(L.concatenate(), through(a, layer), through(b, layer)));
    },
  ),
  graph('shared: batch and layer normalisation', [row], (x) => {
    const [batch, layer] = [L.batchNormalization(), L.layerNormalization()];
    return readout(through(x, dense(4), batch, layer, dense(4), batch, layer));
  }),
  graph('shared: prelu', [row], (x) => {
    const layer = L.prelu();
    return readout(through(x, L.dense({ units: 4 }), layer, L.dense({ units: 4 }), layer));
  }),
  graph('siamese: one tower, two inputs', [row, row], (a, b) => {
    const tower = sequential(
      L.dense({ units: 5, activation: 'tanh', inputShape: row }),
      L.dense({ units: 3 }),
    );
    return readout(joined(L.concatenate(), tower.apply(a) as Symbolic, tower.apply(b) as Symbolic));
  }),
  graph(
    'embedding used twice',
    [[3], [3]],
    (a, b) => {
      const table = L.embedding({ inputDim: 6, outputDim: 3 });
      return readout(joined(L.multiply(), through(a, table), through(b, table)));
    },
    { integer: 6 },
  ),
  graph('nested: sequential in a graph', [row], (x) => {
    const inner = sequential(L.dense({ units: 5, activation: 'tanh', inputShape: row }), dense(3));
    return readout(inner.apply(x) as Symbolic);
  }),
  graph('nested: twice deep, used twice', [row], (x) => {
    const core = sequential(L.dense({ units: 4, activation: 'tanh', inputShape: row }));
    const around = sequential(core, dense(4));
    return readout(around.apply(around.apply(x)) as Symbolic);
  }),
  graph('nested: two outputs', [row], (x) => {
    const inside = tf.input({ shape: row });
    const h = through(inside, dense(4));
    const encoder = tf.model({
      inputs: inside,
      outputs: [through(h, dense(2)), through(h, L.dense({ units: 2 }))],
    });
    return readout(joined(L.concatenate(), ...(encoder.apply(x) as Symbolic[])));
  }),
  graph('nested: two inputs', [row, row], (a, b) => {
    const [p, q] = [tf.input({ shape: row }), tf.input({ shape: row })];
    const head = tf.model({
      inputs: [p, q],
      outputs: joined(L.multiply(), through(p, dense(3)), through(q, dense(3))),
    });
    return readout(head.apply([a, b]) as Symbolic);
  }),
  graph('nested: frozen discriminator around a model', [[2]], (x) => {
    const core = sequential(
      L.dense({ units: 4, inputShape: [3], activation: 'tanh' }),
      L.dense({ units: 4 }),
    );
    const inside = tf.input({ shape: [3] });
    const judge = tf.model({
      inputs: inside,
      outputs: through(core.apply(inside) as Symbolic, L.dense({ units: 1 })),
    });
    judge.trainable = false;
    const generator = sequential(
      L.dense({ units: 4, inputShape: [2], activation: 'tanh' }),
      L.dense({ units: 3 }),
    );
    return judge.apply(generator.apply(x)) as Symbolic;
  }),
  graph('nested: a block of any length', [[3, 2]], (x) => {
    const open = tf.input({ shape: [null, 2] });
    const block = tf.model({ inputs: open, outputs: through(open, dense(3)) });
    return readout(block.apply(x) as Symbolic);
  }),
  graph(
    'a layer at two shapes',
    [
      [3, 2],
      [4, 2],
    ],
    (a, b) => {
      const layer = dense(3);
      const means = [
        through(a, layer, L.globalAveragePooling1d()),
        through(b, layer, L.globalMaxPooling1d()),
      ];
      return readout(joined(L.concatenate(), ...means));
    },
  ),
  graph('two inputs of different rank', [[4, 4, 1], [3]], (image, numbers) => {
    const seen = through(image, L.conv2d({ filters: 2, kernelSize: 2, activation: 'tanh' }), L.flatten());
    return readout(joined(L.concatenate(), seen, through(numbers, dense(3))));
  }),
  graph('an input that is not used beside one that is', [row, row], (a, b) =>
    readout(joined(L.concatenate(), through(a, dense(3)), b)),
  ),
  graph('two outputs', [row], (x) => {
    const h = through(x, dense(5));
    return [through(h, L.dense({ units: 2 })), through(h, dense(1))];
  }),
  graph('three outputs of different rank', [[4, 2]], (x) => {
    const h = through(x, dense(3));
    return [h, through(h, L.globalAveragePooling1d()), readout(h)];
  }),
  {
    name: 'outputs of any length',
    shapes: [[5, 3]],
    build: () => {
      const x = tf.input({ shape: [null, 3] });
      return tf.model({ inputs: x, outputs: through(x, L.dense({ units: 2, activation: 'tanh' })) });
    },
  },
  {
    name: 'outputs of any length: words, lstm',
    shapes: [[4]],
    integer: 5,
    build: () => {
      const x = tf.input({ shape: [null] });
      const h = through(
        x,
        L.embedding({ inputDim: 5, outputDim: 2 }),
        L.lstm({ units: 2, returnSequences: true }),
      );
      return tf.model({ inputs: x, outputs: through(h, L.dense({ units: 2 })) });
    },
  },
  {
    name: 'images of any size',
    shapes: [[5, 4, 1]],
    build: () => {
      const x = tf.input({ shape: [null, null, 1] });
      const h = through(
        x,
        L.conv2d({ filters: 3, kernelSize: 2, activation: 'tanh' }),
        L.globalAveragePooling2d({}),
      );
      return tf.model({ inputs: x, outputs: through(h, L.dense({ units: 2 })) });
    },
  },
  {
    name: 'sequential',
    shapes: [[4, 3]],
    build: () =>
      sequential(
        L.simpleRNN({ units: 4, inputShape: [4, 3] }),
        L.repeatVector({ n: 2 }),
        L.simpleRNN({ units: 4, returnSequences: true }),
        L.timeDistributed({ layer: L.dense({ units: 3 }) }),
      ),
  },
  stack('nothing between input and readout', row, () => []),
];
