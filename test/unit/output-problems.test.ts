import { beforeAll, describe, expect, it } from 'vitest';
import { resolveDefinition } from '../../src/experiment/schema.js';
import { useBackend } from '../../src/network/backends/index.js';
import { loadData } from '../../src/network/data/index.js';
import * as tf from '../../src/network/tf.js';
import { spoken } from '../../src/protocol/sentence.js';
import { compiledNote } from '../../src/trainer/checks/compiled.js';
import { lastActivation, outputProblems, requireClasses } from '../../src/trainer/checks/outputProblems.js';

beforeAll(async () => {
  await useBackend('cpu');
});

const definition = (more: object = {}) =>
  resolveDefinition({ model: () => null, data: { kind: 'digits' }, ...more });
type Activation = Parameters<typeof tf.layers.dense>[0]['activation'];
const ending = (activation: Activation, units = 3) =>
  tf.sequential({ layers: [tf.layers.dense({ units, inputShape: [2], activation })] });
const codes = (model: tf.LayersModel, loss: string, targets: readonly number[] = [0, 1, 0]) =>
  outputProblems({ definition: definition({ loss }), model, targets }).map((p) => p.code);

describe('the last activation and the loss', () => {
  it.each<[Activation, string, readonly number[], string[]]>([
    ['softmax', 'crossEntropy', [0, 1, 0], ['double-softmax']],
    ['sigmoid', 'crossEntropy', [0, 1, 0], ['bounded-logits']],
    ['relu', 'crossEntropy', [0, 1, 0], ['bounded-logits']],
    ['linear', 'crossEntropy', [0, 1, 0], []],
    ['softmax', 'mse', [0, 1, 0], []],
    ['sigmoid', 'mse', [-1, 1, 1], ['targets-out-of-reach']],
    ['tanh', 'mse', [-1, 1, 1], []],
    ['tanh', 'mse', [-1, 1.5, 1], ['targets-out-of-reach']],
    ['relu', 'mse', [0, 5], []],
    ['relu', 'mse', [0, -5], ['targets-out-of-reach']],
    ['linear', 'mse', [-9, 9], []],
  ])('%s, %s, %j: %j', (activation, loss, targets, expected) => {
    expect(codes(ending(activation), loss, targets)).toEqual(expected);
  });

  it('is found in layers of activations, functional and nested models', () => {
    const input = tf.input({ shape: [2] });
    const logits = tf.layers.dense({ units: 3 }).apply(input) as tf.SymbolicTensor;
    const functional = tf.model({
      inputs: input,
      outputs: tf.layers.softmax().apply(logits) as tf.SymbolicTensor,
    });
    const nested = tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [2] }), functional] });
    const activation = tf.sequential({
      layers: [
        tf.layers.dense({ units: 2, inputShape: [2] }),
        tf.layers.activation({ activation: 'hardSigmoid' }),
      ],
    });
    expect([functional, nested, activation, ending('linear')].map(lastActivation)).toEqual([
      'softmax',
      'softmax',
      'hardSigmoid',
      'linear',
    ]);
  });

  it('comes with a fix, and counts the targets', () => {
    const [double] = outputProblems({
      definition: definition({ loss: 'crossEntropy' }),
      model: ending('softmax'),
      targets: [],
    });
    expect(double.fix?.value).toBe("'mse'");
    const [reach] = outputProblems({
      definition: definition(),
      model: ending('sigmoid'),
      targets: [-1, 1, 1, 1],
    });
    expect(spoken(reach.message)).toMatch(
      /ends in sigmoid, which gives numbers from 0 to 1, but 25 % of the training targets/,
    );
  });

  it('refuses cross-entropy on one output, whatever the data', () => {
    const data = loadData(
      { kind: 'teacher', dimension: 3, target: 'tanh', train: 8, test: 4 },
      { folder: '.', seed: 1, loss: 'crossEntropy' },
    );
    expect(() => requireClasses(data, definition({ loss: 'crossEntropy' }), 'a.js')).toThrow(
      /a\.js: loss is 'crossEntropy', but teacher has one output, and one output has no classes/,
    );
    expect(() => requireClasses(data, definition(), 'a.js')).not.toThrow();
  });
});

describe('what a model was compiled with', () => {
  it('is said beside what is used', () => {
    const model = ending('softmax');
    expect(compiledNote(model, definition())).toBeNull();
    model.compile({
      loss: 'categoricalCrossentropy',
      optimizer: tf.train.adam(0.01),
      metrics: ['accuracy', 'mse'],
    });
    expect(compiledNote(model, definition())).toBe(
      'The model was compiled with categoricalCrossentropy, Adam (0.01); used in their place are squared loss and gradient descent (a step chosen from the kernel), as the experiment says (--set loss=…, --set optimizer.kind=…, --set optimizer.learningRate=…). Its metrics mse are not measured.',
    );
    model.compile({ loss: (y, f) => tf.losses.huberLoss(y, f), optimizer: 'sgd' });
    expect(
      compiledNote(
        model,
        definition({ loss: 'crossEntropy', optimizer: { kind: 'adam', learningRate: 0.1 } }),
      ),
    ).toMatch(
      /compiled with .*, SGD \(0\.01\); used in their place are cross-entropy of logits and Adam \(0\.1\)/,
    );
  });
});
