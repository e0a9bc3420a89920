import { beforeAll, describe, expect, it } from 'vitest';
import { nearestNeighbourEntropy } from '../../src/core/measures/index.js';
import { mean } from '../../src/core/stats/index.js';
import { useBackend } from '../../src/network/backends/index.js';
import type { Dataset } from '../../src/network/data/index.js';
import { buildModel } from '../../src/network/models/build.js';
import { cloudOf, particlesOf, placeParticles } from '../../src/network/models/particles.js';
import { unitSpread } from '../../src/network/models/units.js';
import * as tf from '../../src/network/tf.js';
import { centredOn, planeTask, signTask } from '../../src/theory/formulaTasks.js';
import { deepNet, twoLayerNet } from '../../src/theory/laboratory.js';
import { noisyDescent, noisyStep } from '../../src/theory/noisyDescent.js';

beforeAll(async () => {
  await useBackend('cpu');
});

const split = (size: number, dimension: number) => ({
  size,
  x: new Float32Array(size * dimension),
  y: new Float32Array(size),
  labels: null,
});
/** Inputs and targets of zero: neither u nor theta has a gradient, so that only L2 and noise move them. */
const nothing: Dataset = {
  name: 'nothing',
  inputShape: [2],
  outputs: 1,
  classes: null,
  train: split(1, 2),
  test: split(0, 2),
};

describe('noisy descent', () => {
  const lambda = 0.5;
  const temperature = 0.2;
  const run = (sabotage?: 'drop-noise' | 'drop-l2') =>
    noisyDescent(
      { data: nothing, width: 4000, start: 'far', lambda, temperature, steps: 150, every: 150, seed: 3 },
      { seed: 3, preset: 'quick', sabotage },
    );

  it('settles at the variance (T / h) / (1 - eta h / 2) of Langevin steps in h x^2 / 2, and at its entropy', async () => {
    const [, end] = await run();
    const variance = mean(end.cloud.data.map((w) => w * w));
    const expected = temperature / lambda / (1 - (noisyStep * lambda) / 2);
    expect(Math.abs(variance / expected - 1)).toBeLessThan(0.04);
    expect(end.loss).toBeCloseTo((lambda / 2) * 3 * variance, 6);
    const entropy = 1.5 * Math.log(2 * Math.PI * Math.E * expected);
    expect(Math.abs(nearestNeighbourEntropy(end.cloud) - entropy)).toBeLessThan(0.08);
    expect(end.time).toBeCloseTo(15);
  });

  it('contracts to the origin without noise, and spreads without L2', async () => {
    const [start, still] = await run('drop-noise');
    const factor = (1 - noisyStep * lambda) ** 150;
    expect(still.cloud.data[5] / start.cloud.data[5]).toBeCloseTo(factor, 6);
    const [, free] = await run('drop-l2');
    const moved = mean(free.cloud.data.map((w, i) => (w - start.cloud.data[i]) ** 2));
    expect(moved / (2 * temperature * 15)).toBeCloseTo(1, 1);
  });

  it('starts where it is told, with the same numbers for the same seed', async () => {
    const data = planeTask(1);
    const starts = await Promise.all(
      (['far', 'far', 'near'] as const).map((start) =>
        noisyDescent(
          { data, width: 2000, start, lambda, temperature, steps: 1, every: 1, seed: 1 },
          { seed: 1, preset: 'quick' },
        ),
      ),
    );
    expect(starts[0][1].cloud.data).toEqual(starts[1][1].cloud.data);
    const column = (k: number, run = starts[0]) =>
      Array.from({ length: 2000 }, (_, j) => run[0].cloud.data[3 * j + k]);
    expect([0, 1, 2].map((k) => Math.round(10 * mean(column(k))) / 10)).toEqual([2, 2, -2]);
    expect(Math.abs(mean(column(1, starts[2])))).toBeLessThan(0.1);
  });
});

describe('neurons of a network', () => {
  it('puts particles back where they were, and refuses another size', () => {
    const built = buildModel(twoLayerNet(6), { inputShape: [3], outputs: 1, seed: 1 });
    const before = particlesOf(built);
    const moved = { ...before, theta: before.theta.map((v) => v + 1), u: before.u.map((v) => 2 * v) };
    placeParticles(built, moved);
    expect(Array.from(particlesOf(built).theta)).toEqual(Array.from(moved.theta, Math.fround));
    const cloud = cloudOf(particlesOf(built));
    expect([cloud.rows, cloud.cols]).toEqual([6, 4]);
    expect(cloud.data[4]).toBeCloseTo(2 * before.u[1]);
    expect(cloud.data[7]).toBeCloseTo(before.theta[5] + 1);
    expect(() => placeParticles(built, { ...moved, width: 5 })).toThrow('has 6 neurons of 3 inputs');
  });

  it('starts residual blocks from equal weights when asked to, and lets those under 1/L move by L times the step', () => {
    const residual = (init: 'equal' | 'independent', blockScale: '1/L' | '1/sqrt(L)' = '1/L') =>
      buildModel(
        { kind: 'residual', width: 4, depth: 3, activation: 'tanh', blockScale, init, train: 'all' },
        { inputShape: [2], outputs: 1, seed: 1 },
      );
    const [equal, independent] = [residual('equal'), residual('independent')];
    const weight = ({ model }: typeof equal, layer: string) =>
      Array.from(model.getLayer(layer).getWeights()[0].dataSync());
    expect(weight(equal, 'block3-in')).toEqual(weight(equal, 'block1-in'));
    expect(weight(equal, 'block1-out')).not.toEqual(weight(equal, 'block1-in'));
    expect(weight(independent, 'block3-in')).not.toEqual(weight(independent, 'block1-in'));
    expect(weight(independent, 'input')).toEqual(weight(equal, 'input'));
    expect(equal.rates['block2-out']).toBe(3);
    expect(equal.rates['readout']).toBeUndefined();
    expect(residual('equal', '1/sqrt(L)').rates).toEqual({});
  });

  it('measures the spread over units', () => {
    const built = buildModel(deepNet([4]), { inputShape: [2], outputs: 1, seed: 1 });
    const [layer] = built.model.layers;
    const zeros = tf.zeros<tf.Rank.R2>([2, 4]);
    layer.setWeights([zeros]);
    expect(Array.from(unitSpread(built, Float32Array.of(1, 2, 3, 4), 'activation1'))).toEqual([0, 0]);
    layer.setWeights([tf.tensor2d([1, -1, 1, -1, 0, 0, 0, 0], [2, 4])]);
    const [spread] = unitSpread(built, Float32Array.of(1, 0), 'hidden1');
    expect(spread).toBeCloseTo(1 / Math.sqrt(2), 6);
  });
});

describe('tasks of the claims', () => {
  it('adds the outputs at the start to the targets', () => {
    const data = planeTask(2);
    const centred = centredOn(data, new Float32Array(100).fill(0.5));
    expect(centred.train.y[7]).toBeCloseTo(data.train.y[7] + 0.5, 6);
    expect(centred.train.x).toBe(data.train.x);
  });

  it('labels by sign', () => {
    const data = signTask('sign', { dimension: 2, train: 50 }, (x) => x[0] * x[1], 1);
    const { x, y, labels } = data.train;
    for (let i = 0; i < 50; i++) {
      const right = x[2 * i] * x[2 * i + 1] > 0 ? 1 : 0;
      expect(labels?.[i]).toBe(right);
      expect(y[2 * i + right]).toBe(1);
    }
  });
});
