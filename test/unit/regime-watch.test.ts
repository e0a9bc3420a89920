import { beforeAll, describe, expect, it } from 'vitest';
import type { OptimizerSpec } from '../../src/experiment/definition.js';
import * as tf from '../../src/network/tf.js';
import { KernelProbe } from '../../src/network/training/index.js';
import { followsKernel, isForeseen, RegimeWatch } from '../../src/network/training/regime/regimeWatch.js';
import type { RegimeRecord } from '../../src/protocol/records.js';
import {
  columnOf,
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

const context = { seed: 4, preset: 'quick' } as const;
const data = dataOf(interactionTask(), 4);

const heavyBall = (momentum: number) => ({ kind: 'momentum', learningRate: 'auto', momentum }) as const;

interface Told {
  readonly step: number;
  readonly gap: number;
  readonly expected: number;
}

/** Gaps that the verdicts of a run tell, by its kernels, and those of the twin beside it. */
async function followed(
  spec: Parameters<typeof networkOf>[0],
  {
    share,
    ...more
  }: { batch?: number; optimizer?: OptimizerSpec; probe?: number; share?: number; steps?: number } = {},
  task = data,
): Promise<{ told: readonly Told[]; twin: { step: number[]; value: number[] }; reasons: string }> {
  const built = networkOf(spec, task, context, 4);
  const definition = training({
    optimizer: { kind: 'sgd', learningRate: share ? await stepOf(built, task, share) : 'auto' },
    steps: 1500,
    stop: { lossFraction: 0.01 },
    seed: 4,
    measure: { kernels: 24, twin: true, metricsEvery: 4000 },
    ...more,
  });
  const { rows, records } = await trainToEnd(built, task, definition, context);
  built.model.dispose();
  const verdicts = records.filter((r): r is RegimeRecord => r.kind === 'regime');
  const told = verdicts.map(({ step, evidence = [] }) => {
    const gap = evidence.find((e) => e.name === 'gap')?.value ?? Number.NaN;
    return { step, gap, expected: evidence.find((e) => e.name === 'expectedGap')?.value ?? gap };
  });
  return { told, twin: columnOf(rows, 'twinGap'), reasons: verdicts[verdicts.length - 1].reasons.join(' ') };
}

describe.each(backendsUnderTest)('the gap by kernels alone, on %s', (backend) => {
  beforeAll(() => startBackend(backend));

  it.each([
    ['a lazy network', twoLayerNet(256), {}],
    ['a rich network', twoLayerNet(256, { scale: 'm^0.1' }), {}],
    ['a deep network', deepNet([64, 64]), {}],
    ['batches', twoLayerNet(64), { batch: 12, share: 0.1 }],
  ] as const)(
    'is that of the linearised twin for %s, so far and at the end',
    async (_, spec, more) => {
      const { told, twin } = await followed(spec, more);
      let soFar = 0;
      for (const [i, value] of twin.value.entries()) {
        soFar = Math.max(soFar, value);
        const at = told.find((t) => t.step === twin.step[i]);
        // The first steps are large, and their gaps small.
        if (at && soFar > 0.5 * Math.max(...twin.value))
          expect(Math.abs(at.gap / soFar - 1)).toBeLessThan(0.05);
      }
      const all = Math.max(...twin.value);
      expect(told[0].step).toBe(0);
      expect(told[0].expected / all).toBeGreaterThan(0.9);
      expect(told[0].expected / all).toBeLessThan(1.1);
      const tenth = told.filter((t) => t.step <= told[told.length - 1].step / 10).at(-1);
      expect(Math.abs((tenth?.expected ?? 0) / all - 1)).toBeLessThan(0.1);
    },
    60_000,
  );

  it('scales what is foreseen where the probe inputs are a part of the training inputs', async () => {
    const { told, twin } = await followed(twoLayerNet(256, { scale: 'm^0.1' }), { probe: 16, share: 0.05 });
    const truth = Math.max(...twin.value);
    const early = told.filter(({ step }) => step >= 1 && step <= 16);
    expect(early.length).toBeGreaterThan(5);
    for (const { expected } of early) expect(Math.abs(expected / truth - 1)).toBeLessThan(0.1);
  });

  it.each([
    ['all inputs as probes', twoLayerNet(128), 96, {}],
    ['a quarter of them', twoLayerNet(128, { scale: 'm^0.25' }), 24, {}],
    ['a sixteenth of them, deep', deepNet([48, 48]), 6, {}],
    ['a quarter of them, in batches', twoLayerNet(128), 24, { batch: 32, share: 0.05 }],
    ['a quarter of them, with momentum', twoLayerNet(128), 24, { optimizer: heavyBall(0.5) }],
    ['a quarter of them, with much momentum', twoLayerNet(128), 24, { optimizer: heavyBall(0.9) }],
  ] as const)(
    'is that of the twin for ten classes, with %s',
    async (_, spec, probe, more) => {
      const digits = dataOf({ kind: 'digits', train: 96, test: 20 }, 4);
      const { told, twin } = await followed(spec, { probe, steps: 600, ...more }, digits);
      expect(digits.outputs).toBe(10);
      const truth = Math.max(...twin.value);
      for (const [i, { step, gap, expected }] of told.entries()) {
        expect(Math.abs(expected / truth - 1)).toBeLessThan(0.12);
        const soFar = Math.max(...twin.value.filter((__, k) => twin.step[k] <= step));
        if (i === told.length - 1) expect(Math.abs(gap / soFar - 1)).toBeLessThan(0.12);
      }
    },
    60_000,
  );

  it('is told of no run that the kernels do not describe', async () => {
    const { told, reasons } = await followed(twoLayerNet(64), {
      optimizer: { kind: 'adam', learningRate: 0.01 },
    });
    expect(told.every((t) => Number.isNaN(t.gap))).toBe(true);
    expect(reasons).toContain('Adam rescales');
    const plain = { loss: 'mse', optimizer: { kind: 'sgd', learningRate: 1 } } as const;
    expect(followsKernel(plain)).toBe(true);
    expect(followsKernel({ ...plain, loss: 'crossEntropy' })).toBe(false);
    expect(isForeseen(plain)).toBe(true);
    expect(isForeseen({ ...plain, optimizer: { kind: 'adam', learningRate: 1 } })).toBe(false);
    const form = { differs: false, random: false, penalised: ['hidden'], unpenalised: [], constrained: [] };
    expect(isForeseen(plain, form)).toBe(false);
    expect(followsKernel({ ...plain, noise: { temperature: 0.1 } })).toBe(false);
  });

  it('is that of the twin under cross-entropy', async () => {
    const classes = dataOf(
      { kind: 'gaussianMixture', dimension: 6, classes: 3, separation: 1.5, train: 60, test: 9 },
      4,
      { loss: 'crossEntropy' },
    );
    for (const scale of ['m^0.25', 'm^0.75'] as const) {
      const built = networkOf(twoLayerNet(96, { scale }), classes, context, 4);
      const definition = training({
        loss: 'crossEntropy',
        optimizer: { kind: 'sgd', learningRate: 'auto' },
        steps: 300,
        seed: 4,
        measure: { kernels: 16, twin: true, metricsEvery: 1000 },
      });
      const { rows, records } = await trainToEnd(built, classes, definition, context);
      built.model.dispose();
      const truth = Math.max(...columnOf(rows, 'twinGap').value);
      const [first] = records.filter((r): r is RegimeRecord => r.kind === 'regime');
      const expected = first.evidence?.find((e) => e.name === 'expectedGap')?.value ?? Number.NaN;
      expect(Math.abs(expected / truth - 1), scale).toBeLessThan(0.1);
    }
  });

  it('leaves the weights, bit by bit, and no tensor behind when it looks ahead', async () => {
    const built = networkOf(twoLayerNet(64, { scale: 'mean-field' }), data, context, 4);
    const probe = new KernelProbe(built.model, data, 48, {});
    const outputs = outputsOf(built, data);
    const { kernelMatrix, eigenvalues } = await probe.measure(outputs);
    const watch = new RegimeWatch({
      model: built.model,
      probe,
      definition: { loss: 'mse', optimizer: { kind: 'sgd', learningRate: 1 }, steps: 1000 },
      factors: {},
      learningRate: 48 / eigenvalues[0],
      initialLoss: 1,
      whole: true,
      data,
      batch: data.train.size,
    });
    watch.follow(0, kernelMatrix, outputs);
    await watch.lookAhead();
    const before = built.model.getWeights().map((w) => Array.from(w.dataSync()));
    const held = tf.memory().numTensors;
    watch.follow(
      1,
      kernelMatrix,
      new Float32Array(outputs.length).map((_, i) => 0.99 * probe.targetAt(i)),
    );
    await watch.lookAhead();
    expect(tf.memory().numTensors).toBe(held);
    expect(built.model.getWeights().map((w) => Array.from(w.dataSync()))).toEqual(before);
    expect(watch.expected).toBeGreaterThan(0.1);
    probe.dispose();
    built.model.dispose();
  });

  it('comes to an end, however many steps are left', async () => {
    const built = networkOf(twoLayerNet(64), data, context, 4);
    const probe = new KernelProbe(built.model, data, 6, {});
    const outputs = probe.predict((x) => built.model.predict(x) as tf.Tensor2D);
    const { kernelMatrix, eigenvalues } = await probe.measure(outputs);
    const watch = new RegimeWatch({
      model: built.model,
      probe,
      definition: { loss: 'mse', optimizer: { kind: 'sgd', learningRate: 1 }, steps: 1e7 },
      factors: {},
      learningRate: 6 / eigenvalues[0],
      initialLoss: 1,
      whole: false,
      data,
      batch: data.train.size,
      probesOnly: true,
    });
    watch.follow(0, kernelMatrix, outputs);
    await watch.lookAhead();
    expect(watch.expected).toBeGreaterThan(0);
    expect(watch.expected).toBeLessThan(10);
    probe.dispose();
    built.model.dispose();
  });
});
