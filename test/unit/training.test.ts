import { beforeAll, describe, expect, it } from 'vitest';
import { DivergedError } from '../../src/core/errors.js';
import type { ExperimentDefinition, MlpModel, TwoLayerModel } from '../../src/experiment/definition.js';
import { type Dataset, loadData } from '../../src/network/data/index.js';
import { buildModel } from '../../src/network/models/build.js';
import * as tf from '../../src/network/tf.js';
import {
  type Checkpoint,
  gradientFunction,
  lossOf,
  Stepper,
  type TrainingSummary,
  train,
} from '../../src/network/training/index.js';
import type { RunRecord } from '../../src/protocol/records.js';
import { startBackend } from '../helpers/backend.js';

const twoLayer = (more: Partial<TwoLayerModel> = {}): TwoLayerModel => ({
  kind: 'twoLayer',
  width: 64,
  activation: 'tanh',
  scale: 'ntk',
  init: 'symmetric',
  thetaStart: 'inverse-dimension',
  bias: false,
  train: 'all',
  ...more,
});
type Settings = Omit<ExperimentDefinition, 'model' | 'data'>;
const settings = (more: Partial<Settings> = {}): Settings => ({
  loss: 'mse',
  optimizer: { kind: 'sgd', learningRate: 'auto' },
  steps: 60,
  batch: 'full',
  probe: 32,
  seed: 1,
  measure: { kernels: 5 },
  ...more,
});
const teacher = (): Dataset =>
  loadData(
    { kind: 'teacher', dimension: 6, target: 'interaction', inputs: 'sphere', train: 40, test: 20 },
    { folder: '.', seed: 3, loss: 'mse' },
  );

async function collect(
  generator: AsyncGenerator<RunRecord, TrainingSummary>,
): Promise<{ records: RunRecord[]; summary: TrainingSummary }> {
  const records: RunRecord[] = [];
  for (;;) {
    const next = await generator.next();
    if (next.done) return { records, summary: next.value };
    records.push(next.value);
  }
}

function run(
  model: TwoLayerModel | MlpModel,
  data: Dataset,
  definition: Settings,
  resume?: Checkpoint,
  onCheckpoint?: (c: Checkpoint) => void,
) {
  const built = buildModel(model, {
    inputShape: data.inputShape,
    outputs: data.outputs,
    seed: definition.seed,
  });
  return collect(train({ built, data, definition, resume }, { onCheckpoint }));
}

/** Rows without what depends on the clock. */
const comparable = (records: readonly RunRecord[]): unknown =>
  records.map((r) => (r.kind === 'metrics' ? { ...r, values: { ...r.values, tax: 0 } } : r));

beforeAll(() => startBackend('wasm'));

describe('models', () => {
  it('start at exactly zero when symmetrised, on every scale', () => {
    for (const scale of ['ntk', 'mean-field', 'standard', 'm^0.3', 7] as const) {
      const { model } = buildModel(twoLayer({ scale }), { inputShape: [5], outputs: 2, seed: 2 });
      const f = tf.tidy(() => (model.predict(tf.randomNormal([9, 5])) as tf.Tensor).dataSync());
      expect(Math.max(...Array.from(f).map(Math.abs))).toBeLessThan(2e-6);
    }
  });

  it('give the same weights for the same seed and others for another', () => {
    const weights = (seed: number) =>
      Array.from(
        buildModel(twoLayer(), { inputShape: [5], outputs: 1, seed })
          .model.getWeights()[0]
          .dataSync(),
      );
    expect(weights(4)).toEqual(weights(4));
    expect(weights(4)).not.toEqual(weights(5));
  });

  it('name the field of an odd width', () => {
    expect(() => buildModel(twoLayer({ width: 7 }), { inputShape: [5], outputs: 1, seed: 2 })).toThrow(
      /model\.width is 7.*even/,
    );
  });
});

describe('gradients', () => {
  const mlp: MlpModel = {
    kind: 'mlp',
    hidden: [7, 6],
    activation: 'gelu',
    parameterization: 'ntk',
    sigmaW: 1.3,
    sigmaB: 0.4,
    bias: true,
    init: 'gaussian',
    train: 'all',
  };
  it.each(['mse', 'crossEntropy'] as const)('written by hand equal central differences under %s', (loss) => {
    const built = buildModel(mlp, { inputShape: [4], outputs: 3, seed: 5 });
    const x = tf.tensor2d(
      Array.from({ length: 20 }, (_, i) => Math.sin(i)),
      [5, 4],
    );
    const y = tf.tensor2d(
      Array.from({ length: 15 }, (_, i) => (i % 3 === Math.floor(i / 3) % 3 ? 1 : 0)),
      [5, 3],
    );
    const { gradients } = gradientFunction(built.model, loss)(x, y);
    expect(gradients.length).toBe(6);
    for (const { variable, gradient } of gradients) {
      const start = variable.dataSync().slice();
      const expected = gradient.dataSync();
      for (const i of [0, start.length - 1]) {
        const at = (h: number) => {
          const moved = start.slice();
          moved[i] += h;
          variable.assign(tf.tensor(moved, variable.shape));
          return tf.tidy(() => lossOf(built.model.predict(x) as tf.Tensor, y, loss).dataSync()[0]);
        };
        const h = 1e-2;
        expect(expected[i]).toBeCloseTo((at(h) - at(-h)) / (2 * h), 3);
      }
      variable.assign(tf.tensor(start, variable.shape));
    }
  });
});

describe('training', () => {
  it('follows the kernel where it should: the predicted loss is met by a wide network', async () => {
    const { records, summary } = await run(
      twoLayer({ width: 2048 }),
      teacher(),
      settings({ probe: 40, measure: { kernels: 4, twin: true } }),
    );
    const rows = records.filter((r) => r.kind === 'metrics');
    const last = rows
      .filter((r) => r.values['predictedLoss'] !== undefined && r.values['testLoss'] !== undefined)
      .pop();
    expect(last?.values['loss']).toBeLessThan(0.3 * (rows[0].values['loss'] ?? 0) + 1);
    expect(Math.abs((last?.values['loss'] ?? 0) / (last?.values['predictedLoss'] ?? 1) - 1)).toBeLessThan(
      0.2,
    );
    expect(summary.drift).toBeLessThan(0.1);
    expect(rows.find((r) => (r.values['twinGap'] ?? 0) > 0)?.values['twinGap']).toBeLessThan(0.1);
    expect(summary.regime).toBe('lazy');
  });

  it('calls the mean-field scale rich', async () => {
    const { summary } = await run(
      twoLayer({ width: 256, scale: 'mean-field' }),
      teacher(),
      settings({ steps: 800, probe: 40, measure: { kernels: 6, twin: true } }),
    );
    expect(summary.drift).toBeGreaterThan(0.3);
    expect(summary.regime).toBe('rich');
  });

  it.each([
    ['full batch', {}],
    [
      'minibatches with momentum',
      { batch: 8, optimizer: { kind: 'momentum', learningRate: 0.05, momentum: 0.9 } },
    ],
    ['Adam', { batch: 8, optimizer: { kind: 'adam', learningRate: 0.01 } }],
    [
      'noise',
      {
        noise: { temperature: 0.01 },
        regularization: { all: 0.1 },
        optimizer: { kind: 'sgd', learningRate: 0.05, stepScale: 'm' },
      },
    ],
  ] as const)('gives bitwise the same records twice, and after a resume: %s', async (_name, more) => {
    const definition = settings({
      ...(more as Partial<Settings>),
      measure: { kernels: 4, checkpointEvery: 30 },
    });
    const saved: Checkpoint[] = [];
    const first = await run(twoLayer(), teacher(), definition, undefined, (c) => saved.push(c));
    const second = await run(twoLayer(), teacher(), definition);
    expect(comparable(second.records)).toEqual(comparable(first.records));
    const half = saved.find((c) => c.step === 30) as Checkpoint;
    const rest = await run(twoLayer(), teacher(), definition, half);
    const after = (records: readonly RunRecord[]) =>
      comparable(records.filter((r) => r.kind === 'metrics' && r.step > 30));
    expect(after(rest.records)).toEqual(after(first.records));
  });

  it('stops with a sentence when the loss leaves the finite numbers', async () => {
    const definition = settings({ optimizer: { kind: 'sgd', learningRate: 1e6 }, steps: 500 });
    const failure = await run(twoLayer({ activation: 'relu' }), teacher(), definition).catch(
      (e: unknown) => e,
    );
    expect(failure).toBeInstanceOf(DivergedError);
    expect((failure as Error).message).toMatch(/diverged at step \d+.*step size 1000000/);
  });

  it('leaks no tensors', async () => {
    await run(twoLayer(), teacher(), settings());
    const before = tf.memory().numTensors;
    const data = teacher();
    const built = buildModel(twoLayer(), { inputShape: data.inputShape, outputs: 1, seed: 1 });
    const withModel = tf.memory().numTensors;
    await collect(train({ built, data, definition: settings({ measure: { kernels: 4, twin: true } }) }));
    expect(tf.memory().numTensors).toBe(withModel);
    built.model.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('holds noise at its temperature: variance (T / h) / (1 - eta h / 2) in a quadratic well', () => {
    const built = buildModel(twoLayer({ width: 400, init: 'gaussian' }), {
      inputShape: [4],
      outputs: 1,
      seed: 1,
    });
    const eta = 0.2;
    const lambda = 1.5;
    const tau = 0.3;
    const definition = {
      loss: 'mse' as const,
      optimizer: { kind: 'sgd' as const, learningRate: eta, stepScale: 'm' as const },
      regularization: { all: lambda },
      noise: { temperature: tau },
      seed: 3,
    };
    const stepper = new Stepper(built, definition, eta);
    const x = tf.zeros([2, 4]);
    const y = tf.zeros([2, 1]) as tf.Tensor2D;
    let sum = 0;
    let count = 0;
    for (let step = 0; step < 120; step++) {
      stepper.step(x, y).dispose();
      if (step < 40) continue;
      for (const v of built.model.getWeights()[0].dataSync()) {
        sum += v * v;
        count++;
      }
    }
    const expected = tau / lambda / (1 - (eta * lambda) / 2);
    expect(sum / count / expected).toBeGreaterThan(0.96);
    expect(sum / count / expected).toBeLessThan(1.04);
  });
});
