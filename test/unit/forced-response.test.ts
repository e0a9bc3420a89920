import { describe, expect, it } from 'vitest';
import { ForcedResponse, pulled, shareLeft } from '../../src/core/dynamics/forcedResponse.js';
import { momentumShare } from '../../src/core/dynamics/squaredLoss.js';
import { eigh } from '../../src/core/linalg/eigen.js';
import { type Matrix, matrix } from '../../src/core/linalg/matrix.js';
import { matmul, multiplyVector, transpose } from '../../src/core/linalg/ops.js';
import { Random } from '../../src/core/random.js';
import { substeps } from '../../src/network/training/regime/runAhead.js';

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

function responseOf(outputs: number, momentum = 0): { course: ForcedResponse; residual: Float64Array } {
  const residual = random.fork('r').normals(P * outputs);
  const targets = random.fork('y').normals(P * outputs);
  const coefficients = matmul(vectors, matrix(P, outputs, residual)).data;
  return {
    course: new ForcedResponse({ vectors, values, coefficients, targets, outputs, rate, momentum }),
    residual,
  };
}

/** Descent step by step, with the kernel at `weight(k)` of the way. */
function byHand(r: Float64Array, steps: number, weight: (k: number) => number) {
  let residual = r.slice();
  const pull = new Float64Array(r.length);
  for (let k = 0; k < steps; k++) {
    const kernel = matrix(
      P,
      P,
      start.data.map((v, i) => v + weight(k) * (end.data[i] - v)),
    );
    const moved = multiplyVector(kernel, residual);
    residual.forEach((v, i) => {
      pull[i] += rate * v;
    });
    residual = residual.map((v, i) => v - rate * moved[i]);
  }
  return { residual, pull };
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
    const { course, residual } = responseOf(1);
    const { pull } = course.advance(start, start, substeps(400, 0, 2), () => 0);
    const expected = byHand(residual, 400, () => 0);
    expect(distance(course.residual, expected.residual)).toBeLessThan(1e-4);
    expect(distance(pull, expected.pull)).toBeLessThan(1e-4);
    expect(distance(course.linearised(400), expected.residual)).toBeLessThan(1e-9);
    expect(course.gap).toBeLessThan(1e-4);
  });

  it('follows every step where the kernel moves', () => {
    const { course, residual } = responseOf(1);
    const steps = 300;
    const weight = (k: number) => k / steps;
    const expected = byHand(residual, steps, (k) => (k + 0.25) / steps);
    const single = Array.from({ length: steps }, (_, k) => k + 1);
    const fine = course.copy();
    fine.advance(start, end, single, weight);
    expect(distance(fine.residual, expected.residual)).toBeLessThan(1e-9);
    const { pull } = course.advance(start, end, substeps(steps, 0, 4), weight);
    expect(distance(course.residual, expected.residual)).toBeLessThan(0.02);
    expect(distance(pull, expected.pull)).toBeLessThan(0.02);
    expect(course.gap).toBeGreaterThan(0.01);
    expect(Math.abs(course.gap / fine.gap - 1)).toBeLessThan(0.05);
  });

  it('takes every output by itself, and ends where it is told to', () => {
    const { course, residual } = responseOf(3);
    const alone = responseOf(1);
    alone.course.settle(residual.filter((_, i) => i % 3 === 1));
    course.advance(start, end, [10, 20], (k) => k / 20);
    alone.course.advance(start, end, [10, 20], (k) => k / 20);
    const second = course.residual.filter((_, i) => i % 3 === 1);
    expect(distance(second, alone.course.residual)).toBeLessThan(1e-9);
    const { ended } = course.advance(end, end, substeps(5000, 0, 8), () => 0, 0.5);
    expect(ended).toBe(true);
    expect(course.left).toBeLessThanOrEqual(0.5);
    expect(course.left).toBeGreaterThan(0.3);
  });
});

describe('a mode', () => {
  it('is pulled by the sum of what is left of it', () => {
    for (const lambda of [1e-16, 1e-5, 0.3, 1, 1.7]) {
      const rule = { rate: 1, momentum: 0 };
      let sum = 0;
      for (let k = 0; k < 50; k++) sum += shareLeft(rule, lambda, k);
      expect(pulled(rule, lambda, 50)).toBeCloseTo(sum, 8);
    }
  });

  it('decays under momentum as heavy ball does when steps are small', () => {
    const rule = { rate: 1e-3, momentum: 0.9 };
    for (const lambda of [0.1, 1])
      expect(shareLeft(rule, lambda, 500)).toBeCloseTo(momentumShare(lambda, 1e-3, 0.9, 500), 1);
    const dt = 1e-3;
    let sum = 0;
    for (let t = 0; t < 20; t += dt) sum += 1e-2 * shareLeft(rule, 1, t + dt / 2) * dt;
    expect(pulled(rule, 1, 20)).toBeCloseTo(sum, 6);
  });
});
