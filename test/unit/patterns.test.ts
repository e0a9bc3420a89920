import { beforeAll, describe, expect, it } from 'vitest';
import { modelProgram } from '../../src/network/graph/program.js';
import { activations } from '../../src/network/models/activations.js';
import { Elementwise } from '../../src/network/models/layers.js';
import { stackOfProgram } from '../../src/network/patterns/convStack.js';
import { chainOf } from '../../src/network/patterns/denseChain.js';
import * as tf from '../../src/network/tf.js';
import { architectures, inputs, seeded } from '../helpers/architectures.js';
import { backendsUnderTest, startBackend } from '../helpers/backend.js';
import { furtherArchitectures } from '../helpers/furtherArchitectures.js';

const L = tf.layers;
const sequential = (...layers: tf.layers.Layer[]) => tf.sequential({ layers });
const dense = (units: number, more = {}) => L.dense({ units, ...more });
const first = (units: number, more = {}) => L.dense({ units, inputShape: [5], ...more });

class Dense extends L.Layer {
  static readonly className = 'Dense';
  override call(x: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.mul(3, [x].flat()[0]);
  }
}

describe.each(backendsUnderTest)('patterns in a trace on %s', (backend) => {
  beforeAll(() => startBackend(backend));

  it('find the chains of dense layers and the stacks of convolutions among many networks, and nothing else', () => {
    const found = [...architectures, ...furtherArchitectures].map((test) => {
      const model = seeded(test);
      const x = [inputs(test, 3, 1)].flat();
      const program = modelProgram(model);
      const chain = x[0].rank === 2 && x.length === 1 && chainOf(model, x[0]);
      const kind = chain ? 'chain' : stackOfProgram(program, x) ? 'stack' : null;
      tf.dispose(x);
      return [test.name, kind];
    });
    expect(Object.fromEntries(found.filter(([, kind]) => kind))).toMatchInlineSnapshot(`
      {
        "conv2d of even size, pooling, 1 output": "stack",
        "conv2d same, strides, pooling": "stack",
        "conv2d twice, pooling, 3 outputs": "stack",
        "conv2d valid, flatten": "stack",
        "dense with frozen first layer": "chain",
        "mlp 1 hidden": "chain",
        "mlp 2 hidden, no bias, 3 outputs": "chain",
        "mlp 3 hidden, 3 outputs": "chain",
        "mlp 3 hidden, bias": "chain",
        "mlp 3 hidden, relu, bias, 3 outputs": "chain",
        "mlp 3 hidden, relu, no bias": "chain",
        "outputs that are images": "stack",
        "two-layer": "chain",
        "two-layer, bias, 3 outputs": "chain",
        "two-layer, readout only": "chain",
      }
    `);
  });

  it.each(Object.keys(activations))('know the activation %s by what runs', (name) => {
    const model = sequential(
      first(4),
      new Elementwise({ name: 'phi', activation: name as keyof typeof activations }),
      dense(2),
    );
    expect(chainOf(model)?.map(({ activation }) => activation)).toEqual([name, 'identity']);
  });

  it.each([
    ['relu', 'relu'],
    ['tanh', 'tanh'],
    ['sigmoid', 'sigmoid'],
    ['softplus', 'softplus'],
    ['swish', 'silu'],
    ['linear', 'identity'],
  ])('know the layers’ own activation %s', (given, own) => {
    const model = sequential(
      first(4, { activation: given }),
      L.activation({ activation: given as 'relu' }),
      dense(2),
    );
    const chain = chainOf(model);
    if (given === 'linear') expect(chain?.map(({ activation }) => activation)).toEqual([own, 'identity']);
    // Two activations in a row are no chain of ours.
    else expect(chain).toBeNull();
    const one = sequential(first(4, { activation: given }), dense(2));
    expect(chainOf(one)?.map(({ activation }) => activation)).toEqual([own, 'identity']);
  });

  it.each<[string, () => tf.LayersModel]>([
    ['another activation', () => sequential(first(4, { activation: 'mish' }), dense(1))],
    ['a softmax at the end', () => sequential(first(4), dense(3, { activation: 'softmax' }))],
    ['an own layer that is called Dense', () => sequential(first(4), new Dense(), dense(1))],
    [
      'one matrix twice',
      () => {
        const twice = L.dense({ units: 5 });
        return sequential(L.inputLayer({ inputShape: [5] }), twice, twice, dense(1));
      },
    ],
    [
      'a residual sum',
      () => {
        const x = tf.input({ shape: [5] });
        const h = dense(5, { activation: 'relu' }).apply(x) as tf.SymbolicTensor;
        return tf.model({ inputs: x, outputs: dense(1).apply(L.add().apply([x, h])) as tf.SymbolicTensor });
      },
    ],
    [
      'two outputs',
      () => {
        const x = tf.input({ shape: [5] });
        return tf.model({
          inputs: x,
          outputs: [dense(1).apply(x), dense(2).apply(x)] as tf.SymbolicTensor[],
        });
      },
    ],
  ])('leave alone %s', (_name, build) => {
    expect(chainOf(build())).toBeNull();
  });
});
