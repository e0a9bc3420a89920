import { beforeAll, describe, expect, it } from 'vitest';
import * as tf from '../../src/network/tf.js';
import { KernelProbe } from '../../src/network/training/index.js';
import { tensorsOf } from '../../src/network/training/loop/batches.js';
import { descendAhead, passesAhead } from '../../src/network/training/regime/descent.js';
import { sampleOf, sampleSize, workOf } from '../../src/network/training/regime/sample.js';
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
  ] as const)(
    'parts from its linearisation as training does, with %s, and never moves the model',
    async (_, spec) => {
      const built = networkOf(spec, data, context);
      const learningRate = await stepOf(built, data, 0.2);
      const { x, y } = tensorsOf(data.train, data);
      const before = built.model.getWeights().map((w) => Array.from(w.dataSync()));
      const held = tf.memory().numTensors;
      const run = { loss: 'mse', factors: {}, learningRate, momentum: 0, steps: 500, until: 0 } as const;
      let looks = 0;
      const path = await descendAhead(built.model, { x, y, rows: all }, run, async () => {
        // Whoever has a turn in between finds the model as it was.
        looks++;
        expect(built.model.getWeights().map((w) => Array.from(w.dataSync()))).toEqual(before);
      });
      expect(looks).toBeGreaterThan(5);
      expect(tf.memory().numTensors).toBe(held);
      expect(built.model.getWeights().map((w) => Array.from(w.dataSync()))).toEqual(before);
      tf.dispose([x, y]);
      const definition = training({
        optimizer: { kind: 'sgd', learningRate },
        steps: 500,
        measure: { kernels: 24, twin: true, metricsEvery: 500 },
      });
      const { rows } = await trainToEnd(built, data, definition, context);
      built.model.dispose();
      const gap = Math.max(...rows.map((r) => r.values['twinGap'] ?? 0));
      expect(path.at(-1)?.step).toBeGreaterThan(100);
      expect(Math.abs((path.at(-1)?.gap ?? 0) / gap - 1)).toBeLessThan(0.06);
    },
  );

  it('ends where the run ends, and says rich where nothing holds', async () => {
    const built = networkOf(twoLayerNet(64), data, context);
    const learningRate = await stepOf(built, data, 0.5);
    const probe = new KernelProbe(built.model, data, 12, {});
    const run = { loss: 'mse', factors: {}, learningRate, momentum: 0, steps: 4000, until: 0.1 } as const;
    const sample = sampleOf(data, probe, 24);
    const path = await descendAhead(built.model, sample, run);
    expect(path.at(-1)?.step).toBeLessThan(400);
    const lost = await descendAhead(built.model, sample, { ...run, learningRate: 1e12, until: 0 });
    expect(lost.at(-1)?.gap).toBe(10);
    tf.dispose([sample.x, sample.y]);
    expect(outputsOf(built, data).every(Number.isFinite)).toBe(true);
    probe.dispose();
    built.model.dispose();
  });
});

describe('the size of a sample', () => {
  const base = { loss: 'mse', inputs: 512, batch: 512, work: 20_000, stiffness: 1, steps: 2000 } as const;

  it('shrinks with what a pass costs, and grows with what the run costs', () => {
    expect(sampleSize(base)).toBeGreaterThan(256);
    expect(sampleSize({ ...base, inputs: 100 })).toBe(100);
    const large = sampleSize({ ...base, work: 1e6 });
    expect(large).toBeLessThan(sampleSize(base));
    expect(sampleSize({ ...base, work: 1e6, inputs: 8192, batch: 8192 })).toBeGreaterThan(large);
    expect(sampleSize({ ...base, loss: 'crossEntropy', work: 1e5 })).toBeLessThan(
      sampleSize({ ...base, work: 1e5 }),
    );
    // Fewer than some say nothing, whatever they cost.
    expect(sampleSize({ ...base, work: 1e9, batch: 1 })).toBe(16);
    expect(sampleSize({ ...base, inputs: 9, work: 1e9, batch: 1 })).toBe(9);
  });

  it('counts what layers compute, those of convolutions at every place', () => {
    const L = tf.layers;
    const model = tf.sequential({
      layers: [
        L.conv2d({ inputShape: [6, 6, 2], filters: 3, kernelSize: 3 }),
        L.flatten(),
        L.dense({ units: 5 }),
      ],
    });
    expect(workOf(model)).toBe(36 * (3 * 3 * 2 * 3 + 3) + 4 * 4 * 3 * 5 + 5);
    expect(workOf(tf.sequential({ layers: [model] }))).toBe(workOf(model));
    model.dispose();
  });

  it('holds the probe inputs first, or some of them', () => {
    const rows = Uint32Array.from({ length: 12 }, (_, i) => 3 * i);
    const probe = { rows, size: 12 };
    const more = sampleOf(data, probe, 20);
    expect(more.x.shape[0]).toBe(20);
    expect(more.rows).toHaveLength(12);
    const width = data.inputShape[0];
    expect(more.x.dataSync().slice(width, 2 * width)).toEqual(data.train.x.slice(3 * width, 4 * width));
    const few = sampleOf(data, probe, 4);
    expect(few.x.shape[0]).toBe(4);
    expect(few.rows).toEqual([0, 1, 2, 3]);
    expect(few.x.dataSync().slice(width, 2 * width)).toEqual(data.train.x.slice(9 * width, 10 * width));
    tf.dispose([more.x, more.y, few.x, few.y]);
  });

  it('counts passes that grow with the root of the steps', () => {
    const ratio = (passesAhead(1, 64_000) - passesAhead(1, 0)) / (passesAhead(1, 4000) - passesAhead(1, 0));
    expect(ratio).toBeGreaterThan(3);
    expect(ratio).toBeLessThan(4.5);
    expect(passesAhead(1, 4000)).toBeLessThan(4000 / 8);
  });
});
