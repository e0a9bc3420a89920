import { describe, expect, it } from 'vitest';
import { smoothMaps } from '../../src/core/kernels/smooth.js';
import { integratePair, smoothActivations } from '../helpers/integratePair.js';

const got = new Float64Array(2);
const want = new Float64Array(2);

describe.each(Object.keys(smoothMaps))('dual map of %s', (name) => {
  const map = smoothMaps[name]();
  const near = (a: number, b: number): void => {
    expect(Math.abs(a - b)).toBeLessThan(1e-11 * Math.max(1, Math.abs(b)));
  };

  it('agrees with two-dimensional integration, near-parallel and antiparallel inputs included', () => {
    for (const k11 of [0, 1e-6, 0.3, 2, 12])
      for (const k22 of [0, 1e-3, 1, 12])
        for (const c of [-1, 1e-9 - 1, -0.99, 0, 0.3, 0.9, 0.999, 1 - 1e-5, 1 - 1e-9, 1]) {
          const k12 = c * Math.sqrt(k11 * k22);
          map(k11, k12, k22, got);
          integratePair(smoothActivations[name], k11, k12, k22, want);
          near(got[0], want[0]);
          near(got[1], want[1]);
        }
  });

  it('agrees with one-dimensional integration on the diagonal, at large variances too', () => {
    const phi = smoothActivations[name];
    for (const K of [0.01, 1, 7, 60, 2000]) {
      const step = Math.min(0.1, 0.2 / Math.sqrt(K));
      let T = 0;
      let D = 0;
      for (let z = -10; z <= 10; z += step) {
        const weight = (step * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI);
        T += weight * phi.value(Math.sqrt(K) * z) ** 2;
        D += weight * phi.slope(Math.sqrt(K) * z) ** 2;
      }
      map(K, K, K, got);
      near(got[0], T);
      near(got[1], D);
    }
  });

  it('is at least twenty times faster than integration', () => {
    const pairs = 50_000;
    let started = performance.now();
    for (let i = 0; i < pairs; i++) map(1 + (i % 10) / 10, 0.3, 1 + (i % 7) / 10, got);
    const mapped = (performance.now() - started) / pairs;
    started = performance.now();
    for (let i = 0; i < 20; i++) integratePair(smoothActivations[name], 1.5, 0.3, 1.2, want);
    expect(mapped).toBeLessThan((performance.now() - started) / 20 / 20);
  });
});

it('at a huge variance tanh is the sign function', () => {
  smoothMaps.tanh()(1e12, 5e11, 1e12, got);
  expect(got[0]).toBeCloseTo(1 / 3, 9);
});
