import { describe, expect, it } from 'vitest';
import { limitKernel } from '../../src/core/kernels/limit.js';
import { monteCarloKernel } from '../../src/core/kernels/monteCarlo.js';
import { parseArchitecture } from '../../src/core/kernels/readArchitecture.js';
import { matrix } from '../../src/core/linalg/matrix.js';

function normals(seed: number): () => number {
  let z = (seed + 1) * 7919;
  const uniform = (): number => {
    z = (z + 0x6d2b79f5) | 0;
    let t = Math.imul(z ^ (z >>> 15), 1 | z);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

describe('Monte-Carlo estimate', () => {
  it('of two-layer tanh networks agrees with the limit', async () => {
    const x = { shape: [3, 2], data: Float64Array.of(1, 0.2, -0.5, 0.9, 0.3, -1.2) };
    const dense = { dense: { sigmaW: 1.3, sigmaB: null } };
    const arch = parseArchitecture({
      parameterization: 'ntk',
      layers: [dense, { activation: 'tanh' }, dense],
    });
    const exact = limitKernel(arch, x, null, { kind: 'ntk' });
    const width = 50;
    // One hidden layer: the mean over finite networks is unbiased.
    const sample = async (seed: number) => {
      const next = normals(seed);
      const k = matrix(3, 3);
      for (let u = 0; u < width; u++) {
        const [a, b, v] = [next(), next(), next()];
        const h = [0, 1, 2].map((i) =>
          Math.tanh((1.3 / Math.SQRT2) * (a * x.data[2 * i] + b * x.data[2 * i + 1])),
        );
        for (let i = 0; i < 3; i++)
          for (let j = 0; j < 3; j++) {
            const xx = (x.data[2 * i] * x.data[2 * j] + x.data[2 * i + 1] * x.data[2 * j + 1]) / 2;
            const slopes = (1 - h[i] ** 2) * (1 - h[j] ** 2);
            k.data[i * 3 + j] += (1.69 / width) * (h[i] * h[j] + 1.69 * v * v * slopes * xx);
          }
      }
      return k;
    };
    let last = 0;
    for await (const r of monteCarloKernel(sample, 0, 400)) {
      last = r.count;
      if (r.count < 400) continue;
      r.mean.data.forEach((m, i) => {
        expect(Math.abs(m - exact.data[i]) / r.standardError.data[i]).toBeLessThan(4);
      });
    }
    expect(last).toBe(400);
  });
});
