import { describe, expect, it } from 'vitest';
import type { DataSpec } from '../../src/experiment/definition.js';
import { loadData } from '../../src/network/data/index.js';

describe('planted faults of the data', () => {
  const context = { folder: '.', seed: 3, loss: 'mse' as const };

  it.each<DataSpec>([
    { kind: 'teacher', dimension: 4, target: 'tanh', train: 8, test: 5 },
    { kind: 'gaussianMixture', dimension: 4, classes: 3, separation: 1, train: 8, test: 5 },
  ])('moves the training targets of $kind data on by one sample, and nothing else', (spec) => {
    const good = loadData(spec, context);
    const bad = loadData(spec, { ...context, sabotage: 'shifted-labels' });
    const { outputs } = good;
    for (let i = 0; i < 8; i++) {
      const next = (i + 1) % 8;
      expect(bad.train.y.slice(i * outputs, (i + 1) * outputs)).toEqual(
        good.train.y.slice(next * outputs, (next + 1) * outputs),
      );
      expect(bad.train.labels?.[i]).toBe(good.train.labels?.[next]);
    }
    expect(bad.train.x).toEqual(good.train.x);
    expect(bad.test).toEqual(good.test);
  });
});
