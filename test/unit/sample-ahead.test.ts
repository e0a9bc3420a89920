import { beforeAll, describe, expect, it } from 'vitest';
import * as tf from '../../src/network/tf.js';
import { KernelProbe } from '../../src/network/training/index.js';
import { tensorsOf } from '../../src/network/training/loop/batches.js';
import { descendAhead, passesAhead } from '../../src/network/training/regime/descentAhead.js';
import { lookOnSample, sampleSize, saysMore } from '../../src/network/training/regime/sampleAhead.js';
import {
  dataOf,
  deepNet,
  interactionTask,
  networkOf,
  outputsOf,
  training,
  trainToEnd,
  twoLayerNet,
} from '../../src/theory/laboratory.js';
import { stepOf } from '../../src/theory/subSeeds.js';
import { backendsUnderTest, startBackend } from '../helpers/backend.js';

const context = { seed: 5, preset: 'quick' } as const;
const data = dataOf(interactionTask(), 5);
const all = Array.from({ length: data.train.size }, (_, i) => i);

describe.each(backendsUnderTest)('descent ahead on a sample, on %s', (backend) => {
  beforeAll(() => startBackend(backend));

  it.each([
    ['two layers', twoLayerNet(64, { scale: 'm^0.25' })],
    ['three layers', deepNet([32, 32])],
  ] as const)('comes to where training comes, with %s, and puts everything back', async (_, spec) => {
    const built = networkOf(spec, data, context);
    const learningRate = await stepOf(built, data, 0.2);
    const { x, y } = tensorsOf(data.train, data);
    const before = built.model.getWeights().map((w) => Array.from(w.dataSync()));
    const held = tf.memory().numTensors;
    const run = { factors: {}, learningRate, momentum: 0, steps: 500, until: 0 };
    let reached: Float32Array = new Float32Array();
    const path = await descendAhead(built.model, { x, y, rows: all }, run, async () => {
      reached = outputsOf(built, data);
    });
    expect(tf.memory().numTensors).toBe(held);
    expect(built.model.getWeights().map((w) => Array.from(w.dataSync()))).toEqual(before);
    tf.dispose([x, y]);
    const definition = training({
      optimizer: { kind: 'sgd', learningRate },
      steps: 500,
      measure: { kernels: 24, twin: true, metricsEvery: 500 },
    });
    const { rows } = await trainToEnd(built, data, definition, context);
    const trained = outputsOf(built, data);
    built.model.dispose();
    const apart = Math.hypot(...trained.map((f, i) => f - reached[i])) / Math.hypot(...trained);
    expect(apart).toBeLessThan(0.03);
    const gap = Math.max(...rows.map((r) => r.values['twinGap'] ?? 0));
    expect(path.at(-1)?.step).toBe(500);
    expect(Math.abs((path.at(-1)?.gap ?? 0) / gap - 1)).toBeLessThan(0.06);
  });

  it('ends where the run ends, and says rich where nothing holds', async () => {
    const built = networkOf(twoLayerNet(64), data, context);
    const learningRate = await stepOf(built, data, 0.5);
    const probe = new KernelProbe(built.model, data, 12, {});
    const run = { factors: {}, learningRate, momentum: 0, steps: 4000, until: 0.1 };
    let looks = 0;
    const look = async () => {
      looks++;
    };
    const path = await lookOnSample(built.model, data, probe, 24, run, look);
    expect(path.at(-1)?.step).toBeLessThan(400);
    const wild = { ...run, learningRate: 1e12, until: 0 };
    const lost = await lookOnSample(built.model, data, probe, 24, wild, look);
    expect(lost.at(-1)?.gap).toBe(10);
    expect(looks).toBe(2);
    expect(outputsOf(built, data).every(Number.isFinite)).toBe(true);
    probe.dispose();
    built.model.dispose();
  });
});

describe('the size of a sample', () => {
  const base = { inputs: 512, probes: 64, outputs: 10, weights: 20_000, stiffness: 1, steps: 2000 };

  it('grows with what the kernels would cost and shrinks with what a pass costs', () => {
    const size = sampleSize(base);
    expect(size).toBeGreaterThan(64);
    expect(sampleSize({ ...base, inputs: 100 })).toBe(100);
    expect(sampleSize({ ...base, probes: 128, inputs: 4096, weights: 1e6 })).toBeGreaterThan(
      sampleSize({ ...base, inputs: 4096, weights: 1e6 }),
    );
    const large = sampleSize({ ...base, outputs: 1, weights: 1e6 });
    expect(large).toBeLessThan(64);
    // A pass is called whatever its size.
    expect(sampleSize({ ...base, outputs: 1, weights: 100, steps: 1e9 })).toBe(0);
    expect(saysMore(large, { probes: 64, outputs: 1 })).toBe(false);
    expect(saysMore(64, { probes: 64, outputs: 1 })).toBe(false);
    expect(saysMore(64, { probes: 64, outputs: 2 })).toBe(true);
  });

  it('counts passes that grow with the root of the steps', () => {
    const ratio = (passesAhead(1, 64_000) - passesAhead(1, 0)) / (passesAhead(1, 4000) - passesAhead(1, 0));
    expect(ratio).toBeGreaterThan(3);
    expect(ratio).toBeLessThan(4.5);
    expect(passesAhead(1, 4000)).toBeLessThan(4000 / 8);
  });
});
