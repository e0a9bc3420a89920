import { describe, expect, it } from 'vitest';
import { ResidualDynamics, shareLeft, substeps } from '../../src/core/dynamics/residualDynamics.js';
import { momentumShare } from '../../src/core/dynamics/squaredLoss.js';
import { eigh } from '../../src/core/linalg/eigen.js';
import { type Matrix, matrix } from '../../src/core/linalg/matrix.js';
import { matmul, multiplyVector, transpose } from '../../src/core/linalg/ops.js';
import { Random } from '../../src/core/random.js';

const P = 24;
const random = new Random('response');

/** Kernels with eigenvalues over six decades, like those of networks. */
function kernelOf(tilt: number): Matrix {
  const a = matrix(P, P, random.fork('a').normals(P * P));
  const b = matrix(P, P, random.fork('b').normals(P * P));
  const mixed = matrix(
    P,
    P,
    a.data.map((v, i) => (v + tilt * b.data[i]) * 10 ** (-3 * ((i % P) / P))),
  );
  return matmul(mixed, transpose(mixed));
}

const start = kernelOf(0);
const end = kernelOf(0.15);
const { vectors, values } = eigh(start);
const rate = 0.4 / values[0];

function responseOf(outputs: number, momentum = 0): { dynamics: ResidualDynamics; residual: Float64Array } {
  const residual = random.fork('r').normals(P * outputs);
  const targets = random.fork('y').normals(P * outputs);
  const coefficients = matmul(vectors, matrix(P, outputs, residual)).data;
  return {
    dynamics: new ResidualDynamics({ vectors, values, coefficients, targets, outputs, rate, momentum }),
    residual,
  };
}

/** Descent step by step, with the kernel at `weight(k)` of the way. */
function byHand(r: Float64Array, steps: number, weight: (k: number) => number) {
  let residual = r.slice();
  for (let k = 0; k < steps; k++) {
    const kernel = matrix(
      P,
      P,
      start.data.map((v, i) => v + weight(k) * (end.data[i] - v)),
    );
    const moved = multiplyVector(kernel, residual);
    residual = residual.map((v, i) => v - rate * moved[i]);
  }
  return residual;
}

const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let [apart, size] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    apart += (a[i] - b[i]) ** 2;
    size += b[i] ** 2;
  }
  return Math.sqrt(apart / size);
};

describe('the response of a network to its moving kernel', () => {
  it('is the linearisation while the kernel stays as it is', () => {
    const { dynamics, residual } = responseOf(1);
    dynamics.advance(start, start, substeps(400, 0, 2), () => 0);
    const expected = byHand(residual, 400, () => 0);
    expect(distance(dynamics.residual, expected)).toBeLessThan(1e-4);
    expect(distance(dynamics.linearised(400), expected)).toBeLessThan(1e-9);
    expect(dynamics.gap).toBeLessThan(1e-4);
  });

  it('follows every step where the kernel moves', () => {
    const { dynamics, residual } = responseOf(1);
    const steps = 300;
    const weight = (k: number) => k / steps;
    const expected = byHand(residual, steps, (k) => (k + 0.25) / steps);
    const single = Array.from({ length: steps }, (_, k) => k + 1);
    const fine = responseOf(1).dynamics;
    fine.advance(start, end, single, weight);
    expect(distance(fine.residual, expected)).toBeLessThan(1e-9);
    dynamics.advance(start, end, substeps(steps, 0, 4), weight);
    expect(distance(dynamics.residual, expected)).toBeLessThan(0.02);
    expect(dynamics.gap).toBeGreaterThan(0.01);
    expect(Math.abs(dynamics.gap / fine.gap - 1)).toBeLessThan(0.05);
  });

  it('takes every output by itself', () => {
    const { dynamics, residual } = responseOf(3);
    const alone = responseOf(1);
    alone.dynamics.settle(residual.filter((_, i) => i % 3 === 1));
    dynamics.advance(start, end, [10, 20], (k) => k / 20);
    alone.dynamics.advance(start, end, [10, 20], (k) => k / 20);
    const second = dynamics.residual.filter((_, i) => i % 3 === 1);
    expect(distance(second, alone.dynamics.residual)).toBeLessThan(1e-9);
  });
});

describe('a mode', () => {
  it('decays under momentum as heavy ball does when steps are small', () => {
    const rule = { rate: 1e-3, momentum: 0.9 };
    for (const lambda of [0.1, 1])
      expect(shareLeft(rule, lambda, 500)).toBeCloseTo(momentumShare(lambda, 1e-3, 0.9, 500), 1);
  });
});
