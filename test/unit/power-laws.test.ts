import { beforeAll, describe, expect, it } from 'vitest';
import {
  dataOf,
  interactionTask,
  lastOf,
  networkOf,
  training,
  trainToEnd,
  twoLayerNet,
} from '../../src/theory/laboratory.js';
import { distanceOf, measureSweep, powerLawOf } from '../../src/theory/powerLaws.js';
import { startBackend } from '../helpers/backend.js';

const context = { seed: 1, preset: 'quick' } as const;

describe('power laws of claims', () => {
  beforeAll(() => startBackend('wasm'));

  it('are fitted from the point on that they are asked for, whatever the constant of each run', () => {
    const x = [1, 10, 40, 1000];
    // The first point lies off the law.
    const run = (constant: number) => x.map((v, k) => (k === 0 ? 50 : constant * v ** -1.5));
    const { typical, fit } = powerLawOf(x, [run(2), run(8)], 1);
    expect(fit.slope).toBeCloseTo(-1.5, 10);
    expect(typical[0]).toBeCloseTo(50, 10);
    expect(typical[1]).toBeCloseTo(4 * 10 ** -1.5, 10);
  });

  it('stand on every point under every seed, in order, with progress', async () => {
    const told: [number, string][] = [];
    const found = await measureSweep(
      ['sum', 'product'],
      {
        seeds: [5, 6],
        points: [1, 2, 4],
        text: (point) => `point ${point}`,
        measure: async (point, seed) => ({ sum: point + seed, product: point * seed }),
      },
      { ...context, progress: (fraction, text) => told.push([fraction, text]) },
    );
    expect(found).toEqual({
      sum: [
        [6, 7, 9],
        [7, 8, 10],
      ],
      product: [
        [5, 10, 20],
        [6, 12, 24],
      ],
    });
    expect(told.map(([, text]) => text).slice(0, 3)).toEqual(['point 1', 'point 2', 'point 4']);
    for (const [k, [fraction]] of told.entries()) expect(fraction).toBeCloseTo(k / 6, 12);
    expect(told.length).toBe(6);
  });

  it('take their distances from the last rows of a run, and end it where they are told', async () => {
    const data = dataOf(interactionTask(), 1);
    const net = () => networkOf(twoLayerNet(64), data, context, 1);
    const run = { learningRate: 0.05, steps: 400, left: 0.3, seed: 1, twin: true };
    const distance = await distanceOf(net(), data, run, context);
    const { rows, summary, built } = await trainToEnd(
      net(),
      data,
      training({
        optimizer: { kind: 'sgd', learningRate: 0.05 },
        steps: 400,
        stop: { lossFraction: 0.3 },
        seed: 1,
        measure: { kernels: 2, twin: true, metricsEvery: 400 },
      }),
      context,
    );
    expect(summary.step).toBeLessThan(400);
    expect(distance).toEqual({
      movement: lastOf(rows, 'movement'),
      features: lastOf(rows, 'movement.features'),
      drift: lastOf(rows, 'drift'),
      twinGap: lastOf(rows, 'twinGap'),
    });
    expect(distance.drift).toBeGreaterThan(0);
    expect(built.model.trainableWeights[0].read().isDisposed).toBe(false);
    built.model.dispose();
  });
});
