import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DataSpec, TwoLayerModel } from '../../src/experiment/definition.js';
import { type Dataset, loadData } from '../../src/network/data/index.js';
import { buildModel } from '../../src/network/models/build.js';
import { neuronsOf } from '../../src/network/models/neurons.js';
import { particlesOf } from '../../src/network/models/particles.js';
import * as tf from '../../src/network/tf.js';
import { Stepper, tensorsOf } from '../../src/network/training/index.js';
import { Keeper } from '../../src/theory/reproduction/keeper.js';
import type { LearningCurve } from '../../src/theory/reproduction/learningCurve.js';
import { paperNet } from '../../src/theory/reproduction/mnist.js';
import { reproductionPage } from '../../src/theory/reproduction/page.js';
import { ratesOf } from '../../src/theory/reproduction/rates.js';
import {
  expected,
  falling,
  nearAccuracy,
  nearMovement,
  rising,
} from '../../src/theory/reproduction/referenceChecks.js';
import { type Reproduced, reproduce } from '../../src/theory/reproduction/reproduce.js';
import type { Stage, StageContext, Survey } from '../../src/theory/reproduction/survey.js';
import { teacherStage } from '../../src/theory/reproduction/teacher.js';
import { last, trainingStage } from '../../src/theory/reproduction/training.js';
import { surveys } from '../../src/theory/survey/registry.js';
import { startBackend } from '../helpers/backend.js';
import { temporaryFolder } from '../helpers/folders.js';

const data: DataSpec = { kind: 'digits', train: 200, test: 100 };
const dataset = (spec: DataSpec, loss: 'mse' | 'crossEntropy'): Dataset =>
  loadData(spec, { folder: '.', seed: 0, loss });
const circumstances = { preset: 'quick', seed: 0, backend: 'wasm' };
const contextOf = (keeper: Keeper, signal?: AbortSignal): StageContext => ({
  seed: 0,
  preset: 'quick',
  signal,
  progress: () => undefined,
  keeper,
  dataset,
});

beforeAll(() => startBackend('wasm'));
afterAll(() => tf.disposeVariables());

describe('learning-rate conventions', () => {
  const width = 40;
  const alpha = 5;
  /** Neurons in units of the common coordinates after steps with the scale in other places. */
  const neuronsAfter = (
    model: TwoLayerModel,
    rates: { learningRate: number | 'auto'; ratio?: number | string },
    readoutFactor: number,
    factor?: number,
  ) => {
    const set = dataset(data, 'crossEntropy');
    const built = buildModel(model, { inputShape: set.inputShape, outputs: 10, seed: 3 });
    if (factor !== undefined) {
      const layer = built.model.getLayer('readout');
      const scaled = tf.tidy(() => tf.mul(layer.getWeights()[0], factor));
      layer.setWeights([scaled]);
      scaled.dispose();
    }
    const rate = rates.learningRate as number;
    const stepper = new Stepper(
      built,
      { loss: 'crossEntropy', optimizer: { kind: 'sgd', ...rates } as never, seed: 0 },
      rate,
    );
    const { x, y } = tensorsOf(set.train, set);
    for (let i = 0; i < 5; i++) stepper.step(x, y).dispose();
    tf.dispose([x, y]);
    stepper.dispose();
    const { theta, u } = particlesOf(built);
    built.model.dispose();
    return [...theta, ...u.map((v) => v / readoutFactor)];
  };
  const common = (convention: Parameters<typeof ratesOf>[0], lr: number) =>
    neuronsAfter(paperNet(width, alpha), ratesOf(convention, lr, width, alpha), 1);

  it('steps of the standard convention are those of f = sum u h with the scale in the start', () => {
    const lr = 0.02;
    const factor = alpha / width;
    // f = (m/m) sum u h.
    const other = neuronsAfter(paperNet(width, width), { learningRate: lr, ratio: 1 }, factor, factor);
    for (const [i, v] of common('m/alpha', lr).entries()) expect(v).toBeCloseTo(other[i], 4);
  });

  it('steps of ratio alpha are those of f = (1/m) sum u h with alpha in the start', () => {
    const lr = 0.02;
    const other = neuronsAfter(paperNet(width, 1), { learningRate: lr * width, ratio: 1 }, alpha, alpha);
    for (const [i, v] of common('alpha', lr).entries()) expect(v).toBeCloseTo(other[i], 4);
  });

  it('ratio 1 takes lr m / alpha for both', () => {
    expect(ratesOf('equal', 0.1, 10000, 100)).toEqual({ learningRate: 10, ratio: 1 });
  });
});

describe('bars', () => {
  const whole: LearningCurve = { columns: {}, values: {}, complete: true, seconds: 1 };

  it('judge published values at the full setting, run to the end, alone', () => {
    expect(nearMovement('a', 1.14, 1, 'full', whole)).toMatchObject({ passed: true, published: 1 });
    expect(nearMovement('a', 0.84, 1, 'full', whole).passed).toBe(false);
    expect(nearMovement('a', 0.84, 1, 'quick', whole).passed).toBe(null);
    expect(nearMovement('a', 1, 1, 'full', { ...whole, complete: false }).passed).toBe(null);
    expect(nearAccuracy('a', 0.966, 0.97, 'full', whole).passed).toBe(true);
    expect(nearAccuracy('a', 0.964, 0.97, 'full', whole).passed).toBe(false);
    expect(nearAccuracy('a', Number.NaN, 0.97, 'full', whole)).toMatchObject({
      measured: null,
      passed: null,
    });
  });

  it('judge what theory expects once all numbers are there', () => {
    expect(expected('a', 'falls', [3, 2, 1], falling).passed).toBe(true);
    expect(expected('a', 'falls', [3, 2, 2], falling).passed).toBe(false);
    expect(expected('a', 'rises', [1, Number.NaN], rising).passed).toBe(null);
  });
});

describe('stages', () => {
  let place: ReturnType<typeof temporaryFolder>;
  beforeAll(() => {
    place = temporaryFolder();
  });
  afterAll(() => place.clean());

  /** Aborts once the stage has gone `share` of its way. */
  const cutOff = async (stage: Stage, keeper: Keeper, share: number): Promise<LearningCurve> => {
    const controller = new AbortController();
    const context = contextOf(keeper, controller.signal);
    return stage.run({ ...context, progress: (fraction) => fraction >= share && controller.abort() });
  };

  it.each([
    [
      'training',
      trainingStage({
        id: 'net/a=1',
        model: paperNet(20, 'ntk'),
        data,
        loss: 'crossEntropy',
        optimizer: { kind: 'adam', learningRate: 0.01 },
        batch: 50,
        epochs: 20,
        linearisation: true,
        rows: 10,
      }),
    ],
    [
      'teacher',
      teacherStage({ id: 'teacher', width: 6, batch: 50, steps: 100, lr: 10, decay: 0.01, noise: 0.01 }),
    ],
  ] as const)('a %s goes on where it was cut off and ends as if it had not been', async (name, stage) => {
    const straight = await stage.run(contextOf(new Keeper(null, 'x', circumstances)));
    expect(straight.complete).toBe(true);
    const folder = `${place.path}/${name}`;
    const keeper = () => new Keeper(folder, 'x', circumstances);
    const partial = await cutOff(stage, keeper(), 0.5);
    expect(partial.complete).toBe(false);
    expect(keeper().course(stage.id, stage.plan)?.complete).toBe(false);
    const whole = await stage.run(contextOf(keeper()));
    expect(whole.complete).toBe(true);
    expect(whole.seconds).toBeGreaterThan(partial.seconds);
    for (const column of Object.keys(straight.columns))
      expect(last(whole, column)).toBeCloseTo(last(straight, column), 6);
    expect(whole.columns['step'].filter((s, i, all) => i > 0 && s <= all[i - 1])).toEqual([]);
  });

  it('a kept course is taken under the same plan and circumstances alone, and leaves no checkpoint', () => {
    const folder = `${place.path}/keeper`;
    const keeper = new Keeper(folder, 'x', circumstances);
    const course: LearningCurve = {
      columns: { step: [0], loss: [Number.NaN] },
      values: { a: 1 },
      complete: true,
      seconds: 2,
    };
    keeper.keepCourse('s', { width: 3 }, course);
    keeper.keep('s', { theta: { data: Float32Array.of(1, 2), shape: [1, 2] } });
    const again = new Keeper(folder, 'x', circumstances);
    expect(again.course('s', { width: 3 })).toEqual(course);
    expect(again.course('s', { width: 4 })).toBe(null);
    expect(new Keeper(folder, 'x', { ...circumstances, seed: 1 }).course('s', { width: 3 })).toBe(null);
    expect(again.kept('s')?.['theta']).toMatchObject({ shape: [1, 2] });
    expect(again.kept('t')).toBe(null);
    expect(readdirSync(folder).filter((f) => f.includes('checkpoint') || f.endsWith('.tmp'))).toEqual([]);
  });

  it('features that a stage leaves are what later ones train on', async () => {
    const keeper = new Keeper(null, 'x', circumstances);
    const plan = {
      model: paperNet(10, 'standard'),
      data,
      loss: 'crossEntropy',
      batch: 50,
      epochs: 2,
    } as const;
    const optimizer = { kind: 'adam', learningRate: 0.01 } as const;
    let theta: number[] = [];
    const first = trainingStage(
      { ...plan, id: 'first', optimizer },
      {
        leaves: true,
        end: (built) => {
          theta = [...neuronsOf(built).theta.data];
          return { seen: 1 };
        },
      },
    );
    expect((await first.run(contextOf(keeper))).values).toEqual({ seen: 1 });
    expect(theta).toHaveLength(640);
  });
});

describe('reproduce', () => {
  const course = (complete: boolean): LearningCurve => ({
    columns: { epoch: [0, 1], accuracy: [0.1, 0.9] },
    values: {},
    complete,
    seconds: 1,
  });
  const survey = (stages: readonly Stage[], passed: boolean | null): Survey => ({
    id: 'fake',
    title: 'A <fake> survey',
    statement: '',
    setting: { full: 'full', quick: 'quick' },
    published: 'nothing',
    source: 'nobody',
    stages: () => stages,
    conclude: (results) => ({
      bars: [{ name: 'n', measured: results.size, published: 2, deviation: null, tolerance: 't', passed }],
      figures: [],
      note: '',
    }),
  });
  const stage = (id: string, run: Stage['run']): Stage => ({ id, plan: id, cost: 1, run });
  const all = async (chosen: Survey, signal?: AbortSignal): Promise<Reproduced[]> => {
    const out: Reproduced[] = [];
    const backend = { name: 'wasm', versions: {} };
    const options = { surveys: [chosen], preset: 'quick', seed: 0, backend, state: null, signal } as const;
    for await (const one of reproduce(options)) out.push(one);
    return out;
  };

  it('concludes from all stages, and says when one was cut off', async () => {
    const [one] = await all(
      survey([stage('a', async () => course(true)), stage('b', async () => course(true))], true),
    );
    expect(one.result).toMatchObject({
      passed: true,
      complete: true,
      seconds: 2,
      setting: 'quick',
      backend: 'wasm',
    });
    expect(Object.keys(one.result.curves)).toEqual(['a', 'b']);
    const controller = new AbortController();
    const cut = stage('a', async () => {
      controller.abort();
      return course(false);
    });
    const [partial] = await all(
      survey([cut, stage('b', () => Promise.reject(new Error('must not run')))], null),
      controller.signal,
    );
    expect(partial.result).toMatchObject({ passed: null, complete: false });
    expect(reproductionPage([partial])).toContain('Partial');
    expect(reproductionPage([one])).toContain('A &lt;fake&gt; survey');
    expect(reproductionPage([one])).not.toContain('Partial');
  });

  it('has every experiment of the authors, with stages of its own in both presets', () => {
    expect(surveys.map((s) => s.id)).toEqual([
      'width',
      'scale',
      'learning-rate',
      'momentum',
      'theta-start',
      'linear-approximation',
      'mean-field',
      'repopulation',
    ]);
    for (const one of surveys)
      for (const preset of ['quick', 'full'] as const) {
        const ids = one.stages(preset).map((s) => s.id);
        expect(new Set(ids).size, one.id).toBe(ids.length);
        // Nothing has run: nothing is judged, and nothing is made up.
        const { bars, figures } = one.conclude(new Map(), preset);
        expect(
          bars.every((bar) => bar.passed === null && bar.measured === null),
          one.id,
        ).toBe(true);
        expect(figures.length).toBeGreaterThan(0);
      }
  });
});
