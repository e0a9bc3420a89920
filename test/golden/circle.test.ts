import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { limitKernel } from '../../src/core/kernels/limit.js';
import { parseArchitecture } from '../../src/core/kernels/readArchitecture.js';
import { eigenvalues } from '../../src/core/linalg/eigen.js';
import type { Matrix } from '../../src/core/linalg/matrix.js';
import { multiplyVector } from '../../src/core/linalg/ops.js';

const golden: Record<'no_bias' | 'bias' | 'n64_eigs_no_bias_desc', number[]> = JSON.parse(
  readFileSync(new URL('./values/circle_ntk.json', import.meta.url), 'utf8'),
);
/** Tolerances are absolute: the ReLU kernel of parallel inputs rounds to about 1e-8. */
const tolerance = 1e-7;

/** Two-layer ReLU NTK; with width 2 the standard parameterisation has the oracle's scale, and biases count 1 each. */
function kernelAt(angles: readonly number[], bias: boolean): Matrix {
  const dense = { dense: { sigmaW: Math.SQRT2, sigmaB: bias ? 0 : null, width: 2 } };
  const arch = parseArchitecture({
    parameterization: 'standard',
    layers: [dense, { activation: 'relu' }, dense],
  });
  const data = Float64Array.from(angles.flatMap((a) => [Math.cos(a), Math.sin(a)]));
  return limitKernel(arch, { shape: [angles.length, 2], data }, null, { kind: 'ntk' });
}
const equispaced = (n: number): number[] => Array.from({ length: n }, (_, i) => (2 * Math.PI * i) / n);

/** (1 / pi) times the integral of K(cos t) cos kt over [0, pi], by Gauss's rule of order 6 on panels. */
function coefficients(bias: boolean, count: number): number[] {
  const panels = 160;
  const half = Math.PI / panels / 2;
  const nodes = [-Math.sqrt(0.6), 0, Math.sqrt(0.6)];
  const points = Array.from(
    { length: panels * 3 },
    (_, i) => half * (2 * Math.floor(i / 3) + 1 + nodes[i % 3]),
  );
  // The row of the angle 0.
  const row = kernelAt([0, ...points], bias).data.subarray(1, points.length + 1);
  return Array.from({ length: count }, (_, k) =>
    points.reduce(
      (s, t, i) => s + (half * (i % 3 === 1 ? 8 : 5) * row[i] * Math.cos(k * t)) / 9 / Math.PI,
      0,
    ),
  );
}

describe('oracle 1: two-layer ReLU kernel on the circle', () => {
  it.each(['no_bias', 'bias'] as const)('has the Fourier coefficients of %s', (which) => {
    coefficients(which === 'bias', golden[which].length).forEach((c, k) => {
      expect(Math.abs(c - golden[which][k])).toBeLessThan(tolerance);
    });
  });

  it('has the eigenvalues of 64 equispaced points', () => {
    const found = eigenvalues(kernelAt(equispaced(64), false));
    golden.n64_eigs_no_bias_desc.forEach((want, i) => {
      expect(Math.abs(found[i] - want)).toBeLessThan(tolerance);
    });
  });

  it.each([12, 25, 64])('has Fourier modes with eigenvalues n sum_j c_(k + j n), n = %i', (n) => {
    // Of even k; those of odd k vanish but for c_1 = 1/2.
    const exact = (k: number): number =>
      k % 2 === 0
        ? (2 / Math.PI ** 2) * (1 / (k + 1) ** 2 + 1 / (k - 1) ** 2 - 1 / (k * k - 1))
        : Math.abs(k) === 1
          ? 0.5
          : 0;
    golden.no_bias.forEach((c, k) => {
      expect(Math.abs(c - exact(k))).toBeLessThan(1e-14);
    });
    const angles = equispaced(n);
    const kernel = kernelAt(angles, false);
    const terms = 100_000;
    for (let k = 0; k <= n / 2; k++) {
      let sum = 0;
      for (let j = -terms; j <= terms; j++) sum += exact(k + j * n);
      // What is left out is about (2 / pi^2) / (j n)^2 a term, for half of the terms when n is odd.
      const rest = (4 / Math.PI ** 2 / (n * n * terms)) * (n % 2 === 0 ? (k % 2 === 0 ? 1 : 0) : 0.5);
      const mode = angles.map((a) => Math.cos(k * a));
      multiplyVector(kernel, mode).forEach((v, i) => {
        expect(Math.abs(v - n * (sum + rest) * mode[i])).toBeLessThan(tolerance * n);
      });
    }
  });
});
