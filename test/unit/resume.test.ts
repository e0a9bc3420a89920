import { inflateRawSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ExperimentDefinition, ModelSpec } from '../../src/experiment/definition.js';
import { type Dataset, loadData } from '../../src/network/data/index.js';
import { buildModel } from '../../src/network/models/build.js';
import * as tf from '../../src/network/tf.js';
import {
  type Checkpoint,
  decodeCheckpoint,
  encodeCheckpoint,
  type TrainControl,
  type TrainingSummary,
  train,
} from '../../src/network/training/index.js';
import type { RunRecord } from '../../src/protocol/records.js';
import { startBackend } from '../helpers/backend.js';

type Definition = Omit<ExperimentDefinition, 'model' | 'data'>;
const definition = (more: Partial<Definition> = {}): Definition => ({
  loss: 'mse',
  optimizer: { kind: 'sgd', learningRate: 0.4 },
  steps: 40,
  batch: 'full',
  probe: 12,
  seed: 4,
  // A kernel's step is seldom that of a row, and the checkpoints lie on either.
  measure: { kernels: 7, metricsEvery: 4, checkpointEvery: 3 },
  ...more,
});
const twoLayer: ModelSpec = {
  kind: 'twoLayer',
  width: 32,
  activation: 'tanh',
  scale: 'ntk',
  init: 'symmetric',
  thetaStart: 'inverse-dimension',
  bias: false,
  train: 'all',
};
const mlp = (hidden: readonly number[]): ModelSpec => ({
  kind: 'mlp',
  hidden,
  activation: 'relu',
  parameterization: 'standard',
  sigmaW: 1.4,
  sigmaB: 0.1,
  bias: true,
  init: 'gaussian',
  train: 'all',
});
const teacher = (): Dataset =>
  loadData(
    { kind: 'teacher', dimension: 6, target: 'interaction', inputs: 'sphere', train: 30, test: 10 },
    { folder: '.', seed: 3, loss: 'mse' },
  );
const classes = (): Dataset =>
  loadData(
    { kind: 'gaussianMixture', dimension: 5, classes: 3, separation: 2, train: 40, test: 10 },
    { folder: '.', seed: 3, loss: 'crossEntropy' },
  );
const momentum = { kind: 'momentum', learningRate: 0.1, momentum: 0.8 } as const;

const runs: Readonly<Record<string, { model: ModelSpec; data: () => Dataset; of: Definition }>> = {
  'descent with theory': { model: twoLayer, data: teacher, of: definition() },
  'momentum, twin, landscape, particles and sharpness': {
    model: twoLayer,
    data: teacher,
    of: definition({
      optimizer: momentum,
      measure: {
        ...definition().measure,
        twin: true,
        landscape: true,
        particles: true,
        sharpness: true,
      },
    }),
  },
  'a chosen step size, and an end by the loss': {
    model: twoLayer,
    data: teacher,
    of: definition({
      optimizer: { kind: 'sgd', learningRate: 'auto' },
      stop: { lossFraction: 0.02 },
      measure: { ...definition().measure, landscape: true },
    }),
  },
  'Adam in batches under cross-entropy': {
    model: mlp([16, 12]),
    data: classes,
    of: definition({
      loss: 'crossEntropy',
      batch: 8,
      optimizer: { kind: 'adam', learningRate: 0.01 },
      measure: { ...definition().measure, landscape: true },
    }),
  },
  'several outputs, simulated on a sample': {
    model: mlp([16, 12]),
    data: classes,
    of: definition({ batch: 8, optimizer: { kind: 'sgd', learningRate: 0.05 } }),
  },
  'dropout and batch normalisation': {
    model: ((library: typeof tf) =>
      library.sequential({
        layers: [
          library.layers.dense({ name: 'a', units: 12, activation: 'relu', inputShape: [5] }),
          library.layers.batchNormalization({ name: 'b' }),
          library.layers.dropout({ name: 'c', rate: 0.3 }),
          library.layers.dense({ name: 'd', units: 3 }),
        ],
      })) as unknown as ModelSpec,
    data: classes,
    of: definition({ loss: 'crossEntropy', batch: 8, optimizer: momentum }),
  },
  'noise and weight decay': {
    model: twoLayer,
    data: teacher,
    of: definition({ batch: 10, noise: { temperature: 1e-3 }, regularization: { all: 0.01 } }),
  },
};

interface Saved {
  readonly checkpoint: Checkpoint;
  /** Records that had been told before it. */
  readonly told: number;
  readonly planned: boolean;
}
interface Course {
  readonly records: RunRecord[];
  readonly saved: Saved[];
  readonly summary: TrainingSummary;
}

/** The wall clock is the only thing in which equal runs differ. */
const timeless = (record: RunRecord): RunRecord =>
  record.kind === 'metrics' ? { ...record, values: { ...record.values, tax: 0 } } : record;

async function follow(
  { model, data, of }: (typeof runs)[string],
  control: TrainControl = {},
  resume?: Checkpoint,
): Promise<Course> {
  const set = data();
  const built = buildModel(model, { inputShape: set.inputShape, outputs: set.outputs, seed: of.seed });
  const records: RunRecord[] = [];
  const saved: Saved[] = [];
  const onCheckpoint = (checkpoint: Checkpoint, planned: boolean) => {
    // As it comes back from the disk.
    const bytes = encodeCheckpoint(checkpoint, { metrics: records.length });
    const { more, ...back } = decodeCheckpoint(bytes, 'checkpoint', inflateRawSync);
    expect(more).toEqual({ metrics: records.length });
    saved.push({ checkpoint: back, told: records.length, planned });
  };
  try {
    const run = train({ built, data: set, definition: of, resume }, { ...control, onCheckpoint });
    for (;;) {
      const next = await run.next();
      if (next.done) return { records, saved, summary: next.value };
      records.push(timeless(next.value));
    }
  } finally {
    built.model.dispose();
  }
}

beforeAll(() => startBackend('wasm'));

describe.each(Object.entries(runs))('a run of %s', (_name, what) => {
  it('goes on from any of its checkpoints as if nothing had been', async () => {
    const whole = await follow(what);
    expect(whole.saved.length).toBeGreaterThan(4);
    expect(whole.records.some((r) => r.kind === 'regime')).toBe(true);
    for (const { checkpoint, told } of whole.saved) {
      const rest = await follow(what, {}, checkpoint);
      expect(rest.records, `step ${checkpoint.step}`).toEqual(whole.records.slice(told));
      expect(rest.summary, `step ${checkpoint.step}`).toEqual(whole.summary);
    }
  }, 240_000);

  it('goes on from where it was interrupted, twice, as if nothing had been', async () => {
    const whole = await follow(what);
    const last = whole.summary.step;
    for (const first of [0, 1, 5, 6, 7, Math.floor(last / 2)].filter((s) => s < last)) {
      const cut = async (at: number, resume?: Checkpoint) => {
        const control = new AbortController();
        const gate = (step: number) => void (step >= at && control.abort('interrupted'));
        return follow(what, { gate, signal: control.signal }, resume);
      };
      const one = await cut(first);
      expect(one.summary).toMatchObject({ stopped: true, step: first });
      const place = one.saved.at(-1) as Saved;
      expect(place.checkpoint.step).toBe(first);
      const two = await cut(first + 2, place.checkpoint);
      const end = two.summary.stopped ? two.saved.at(-1) : undefined;
      const rest = end ? await follow(what, {}, end.checkpoint) : null;
      const told = [
        ...one.records.slice(0, place.told),
        ...(end ? two.records.slice(0, end.told) : two.records),
        ...(rest?.records ?? []),
      ];
      expect(told, `cut at ${first}`).toEqual(whole.records);
      expect((rest ?? two).summary, `cut at ${first}`).toEqual(whole.summary);
    }
  }, 240_000);
});

it('leaves no tensors', () => {
  expect(tf.memory().numTensors).toBeLessThan(200);
});
