import { beforeAll, describe, expect, it } from 'vitest';
import { regimeOfGap } from '../../src/core/measures/regimeBars.js';
import type { ExperimentDefinition, ModelSpec } from '../../src/experiment/definition.js';
import { buildModel } from '../../src/network/models/build.js';
import * as tf from '../../src/network/tf.js';
import {
  KernelProbe,
  type RegimeForecast,
  regimeForecast,
  Stepper,
  stepFactors,
} from '../../src/network/training/index.js';
import {
  columnOf,
  dataOf,
  deepNet,
  interactionTask,
  networkOf,
  training,
  trainToEnd,
  twoLayerNet,
} from '../../src/theory/laboratory.js';
import { backendsUnderTest, startBackend } from '../helpers/backend.js';

const data = dataOf(interactionTask(), 3);
const context = { seed: 3, preset: 'quick' } as const;
const definition = training({
  optimizer: { kind: 'sgd', learningRate: 'auto' },
  steps: 2000,
  stop: { lossFraction: 0.01 },
  seed: 3,
  measure: { kernels: 2, metricsEvery: 4000 },
});

async function forecastOf(
  built: ReturnType<typeof buildModel>,
  tangent = false,
  more: Partial<ExperimentDefinition> = {},
  share = 1,
): Promise<RegimeForecast> {
  const full = { ...definition, ...more, model: built.spec as ModelSpec, data: interactionTask() };
  const factors = stepFactors(built, full);
  const probe = new KernelProbe(built.model, data, 48, factors);
  const stepper = new Stepper(built, full, 1);
  const outputs = probe.predict((x) => stepper.predict(x));
  const start = await probe.measure(outputs);
  const learningRate = probe.size / (await probe.stabilityEigenvalue('mse', outputs));
  const run = {
    ...full,
    learningRate: share * learningRate,
    maxStep: 2 * learningRate,
    factors,
    data,
    tangent,
  };
  const forecast = await regimeForecast(built.model, probe, start, outputs, run);
  probe.dispose();
  stepper.dispose();
  return forecast;
}

describe.each(backendsUnderTest)('the regime before training, on %s', (backend) => {
  beforeAll(() => startBackend(backend));

  it.each([
    ['lazy', 'alpha = m', twoLayerNet(256, { scale: 'm^0.75' })],
    ['lazy', 'alpha = sqrt m', twoLayerNet(1024)],
    ['in between', 'a narrow network', twoLayerNet(64)],
    ['rich', 'alpha = 1', twoLayerNet(512, { scale: 'mean-field' })],
  ] as const)('is %s for %s, by the gap that the twin then has', async (regime, _name, spec) => {
    const built = networkOf(spec, data, context, 3);
    const forecast = await forecastOf(built);
    expect(forecast.regime).toBe(regime);
    const measure = { kernels: 24, twin: true, metricsEvery: 4000 };
    const { rows } = await trainToEnd(built, data, { ...definition, measure }, context);
    const truth = Math.max(...columnOf(rows, 'twinGap').value);
    expect(regimeOfGap(truth)).toBe(regime);
    expect(Math.abs(forecast.gap / truth - 1)).toBeLessThan(0.1);
    built.model.dispose();
  });

  it('falls with the width of a deep network', async () => {
    const gaps: number[] = [];
    for (const width of [32, 128, 512]) {
      const built = networkOf(deepNet([width, width, width]), data, context, 3);
      gaps.push((await forecastOf(built)).gap);
      built.model.dispose();
    }
    expect(gaps[0]).toBeGreaterThan(1.5 * gaps[1]);
    expect(gaps[1]).toBeGreaterThan(1.5 * gaps[2]);
  });

  it('says what it leaves out: Adam, and steps above the stable one', async () => {
    const built = networkOf(twoLayerNet(64), data, context, 3);
    const adam = await forecastOf(built, false, { optimizer: { kind: 'adam', learningRate: 1e-3 } });
    expect(adam.reasons.join(' ')).toContain('without Adam');
    const wild = await forecastOf(built, false, {}, 5);
    expect(wild.reasons.join(' ')).toContain('above the stable one');
    expect(Number.isFinite(wild.gap)).toBe(true);
    built.model.dispose();
  });

  it('knows networks that cannot leave their kernel', async () => {
    const readout = networkOf(twoLayerNet(128, { scale: 'mean-field', train: 'readout' }), data, context, 3);
    const forecast = await forecastOf(readout);
    expect(forecast.gap).toBeLessThan(1e-4);
    expect(forecast.regime).toBe('lazy');
    const tangent = networkOf(twoLayerNet(128, { scale: 'mean-field' }), data, context, 3);
    expect((await forecastOf(tangent, true)).regime).toBe('lazy');
    for (const { model } of [readout, tangent]) model.dispose();
  });

  it('takes any layers model, and leaves its weights and no tensor behind', async () => {
    const build = (t: typeof tf) =>
      t.sequential({
        layers: [
          t.layers.reshape({ inputShape: [10], targetShape: [10, 1] }),
          t.layers.conv1d({ filters: 6, kernelSize: 3, activation: 'relu' }),
          t.layers.globalAveragePooling1d({}),
          t.layers.dense({ units: 1 }),
        ],
      });
    const built = buildModel(build as never, { inputShape: [10], outputs: 1, seed: 1 });
    await forecastOf(built);
    const before = built.model.getWeights().map((w) => Array.from(w.dataSync()));
    const held = tf.memory().numTensors;
    const { gap } = await forecastOf(built);
    expect(tf.memory().numTensors).toBe(held);
    expect(built.model.getWeights().map((w) => Array.from(w.dataSync()))).toEqual(before);
    expect(gap).toBeGreaterThan(0);
  });
});
