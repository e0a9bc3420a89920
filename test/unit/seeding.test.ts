import { beforeAll, describe, expect, it } from 'vitest';
import { useBackend } from '../../src/network/backends/index.js';
import { buildModel } from '../../src/network/models/build.js';
import * as tf from '../../src/network/tf.js';

beforeAll(async () => {
  await useBackend('cpu');
});

type Start = ReturnType<typeof tf.initializers.zeros>;
const Base = Object.getPrototypeOf(tf.initializers.zeros().constructor) as abstract new () => Start;

/** A custom layer whose weight is drawn by a custom initialiser that has no seed. */
class Rough extends Base {
  static className = 'Rough';
  override getConfig() {
    return {};
  }
  override apply(shape: number[]): tf.Tensor {
    return tf.add(tf.randomUniform(shape, 0, 1), Math.random());
  }
}
class Bent extends tf.layers.Layer {
  static className = 'Bent';
  private w!: tf.LayerVariable;
  override build(shape: tf.Shape): void {
    this.w = this.addWeight('w', [shape[shape.length - 1] as number], 'float32', new Rough());
    super.build(shape);
  }
  override call(x: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.mul(Array.isArray(x) ? x[0] : x, this.w.read());
  }
}

const { layers: L } = tf;
const image = { inputShape: [6, 6, 2] };
const sequence = { inputShape: [4, 2] };
const kinds: [string, () => tf.layers.Layer[]][] = [
  ['dense', () => [L.dense({ units: 3, inputShape: [4] })]],
  ['orthogonal', () => [L.dense({ units: 3, inputShape: [4], kernelInitializer: 'orthogonal' })]],
  ['lstm', () => [L.lstm({ units: 3, ...sequence })]],
  ['gru', () => [L.gru({ units: 3, ...sequence })]],
  ['simple rnn', () => [L.simpleRNN({ units: 3, ...sequence })]],
  [
    'stacked cells',
    () => [L.rnn({ cell: [L.lstmCell({ units: 2 }), L.gruCell({ units: 3 })], ...sequence } as never)],
  ],
  [
    'bidirectional',
    () => [
      L.bidirectional({ layer: L.gru({ units: 3 }) as tf.RNN, mergeMode: 'concat', ...sequence } as never),
    ],
  ],
  ['time distributed', () => [L.timeDistributed({ layer: L.dense({ units: 3 }), ...sequence })]],
  ['depthwise', () => [L.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, ...image })]],
  ['separable', () => [L.separableConv2d({ filters: 3, kernelSize: 3, ...image })]],
  ['convLstm', () => [L.convLstm2d({ filters: 2, kernelSize: 2, inputShape: [3, 5, 5, 1] })]],
  ['transposed', () => [L.conv2dTranspose({ filters: 2, kernelSize: 3, ...image })]],
  ['embedding', () => [L.embedding({ inputDim: 9, outputDim: 4, inputLength: 6 })]],
  ['nested', () => [tf.sequential({ layers: [L.dense({ units: 3, inputShape: [4] })] })]],
  ['custom', () => [L.inputLayer({ inputShape: [4] }), new Bent({})]],
];
const weightsOf = (layers: tf.layers.Layer[], seed: number) =>
  buildModel(() => tf.sequential({ layers }), { inputShape: [], outputs: 1, seed })
    .model.getWeights()
    .map((w) => Array.from(w.dataSync()));

describe('the start of a plain model', () => {
  it.each(kinds)('%s: the seed settles every weight that is drawn', (_, make) => {
    const [first, again, other] = [weightsOf(make(), 5), weightsOf(make(), 5), weightsOf(make(), 6)];
    expect(again).toEqual(first);
    for (const [i, values] of first.entries())
      if (new Set(values).size > 2) expect(other[i]).not.toEqual(values);
  });

  it('draws both directions and every cell on their own', () => {
    const [forward, , , backward] = weightsOf(kinds[6][1](), 5);
    expect(backward).not.toEqual(forward);
  });

  it.each([
    [3, 12],
    [12, 3],
    [5, 5],
  ])('draws orthogonal matrices of %i x %i', (rows, cols) => {
    const gain = 2;
    const kernelInitializer = tf.initializers.orthogonal({ gain });
    const [values] = weightsOf([L.dense({ units: cols, inputShape: [rows], kernelInitializer })], 3);
    const at = (k: number, i: number) => (rows >= cols ? values[i * cols + k] : values[k * cols + i]);
    for (let a = 0; a < Math.min(rows, cols); a++)
      for (let b = 0; b < Math.min(rows, cols); b++) {
        let sum = 0;
        for (let i = 0; i < Math.max(rows, cols); i++) sum += at(a, i) * at(b, i);
        expect(sum).toBeCloseTo(a === b ? gain ** 2 : 0, 5);
      }
  });

  it('keeps weights that were set, and says how many', () => {
    const layer = L.dense({ units: 2, inputShape: [3] });
    const model = tf.sequential({ layers: [layer, L.dense({ units: 1 })] });
    layer.setWeights([tf.fill([3, 2], 0.5), tf.fill([2], 0.25)]);
    const { kept } = buildModel(() => model, { inputShape: [3], outputs: 1, seed: 1 });
    expect(kept).toEqual({ weights: 2, of: 4 });
    expect(Array.from(model.getWeights()[0].dataSync())).toEqual([0.5, 0.5, 0.5, 0.5, 0.5, 0.5]);
    const again = buildModel(() => model, { inputShape: [3], outputs: 1, seed: 2 });
    expect(again.kept).toEqual({ weights: 2, of: 4 });
  });
});
