import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.js';
import { resolveDefinition } from '../../src/experiment/index.js';
import { loadData } from '../../src/network/data/index.js';
import type { LossName } from '../../src/network/data/spec.js';
import { buildModel } from '../../src/network/models/build.js';
import { seedModel } from '../../src/network/models/seeding.js';
import * as tf from '../../src/network/tf.js';
import { Stepper, train } from '../../src/network/training/index.js';
import { trainingForm, withRandom } from '../../src/network/training/loop/trainingForm.js';
import type { RunRecord } from '../../src/protocol/records.js';
import { backendsUnderTest, startBackend } from '../helpers/backend.js';

const L = tf.layers;
const samples = 12;

/** A user's class that bears the name of a built-in one and does something else. */
class OwnDense extends L.Layer {
  static readonly className = 'Dense';
  private kernel!: tf.LayerVariable;
  override build(shape: tf.Shape | tf.Shape[]): void {
    const size = (shape as tf.Shape)[1] as number;
    this.kernel = this.addWeight('kernel', [size, 4], 'float32', tf.initializers.glorotNormal({ seed: 5 }));
    this.built = true;
  }
  override computeOutputShape(shape: tf.Shape | tf.Shape[]): tf.Shape {
    return [(shape as tf.Shape)[0], 4];
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() =>
      tf.square(tf.matMul([inputs].flat()[0] as tf.Tensor2D, this.kernel.read() as tf.Tensor2D)),
    );
  }
}

/** A user's layer that is another in training, by the flag alone. */
class Doubled extends L.Layer {
  static readonly className = 'Doubled';
  override computeOutputShape(shape: tf.Shape | tf.Shape[]): tf.Shape {
    return shape as tf.Shape;
  }
  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: Record<string, unknown>): tf.Tensor {
    const x = [inputs].flat()[0];
    return kwargs['training'] ? tf.mul(x, 2) : tf.clone(x);
  }
}

const l2 = (strength: number) => tf.regularizers.l2({ l2: strength });
const dense = (units: number, more: object = {}) => L.dense({ units, activation: 'tanh', ...more });
const stack = (shape: number[], ...layers: tf.layers.Layer[]): tf.LayersModel =>
  tf.sequential({ layers: [L.inputLayer({ inputShape: shape }), ...layers] });

interface Case {
  readonly name: string;
  readonly shape: readonly number[];
  readonly build: () => tf.LayersModel;
  readonly loss?: LossName;
  readonly outputs?: number;
  /** Whether the fast chain takes it: training runs what inference does, and adds nothing. */
  readonly chain?: boolean;
}

const cases: readonly Case[] = [
  {
    name: 'dense tanh',
    shape: [5],
    build: () => stack([5], dense(6), dense(7), L.dense({ units: 1 })),
    chain: true,
  },
  {
    name: 'dense relu, three outputs, cross-entropy',
    shape: [5],
    build: () =>
      stack([5], L.dense({ units: 8 }), L.activation({ activation: 'relu' }), L.dense({ units: 3 })),
    loss: 'crossEntropy',
    outputs: 3,
    chain: true,
  },
  {
    name: 'dropout of rate 0',
    shape: [5],
    build: () => stack([5], dense(6), L.dropout({ rate: 0 }), L.dense({ units: 1 })),
    chain: true,
  },
  {
    name: 'a frozen first layer',
    shape: [5],
    build: () => stack([5], dense(6, { trainable: false }), dense(6), L.dense({ units: 1 })),
    chain: true,
  },
  {
    name: 'the two-layer builder',
    shape: [5],
    build: () =>
      buildModel(
        {
          kind: 'twoLayer',
          width: 16,
          activation: 'relu',
          scale: 'ntk',
          init: 'gaussian',
          thetaStart: 'inverse-dimension',
          bias: true,
          train: 'all',
        },
        { inputShape: [5], outputs: 1, seed: 3 },
      ).model,
    chain: true,
  },
  {
    name: 'dropout between dense layers',
    shape: [5],
    build: () =>
      stack([5], dense(12, { activation: 'relu' }), L.dropout({ rate: 0.5 }), L.dense({ units: 1 })),
  },
  {
    name: 'dropout with a seed of its own',
    shape: [5],
    build: () => stack([5], dense(12), L.dropout({ rate: 0.7, seed: 3 }), L.dense({ units: 1 })),
  },
  {
    name: 'L2 on both dense layers',
    shape: [5],
    build: () =>
      stack([5], dense(6, { kernelRegularizer: l2(0.3) }), L.dense({ units: 1, kernelRegularizer: l2(1) })),
  },
  {
    name: 'L1 and L2 on kernel and bias',
    shape: [5],
    build: () =>
      stack(
        [5],
        dense(6, {
          biasRegularizer: l2(0.5),
          kernelRegularizer: tf.regularizers.l1l2({ l1: 0.02, l2: 0.1 }),
        }),
        L.dense({ units: 1 }),
      ),
  },
  {
    name: 'Gaussian noise',
    shape: [5],
    build: () => stack([5], dense(6), L.gaussianNoise({ stddev: 0.5 }), L.dense({ units: 1 })),
  },
  {
    name: 'Gaussian dropout',
    shape: [5],
    build: () => stack([5], dense(6), L.gaussianDropout({ rate: 0.4 }), L.dense({ units: 1 })),
  },
  {
    name: 'alpha dropout behind selu',
    shape: [5],
    build: () =>
      stack([5], dense(6, { activation: 'selu' }), L.alphaDropout({ rate: 0.4 }), L.dense({ units: 1 })),
  },
  {
    name: 'batch normalisation',
    shape: [5],
    build: () => stack([5], dense(6), L.batchNormalization({}), L.dense({ units: 1 })),
  },
  {
    name: 'convolution, batch normalisation, dropout and L2',
    shape: [6, 6, 2],
    build: () =>
      stack(
        [6, 6, 2],
        L.conv2d({ filters: 4, kernelSize: 3, activation: 'relu', kernelRegularizer: l2(0.1) }),
        L.batchNormalization({}),
        L.flatten(),
        L.dropout({ rate: 0.3 }),
        L.dense({ units: 2 }),
      ),
    outputs: 2,
  },
  {
    name: 'a norm constraint',
    shape: [5],
    build: () =>
      stack(
        [5],
        dense(6, { kernelConstraint: tf.constraints.maxNorm({ maxValue: 0.2 }) }),
        L.dense({ units: 1 }),
      ),
    chain: true,
  },
  {
    name: 'a nested model with dropout and L2',
    shape: [5],
    build: () =>
      stack(
        [5],
        stack([5], dense(6, { kernelRegularizer: l2(0.4) }), L.dropout({ rate: 0.5 })),
        L.dense({ units: 1 }),
      ),
  },
  {
    name: 'a regularised layer that is used twice',
    shape: [5],
    build: () => {
      const input = tf.input({ shape: [5] });
      const shared = dense(5, { kernelRegularizer: l2(0.4) });
      const twice = shared.apply(shared.apply(input)) as tf.SymbolicTensor;
      return tf.model({ inputs: input, outputs: L.dense({ units: 1 }).apply(twice) as tf.SymbolicTensor });
    },
  },
  {
    name: 'a recurrent layer with L2',
    shape: [4, 3],
    build: () =>
      stack([4, 3], L.simpleRNN({ units: 5, recurrentRegularizer: l2(0.3) }), L.dense({ units: 1 })),
  },
  {
    name: "a user's own class with the name Dense",
    shape: [5],
    build: () => stack([5], new OwnDense({ name: 'own' }), L.dense({ units: 1 })),
  },
  {
    name: "a user's own layer that knows training by its flag",
    shape: [5],
    build: () => stack([5], dense(6), new Doubled({ name: 'doubled' }), L.dense({ units: 1 })),
  },
];

const runOf = async (build: (namespace: typeof tf) => tf.LayersModel) => {
  const spec = { kind: 'teacher', dimension: 3, target: 'tanh', train: 24, test: 12 } as const;
  const definition = resolveDefinition({
    model: build,
    data: spec,
    optimizer: { kind: 'sgd', learningRate: 0.05 },
    steps: 24,
    probe: 6,
    seed: 1,
    measure: { kernels: 2, metricsEvery: 4 },
  });
  const data = loadData(spec, { folder: '.', seed: 1, loss: 'mse' });
  const built = buildModel(definition.model, { inputShape: [3], outputs: 1, seed: 1 });
  const records: RunRecord[] = [];
  for await (const record of train({ built, data, definition })) records.push(record);
  return { records, model: built.model };
};
const texts = (records: readonly RunRecord[]): string[] =>
  records.flatMap((r) => (r.kind === 'note' ? [r.text] : []));

/** Seeds dropout and noise of a step as the stepper does. */
const masks = (step: number): (() => number) => {
  const random = new Random(`7/masks/${step}`);
  return () => random.uniform();
};

/** TensorFlow.js's own loss: of the outputs, and of the regularisers. */
const halfSquared = (y: tf.Tensor, f: tf.Tensor): tf.Scalar => tf.mul(tf.losses.meanSquaredError(y, f), 0.5);
const ownLoss = (loss: LossName) =>
  loss === 'mse'
    ? halfSquared
    : (y: tf.Tensor, f: tf.Tensor) => tf.losses.softmaxCrossEntropy(y, f) as tf.Scalar;

const valuesOf = (model: tf.LayersModel): Float32Array[] =>
  model.weights.map((w) => (w.read().dataSync() as Float32Array).slice());

const distance = (a: readonly Float32Array[], b: readonly Float32Array[]): number => {
  let gap = 0;
  let size = 0;
  for (const [k, values] of a.entries())
    for (const [i, v] of values.entries()) {
      gap += (v - b[k][i]) ** 2;
      size += b[k][i] ** 2;
    }
  return Math.sqrt(gap / size);
};

function setting({ shape, build, loss = 'mse', outputs = 1 }: Case) {
  const pair = [build(), build()];
  for (const model of pair) seedModel(model, 4);
  pair[1].setWeights(pair[0].getWeights());
  const random = new Random(11);
  const size = shape.reduce((a, b) => a * b, samples);
  const x = tf.tensor(Float32Array.from(random.normals(size)), [samples, ...shape]);
  const y =
    loss === 'mse'
      ? tf.tensor2d(Float32Array.from(random.normals(samples * outputs)), [samples, outputs])
      : (tf.oneHot(
          Array.from({ length: samples }, (_, i) => i % outputs),
          outputs,
        ) as tf.Tensor2D);
  return { ours: pair[0], own: pair[1], x, y: tf.cast(y, 'float32') as tf.Tensor2D, loss };
}

const stepperOf = (model: tf.LayersModel, loss: LossName, kind: 'sgd' | 'momentum' | 'adam' = 'sgd') =>
  new Stepper(
    { model, spec: null, rates: {}, twoLayer: null } as never,
    { loss, seed: 7, optimizer: { kind, learningRate: 0.05, momentum: 0.8, epsilon: 1e-7 } },
    0.05,
  );

describe.each(backendsUnderTest)('training on %s', (backend) => {
  beforeAll(() => startBackend(backend));
  afterAll(() => tf.disposeVariables());

  it.each(cases)('takes the gradient that TensorFlow.js takes: $name', (one) => {
    const { ours, own, x, y, loss } = setting(one);
    const before = valuesOf(ours);
    const stepper = stepperOf(ours, loss);
    const told = stepper.step(x, y).dataSync()[0];
    const { grads } = withRandom(masks(0), () =>
      tf.variableGrads(
        () => {
          const f = own.apply(x, { training: true }) as tf.Tensor;
          const penalties = (own as unknown as { calculateLosses(): tf.Scalar[] }).calculateLosses();
          return penalties.reduce((sum, p) => tf.add(sum, p), ownLoss(loss)(y, f));
        },
        own.trainableWeights.map((w) => w.read() as tf.Variable),
      ),
    );
    const taken = ours.trainableWeights.map((w) => {
      const k = ours.weights.indexOf(w);
      const after = w.read().dataSync();
      return Float32Array.from(after, (v, i) => (before[k][i] - v) / 0.05);
    });
    const expected = own.trainableWeights.map(
      (w) =>
        (grads[(w.read() as tf.Variable).name]?.dataSync() ??
          new Float32Array(w.read().size)) as Float32Array,
    );
    expect(distance(taken, expected)).toBeLessThan(2e-5);
    expect(Number.isFinite(told)).toBe(true);
  });

  it.each(['sgd', 'momentum', 'adam'] as const)(
    'goes as model.fit goes, batch for batch, by %s',
    async (kind) => {
      for (const one of cases) {
        const { ours, own, x, y, loss } = setting(one);
        const stepper = stepperOf(ours, loss, kind);
        const optimizer = {
          sgd: () => tf.train.sgd(0.05),
          momentum: () => tf.train.momentum(0.05, 0.8),
          adam: () => tf.train.adam(0.05, 0.9, 0.999, 1e-7),
        }[kind]();
        own.compile({ optimizer, loss: ownLoss(loss) as never });
        const random = trainingForm(own, x).random;
        const size = samples / 3;
        for (let step = 0; step < 6; step++) {
          const from = (step % 3) * size;
          const batch = [tf.slice(x, from, size), tf.slice(y, from, size)] as const;
          stepper.step(...batch).dispose();
          // Fit seeds its masks by Math.random, which the stepper seeds by the step.
          const math = Math.random;
          if (random) Math.random = masks(step);
          await own.fit(...batch, { batchSize: size, epochs: 1, shuffle: false, verbose: 0 });
          Math.random = math;
        }
        expect(distance(valuesOf(ours), valuesOf(own)), one.name).toBeLessThan(kind === 'adam' ? 1e-3 : 5e-5);
      }
    },
  );

  it('says what is left out, and keeps what it says: a run on weights with a constraint', async () => {
    const { records, model } = await runOf((tf) =>
      tf.sequential({
        layers: [
          tf.layers.dense({
            name: 'bound',
            units: 6,
            inputShape: [3],
            activation: 'tanh',
            kernelConstraint: tf.constraints.maxNorm({ maxValue: 0.01 }),
          }),
          tf.layers.dense({ units: 1 }),
        ],
      }),
    );
    expect(texts(records)).toContainEqual(
      expect.stringMatching(/^Constraints on the weights of bound are not/),
    );
    model.dispose();
  });

  it('trains with what layers add: dropout and L2 change a run, rate 0 and no L2 do not', async () => {
    const lossesOf = async (...[rate, strength]: [number, number]): Promise<(number | undefined)[]> => {
      const { records, model } = await runOf((tf) =>
        tf.sequential({
          layers: [
            tf.layers.dense({
              units: 16,
              inputShape: [3],
              activation: 'tanh',
              kernelRegularizer: strength > 0 ? tf.regularizers.l2({ l2: strength }) : undefined,
            }),
            tf.layers.dropout({ rate }),
            tf.layers.dense({ units: 1 }),
          ],
        }),
      );
      model.dispose();
      return records.flatMap((r) => (r.kind === 'metrics' ? [r.values['testLoss'] ?? r.values['loss']] : []));
    };
    const plain = await lossesOf(0, 0);
    const random = await lossesOf(0.9, 0);
    expect(plain.length).toBeGreaterThan(2);
    expect(await lossesOf(0, 0)).toEqual(plain);
    // Masks follow from the seed of the run: the same run twice is the same to the bit.
    expect(await lossesOf(0.9, 0)).toEqual(random);
    expect(random.at(-1)).not.toBe(plain.at(-1));
    expect(await lossesOf(0, 0.5)).not.toEqual(plain);
  });

  it.each(cases)('keeps the chain for what it does, and sees the rest: $name', (one) => {
    const { ours, x } = setting(one);
    const before = valuesOf(ours);
    trainingForm(ours, x);
    const { numTensors } = tf.memory();
    const form = trainingForm(ours, x);
    expect(tf.memory().numTensors).toBe(numTensors);
    expect(valuesOf(ours)).toEqual(before);
    expect(form.differs || form.penalised.length > 0).toBe(
      one.chain !== true && !/recurrent|own class/.test(one.name),
    );
    expect(form.random).toBe(/dropout|noise/i.test(one.name) && !/seed of its own|rate 0/.test(one.name));
    // TensorFlow.js does not see the regularisers of recurrent cells; what it leaves out is named.
    expect(form.unpenalised.length).toBe(one.name.includes('recurrent') ? 1 : 0);
    expect(form.constrained.length).toBe(one.name.includes('constraint') ? 1 : 0);
  });
});
