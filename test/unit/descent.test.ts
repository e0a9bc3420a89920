import { beforeAll, describe, expect, it } from 'vitest';
import * as tf from '../../src/network/tf.js';
import { KernelProbe } from '../../src/network/training/index.js';
import { tensorsOf } from '../../src/network/training/loop/batches.js';
import { descendAhead, passesAhead } from '../../src/network/training/regime/descent.js';
import { costOf, sampleOf, sampleSize, workOf } from '../../src/network/training/regime/sample.js';
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

  it('is the same on few inputs of many entries, whose span is small', async () => {
    const digits = dataOf({ kind: 'digits', digits: [0, 1], train: 24, test: 20 }, 5);
    const dense = networkOf(twoLayerNet(32, { scale: 'm^0.25' }), digits, context);
    const learningRate = await stepOf(dense, digits, 0.2);
    const { x, y } = tensorsOf(digits.train, digits);
    const rows = Array.from({ length: 24 }, (_, i) => i);
    const run = { loss: 'mse', factors: {}, learningRate, momentum: 0, steps: 200, until: 0 } as const;
    const path = await descendAhead(dense.model, { x, y, rows }, run);
    // The same function behind a layer that is no chain takes the way without the span.
    const input = tf.input({ shape: [...digits.inputShape] });
    const shaped = tf.layers
      .reshape({ targetShape: [...digits.inputShape] })
      .apply(input) as tf.SymbolicTensor;
    const whole = tf.model({ inputs: input, outputs: dense.model.apply(shaped) as tf.SymbolicTensor });
    const other = await descendAhead(whole, { x, y, rows }, run);
    expect(other.length).toBe(path.length);
    for (const [k, { step, gap }] of path.entries()) {
      expect(other[k].step).toBe(step);
      expect(Math.abs(other[k].gap / gap - 1)).toBeLessThan(1e-2);
    }
    expect(path.at(-1)?.gap).toBeGreaterThan(0.01);
    tf.dispose([x, y]);
    dense.model.dispose();
  });

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
  const cost = { work: 20_000, weights: 20_000 };
  const base = { loss: 'mse', inputs: 512, batch: 512, cost, stiffness: 1, steps: 2000 } as const;
  const large = { work: 1e6, weights: 1e6 };

  it('shrinks with what a pass costs, and grows with what the run costs', () => {
    expect(sampleSize(base)).toBeGreaterThanOrEqual(128);
    expect(sampleSize({ ...base, inputs: 100 })).toBe(100);
    const heavy = { ...base, cost: large };
    const some = sampleSize({ ...heavy, batch: 1024, inputs: 1024 });
    expect(some).toBeGreaterThan(16);
    expect(sampleSize({ ...heavy, inputs: 4096, batch: 4096 })).toBeGreaterThan(some);
    const slower = { ...base, loss: 'crossEntropy', cost: { work: 3e4, weights: 3e4 } } as const;
    expect(sampleSize(slower)).toBeLessThan(sampleSize({ ...slower, loss: 'mse' }));
    // Where even a few take too much of the run, it is not simulated.
    expect(sampleSize({ ...base, cost: { work: 1e9, weights: 1e9 }, batch: 1 })).toBe(0);
  });

  it('knows that few inputs need few weights of a first dense layer', () => {
    const first = { entries: 1000, units: 1000 };
    const short = { ...base, steps: 300 };
    expect(sampleSize({ ...short, cost: large })).toBe(0);
    expect(sampleSize({ ...short, cost: { ...large, first } })).toBeGreaterThan(0);
    const built = networkOf(twoLayerNet(64), data, context);
    const d = data.inputShape[0];
    expect(costOf(built.model)).toEqual({
      work: 64 * d + 64,
      weights: 64 * d + 64,
      first: { entries: d, units: 64 },
    });
    built.model.dispose();
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
