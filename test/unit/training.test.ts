import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DivergedError } from '../../src/core/errors.js';
import { Random } from '../../src/core/random.js';
import type {
  ExperimentDefinition,
  LossName,
  ModelSpec,
  TwoLayerModel,
} from '../../src/experiment/definition.js';
import { type Dataset, loadData } from '../../src/network/data/index.js';
import { type BuiltModel, buildModel } from '../../src/network/models/build.js';
import * as tf from '../../src/network/tf.js';
import {
  type Checkpoint,
  gradientFunction,
  LinearisedTwin,
  lossOf,
  probeRows,
  Stepper,
  type TrainControl,
  type TrainingSummary,
  tensorsOf,
  train,
} from '../../src/network/training/index.js';
import { evaluatesAt, evaluationCadence } from '../../src/network/training/loop/schedule.js';
import type { MetricsRow, RunRecord } from '../../src/protocol/records.js';
import { timingColumns } from '../../src/protocol/records.js';
import { backendsUnderTest, startBackend } from '../helpers/backend.js';

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
type Definition = Omit<ExperimentDefinition, 'model' | 'data'>;
const definition = (more: Partial<Definition> = {}): Definition => ({
  loss: 'mse',
  optimizer: { kind: 'sgd', learningRate: 0.5 },
  steps: 40,
  batch: 'full',
  probe: 24,
  seed: 1,
  measure: { kernels: 6 },
  ...more,
});
/** What training goes on from; the recorder's part says which kernels were measured. */
const withoutRecorder = (saved: readonly Checkpoint[]) =>
  saved.map(({ recorder: _recorder, ...rest }) => rest);
const teacher = (n = 48): Dataset =>
  loadData(
    { kind: 'teacher', dimension: 6, target: 'interaction', inputs: 'sphere', train: n, test: 20 },
    { folder: '.', seed: 3, loss: 'mse' },
  );
const mixture = (): Dataset =>
  loadData(
    { kind: 'gaussianMixture', dimension: 5, classes: 3, separation: 2, train: 40, test: 20 },
    { folder: '.', seed: 3, loss: 'crossEntropy' },
  );
const build = (data: Dataset, spec: ModelSpec = twoLayer()): BuiltModel =>
  buildModel(spec, { inputShape: data.inputShape, outputs: data.outputs, seed: 1 });

async function run(
  data: Dataset,
  more: Partial<Definition> = {},
  control: TrainControl = {},
  extra: { built?: BuiltModel; resume?: Checkpoint } = {},
): Promise<{ records: RunRecord[]; summary: TrainingSummary; built: BuiltModel }> {
  const built = extra.built ?? build(data);
  const loop = train({ built, data, definition: definition(more), resume: extra.resume }, control);
  const records: RunRecord[] = [];
  for (;;) {
    const next = await loop.next();
    if (next.done) return { records, summary: next.value, built };
    records.push(next.value);
  }
}
/** Metrics without wall-clock columns. */
const metrics = (records: readonly RunRecord[], after = -1): MetricsRow[] =>
  records
    .filter((r): r is MetricsRow => r.kind === 'metrics' && r.step > after)
    .map((r) => ({
      ...r,
      values: Object.fromEntries(
        Object.entries(r.values).filter(([name]) => !(timingColumns as readonly string[]).includes(name)),
      ),
    }));
const weightsOf = ({ model }: BuiltModel): number[] => model.getWeights().flatMap((w) => [...w.dataSync()]);

describe.each(backendsUnderTest)('training on %s', (backend) => {
  beforeAll(() => startBackend(backend));
  afterAll(() => tf.disposeVariables());

  const specs: [string, ModelSpec][] = [
    ['two-layer', twoLayer({ bias: true, init: 'gaussian' })],
    [
      'mlp',
      {
        kind: 'mlp',
        hidden: [7, 6],
        activation: 'gelu',
        parameterization: 'ntk',
        sigmaW: 1.2,
        sigmaB: 0.4,
        bias: true,
        init: 'gaussian',
        train: 'all',
      },
    ],
    [
      'residual',
      { kind: 'residual', width: 6, depth: 2, activation: 'tanh', blockScale: '1/L', train: 'all' },
    ],
  ];
  const losses: LossName[] = ['mse', 'crossEntropy'];
  it.each(specs.flatMap(([name, spec]) => losses.map((loss) => [name, loss, spec] as const)))(
    'takes the gradients of %s under %s that the tape and finite differences take',
    (_name, loss, spec) => {
      const data = mixture();
      const built = build(data, spec);
      const { x, y } = tensorsOf(data.train, data);
      tf.tidy(() => {
        const own = gradientFunction(built.model, loss)(x, y);
        const value = () => lossOf(built.model.apply(x) as tf.Tensor, y, loss);
        const tape = tf.variableGrads(value as () => tf.Scalar);
        const random = new Random(1);
        for (const { variable, gradient } of own.gradients) {
          const mine = gradient.dataSync() as Float32Array;
          const theirs = tape.grads[variable.name].dataSync();
          const size = Math.max(...theirs.map(Math.abs));
          for (let i = 0; i < mine.length; i++)
            expect(Math.abs(mine[i] - theirs[i])).toBeLessThan(1e-5 * size + 1e-8);
          const direction = random.normals(variable.size);
          const start = variable.dataSync().slice() as Float32Array;
          const at = (t: number) => {
            variable.assign(
              tf.tensor(
                start.map((v, i) => v + t * direction[i]),
                variable.shape,
              ),
            );
            return value().dataSync()[0];
          };
          const h = 1e-2;
          const slope = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
          at(0);
          const along = mine.reduce((sum, g, i) => sum + g * direction[i], 0);
          expect(Math.abs(along - slope)).toBeLessThan(2e-3 * Math.max(Math.abs(slope), size));
        }
      });
    },
  );

  it('labels every row with the loss of the weights at that step', async () => {
    const data = teacher();
    const { records } = await run(data, { measure: { kernels: 3, metricsEvery: 1 }, steps: 250 });
    const built = build(data);
    const stepper = new Stepper(built, definition(), 0.5);
    const { x, y } = tensorsOf(data.train, data);
    const rows = new Map(
      metrics(records)
        .filter((r) => 'loss' in r.values)
        .map((r) => [r.step, r.values['loss']]),
    );
    expect(rows.size).toBe(251);
    for (let step = 0; step <= 250; step++) {
      const loss = stepper.loss(x, y);
      expect(Math.abs((rows.get(step) as number) - loss), `step ${step}`).toBeLessThan(1e-5 * loss);
      stepper.step(x, y).dispose();
    }
  });

  it.each([
    ['full batch', {}],
    ['minibatches, momentum', { batch: 16, optimizer: { kind: 'momentum', learningRate: 0.1 } }],
    ['Adam', { batch: 10, optimizer: { kind: 'adam', learningRate: 0.01 } }],
    ['Langevin noise', { noise: { temperature: 0.01 }, regularization: { all: 0.1 } }],
  ] as [string, Partial<Definition>][])('repeats itself and resumes to the bit: %s', async (_name, more) => {
    const data = teacher();
    const measure = { kernels: 6, twin: true, particles: true, checkpointEvery: 15, metricsEvery: 2 };
    const saved: Checkpoint[] = [];
    const whole = await run(data, { ...more, measure }, { onCheckpoint: (c) => void saved.push(c) });
    const again = await run(data, { ...more, measure });
    expect(metrics(again.records)).toEqual(metrics(whole.records));
    const resume = saved.find((c) => c.step === 15) as Checkpoint;
    const rest = await run(data, { ...more, measure }, {}, { resume: structuredClone(resume) });
    expect(weightsOf(rest.built)).toEqual(weightsOf(whole.built));
    expect(metrics(rest.records, 15)).toEqual(metrics(whole.records, 15));
  });

  it('lets extra diagnostics change nothing about the training', async () => {
    const data = teacher();
    const bare = await run(data, { measure: { kernels: 0 } });
    const full = await run(data, { measure: { kernels: 20, every: 3, twin: true, particles: true } });
    expect(weightsOf(full.built)).toEqual(weightsOf(bare.built));
  });

  it('measures less where looking costs too much, and trains the same', async () => {
    const data = teacher();
    const saved: Record<string, Checkpoint[]> = { free: [], throttled: [] };
    const more = { measure: { kernels: 8, every: 1, metricsEvery: 4, checkpointEvery: 10 } };
    const free = await run(data, more, { onCheckpoint: (c) => void saved['free'].push(c) });
    const throttled = await run(data, more, {
      throttle: { bar: 1.01, allowance: 0 },
      onCheckpoint: (c) => void saved['throttled'].push(c),
    });
    const kernels = ({ records }: { records: readonly RunRecord[] }) =>
      records.filter((r) => r.kind === 'snapshot' && r.name === 'eigenvalues').map((r) => r.step);
    expect(kernels(free)).toHaveLength(41);
    expect(kernels(throttled).length).toBeLessThan(20);
    expect([kernels(throttled)[0], kernels(throttled).at(-1)]).toEqual([0, 40]);
    expect(throttled.records.filter((r) => r.kind === 'note' && r.throttle)).toHaveLength(1);
    expect(weightsOf(throttled.built)).toEqual(weightsOf(free.built));
    expect(withoutRecorder(saved['throttled'])).toEqual(withoutRecorder(saved['free']));
    // At the fixed cadence everything but the kernels' own numbers is there, bit by bit.
    const fixed = (records: readonly RunRecord[]) =>
      metrics(records)
        .filter((row) => row.step % 4 === 0)
        .map(({ step, time, values }) => [step, time, values['loss'], values['testLoss']]);
    expect(fixed(throttled.records)).toEqual(fixed(free.records));
  });

  it('takes probe inputs of every class, also where classes alternate', () => {
    const labels = Int32Array.from({ length: 40 }, (_, i) => i % 2);
    const data = mixture();
    const alternating = { ...data, train: { ...data.train, size: 40, labels } };
    const rows = probeRows(alternating, 20);
    expect(Array.from(rows).filter((i) => labels[i] === 0)).toHaveLength(10);
    expect(new Set(rows).size).toBe(20);
    expect(Array.from(probeRows(alternating, 40))).toEqual(Array.from({ length: 40 }, (_, i) => i));
  });

  it('draws the loss around the path, and leaves the weights as they are', async () => {
    const data = teacher();
    const bare = await run(data);
    const drawn = await run(data, { measure: { kernels: 6, landscape: true } });
    expect(weightsOf(drawn.built)).toEqual(weightsOf(bare.built));
    const array = (name: string) => drawn.records.find((r) => r.kind === 'snapshot' && r.name === name);
    const line = array('lossLine');
    const losses = metrics(drawn.records).map((row) => row.values['loss']);
    if (line?.kind !== 'snapshot') throw new Error('no line');
    // s = 0 is the start, s = 1 the end of the run.
    const at = (s: number) => {
      for (let i = 0; i < line.shape[0]; i++)
        if (Math.abs(line.data[2 * i] - s) < 1e-9) return line.data[2 * i + 1];
      throw new Error(`no point at ${s}`);
    };
    expect(at(0)).toBeCloseTo(losses[0], 6);
    expect(at(1)).toBeCloseTo(losses[losses.length - 1], 6);
    const path = array('weightPath');
    const plane = array('landscape');
    if (path?.kind !== 'snapshot' || plane?.kind !== 'snapshot') throw new Error('no plane');
    expect(Array.from({ length: path.shape[0] }, (_, i) => path.data[3 * i + 2])).toContain(40);
    expect(plane.shape).toEqual([25, 25, 3]);
    // The path holds nearly all of its variance in the plane, so the loss there reaches down to where the run ended.
    let least = Number.POSITIVE_INFINITY;
    for (let i = 2; i < plane.data.length; i += 3) least = Math.min(least, plane.data[i]);
    expect(least).toBeLessThan(1.5 * losses[losses.length - 1] + 0.05 * losses[0]);
  });

  it('names step and step size when it diverges', async () => {
    const failure = run(teacher(), { optimizer: { kind: 'sgd', learningRate: 1e4 }, steps: 500 });
    await expect(failure).rejects.toThrow(DivergedError);
    await expect(failure).rejects.toThrow(/step \d+.*step size 10000.*learningRate/);
  });

  it('says what its linearised twin leaves out', async () => {
    const notes = async (more: Partial<Definition>) => {
      const { records } = await run(teacher(), { measure: { kernels: 2, twin: true }, steps: 2, ...more });
      return records.flatMap((r) => (r.kind === 'note' && r.text.includes('twin') ? [r.text] : []));
    };
    expect(await notes({})).toEqual([]);
    expect(await notes({ regularization: { readout: 0.1 } })).toEqual([
      expect.stringContaining('without L2'),
    ]);
  });

  it('evaluates at doubling steps before the first of the even ones', () => {
    const at = Array.from({ length: 101 }, (_, step) => step).filter((step) => evaluatesAt(step, 1, 36));
    expect(at).toEqual([0, 1, 2, 4, 8, 16, 32, 36, 72]);
    expect([5, 10, 20, 40, 50].filter((step) => evaluatesAt(step, 5, 50))).toEqual([5, 10, 20, 40, 50]);
    expect(evaluatesAt(3, 5, 50)).toBe(false);
  });

  it('evaluates within its share, whatever the sizes', () => {
    for (const [steps, batch, evaluated] of [
      [2000, 512, 1024],
      [500, 64, 10_000],
      [20_000, 32, 2048],
    ] as const) {
      const evaluations = steps / evaluationCadence(steps, 1, batch, evaluated);
      // Half a step for as many samples; and at least eight rows.
      const share = (0.5 * evaluations * evaluated) / (steps * batch);
      expect(evaluations <= 8 || share <= 0.021).toBe(true);
      expect(evaluations).toBeGreaterThan(4);
    }
  });

  it('takes half the largest stable step on auto, and that bound is the true one', async () => {
    const data = teacher();
    let ready = { learningRate: 0, maxStep: 0 };
    const { records } = await run(
      data,
      { optimizer: { kind: 'sgd', learningRate: 'auto' }, probe: 48, steps: 5 },
      {
        onReady: (facts) => {
          ready = facts;
        },
      },
    );
    expect(ready.learningRate).toBeCloseTo(ready.maxStep / 2, 6);
    expect(records.some((r) => r.kind === 'note' && /[Ss]tep size/.test(r.text))).toBe(true);
    // A linear model is stable exactly below 2 n O / lambda_max: training the readout alone is one.
    const spec = twoLayer({ train: 'readout' });
    const bound = async () => {
      let at = 0;
      await run(
        data,
        { probe: 48, steps: 1 },
        {
          onReady: (f) => {
            at = f.maxStep;
          },
        },
        { built: build(data, spec) },
      );
      return at;
    };
    const limit = await bound();
    const end = async (factor: number) =>
      (
        await run(
          data,
          { optimizer: { kind: 'sgd', learningRate: factor * limit }, steps: 300, measure: { kernels: 0 } },
          {},
          { built: build(data, spec) },
        )
      ).summary.loss.train;
    const start = lossAtStart(data, spec);
    expect(await end(0.98)).toBeLessThan(start);
    await expect(
      end(1.05).then((loss) => {
        if (loss > start) throw new Error('grew');
      }),
    ).rejects.toThrow();
  });

  function lossAtStart(data: Dataset, spec: ModelSpec): number {
    const { x, y } = tensorsOf(data.train, data);
    return new Stepper(build(data, spec), definition(), 1).loss(x, y);
  }

  it('follows (I - eta K / n)^t r0 where the model is linear, and so does its twin', async () => {
    const data = teacher();
    const { records } = await run(
      data,
      {
        optimizer: { kind: 'sgd', learningRate: 'auto' },
        probe: 48,
        steps: 200,
        measure: { kernels: 8, twin: true },
      },
      {},
      { built: build(data, twoLayer({ train: 'readout' })) },
    );
    const of = (name: string) => records.filter((r) => r.kind === 'snapshot' && r.name === name);
    const [residual, predicted] = [of('residual'), of('predictedResidual')];
    expect(predicted.length).toBe(residual.length);
    expect(residual.length).toBeGreaterThan(4);
    for (const [i, r] of residual.entries()) {
      const p = predicted[i];
      if (r.kind !== 'snapshot' || p.kind !== 'snapshot') continue;
      for (let k = 0; k < r.data.length; k++) expect(Math.abs(r.data[k] - p.data[k])).toBeLessThan(2e-4);
    }
    for (const row of metrics(records))
      if ('twinGap' in row.values) expect(row.values['twinGap']).toBeLessThan(1e-4);
  });

  it('parts from the twin less, the wider the network (twin against the explicit linearisation)', () => {
    const data = teacher();
    const { x, y } = tensorsOf(data.train, data);
    const gap = (width: number) => {
      const built = build(data, twoLayer({ width }));
      const stepper = new Stepper(built, definition(), 0.5);
      const twin = new LinearisedTwin(built.model, 'mse', stepper.factors);
      for (let t = 0; t < 60; t++) {
        twin.step(x, y, 0.5);
        stepper.step(x, y).dispose();
      }
      const a = stepper.predict(x).dataSync();
      const b = twin.predict(x).dataSync();
      twin.dispose();
      return Math.hypot(...a.map((v, i) => v - b[i])) / Math.hypot(...b);
    };
    expect(gap(4096)).toBeLessThan(gap(64) / 4);
  });

  it('oracle 7: reaches the variance (T / h) / (1 - eta h / 2) under Langevin noise', () => {
    // Readout-only with huge L2 is noisy descent in h x^2 / 2 with h = lambda for every u (mse gradient scaled away).
    const width = 4096;
    const data: Dataset = {
      ...teacher(),
      train: { size: 1, x: new Float32Array(6), y: new Float32Array(1), labels: null },
    };
    const built = build(data, twoLayer({ width, train: 'readout', scale: 'mean-field' }));
    const [h, T, eta] = [2, 0.3, 0.25];
    const stepper = new Stepper(
      built,
      definition({
        regularization: { all: h * width },
        noise: { temperature: T },
        optimizer: { kind: 'sgd', learningRate: eta },
      }),
      eta,
    );
    const { x, y } = tensorsOf(data.train, data);
    for (let t = 0; t < 60; t++) stepper.step(x, y).dispose();
    let sum = 0;
    let count = 0;
    for (let t = 0; t < 40; t++) {
      stepper.step(x, y).dispose();
      const u = built.model.getLayer('readout').getWeights()[0].dataSync();
      for (const v of u) sum += v * v;
      count += u.length;
    }
    const expected = T / h / (1 - (eta * h) / 2);
    expect(Math.abs(sum / count / expected - 1)).toBeLessThan(0.02);
  });

  it('trains in the tangent space alone when asked to, and resumes there', async () => {
    const data = teacher();
    const tangent = twoLayer({ train: 'tangent', scale: 'mean-field', bias: true });
    const more: Partial<Definition> = {
      optimizer: { kind: 'sgd', learningRate: 20 },
      steps: 60,
      measure: { kernels: 3, checkpointEvery: 20 },
    };
    const saved: Checkpoint[] = [];
    const whole = await run(
      data,
      more,
      { onCheckpoint: (c) => void saved.push(c) },
      { built: build(data, tangent) },
    );
    const twinOf = (trained: BuiltModel) => {
      const stepper = new Stepper(trained, definition(), 20);
      return { stepper, twin: new LinearisedTwin(trained.model, 'mse', stepper.factors) };
    };
    const { stepper, twin } = twinOf(build(data, tangent));
    const { x, y } = tensorsOf(data.train, data);
    for (let t = 0; t < 60; t++) {
      twin.step(x, y, 20);
      stepper.step(x, y).dispose();
    }
    expect(whole.summary.loss.train).toBeCloseTo(twin.lossOn(x, y), 6);
    expect(Math.abs(whole.summary.loss.train / stepper.loss(x, y) - 1)).toBeGreaterThan(0.05);
    expect(whole.summary.drift).toBe(0);
    expect(whole.summary.movement['features']).toBeGreaterThan(0.01);
    const resume = structuredClone(saved.find((c) => c.step === 20)) as Checkpoint;
    const rest = await run(data, more, {}, { built: build(data, tangent), resume });
    expect(metrics(rest.records, 20)).toEqual(metrics(whole.records, 20));
    const momentum = run(
      data,
      { optimizer: { kind: 'momentum', learningRate: 1 } },
      {},
      { built: build(data, tangent) },
    );
    await expect(momentum).rejects.toThrow(/model\.train 'tangent'.*momentum/);
  });

  it('stops at a loss, a fraction of it, a time, or when told to', async () => {
    const data = teacher();
    const until = async (stop: Definition['stop']) =>
      (await run(data, { stop, steps: 3000, measure: { kernels: 0 } })).summary;
    const first = lossAtStart(data, twoLayer());
    const byFraction = await until({ lossFraction: 0.5 });
    expect(byFraction.loss.train).toBeLessThanOrEqual(0.5 * first);
    expect(byFraction.step).toBeLessThan(3000);
    const before = (await run(data, { steps: byFraction.step - 1, measure: { kernels: 0 } })).summary;
    expect(before.loss.train).toBeGreaterThan(0.5 * first);
    expect((await until({ time: 5 })).step).toBe(10);
    const abort = new AbortController();
    const stopped = await run(
      data,
      { steps: 1e6 },
      { signal: abort.signal, gate: (s) => void (s === 7 && abort.abort()) },
    );
    expect(stopped.summary).toMatchObject({ stopped: true, step: 7 });
  });

  it('lets messages in while it trains', async () => {
    const abort = new AbortController();
    const started = performance.now();
    setTimeout(() => abort.abort(), 30);
    const { summary } = await run(
      teacher(),
      { steps: 1e7, measure: { kernels: 4 } },
      { signal: abort.signal },
    );
    expect(summary.stopped).toBe(true);
    expect(summary.step).toBeGreaterThan(0);
    expect(performance.now() - started).toBeLessThan(5000);
  });

  it('leaves no tensor behind', async () => {
    const data = teacher();
    const once = () =>
      run(data, {
        batch: 16,
        optimizer: { kind: 'adam', learningRate: 0.01 },
        measure: { kernels: 4, twin: true, particles: true },
      });
    (await once()).built.model.dispose();
    const before = tf.memory().numTensors;
    (await once()).built.model.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
