import { describe, expect, it } from 'vitest';
import { crossEntropy, crossEntropyFlow, softmax } from '../../src/core/dynamics/crossEntropy.js';
import { type Matrix, matrix, matrixFrom } from '../../src/core/linalg/matrix.js';
import { gram, matmul } from '../../src/core/linalg/ops.js';
import { Random } from '../../src/core/random.js';

const [N, M, O, d] = [7, 3, 4, 5];
const random = new Random(2);
const normal = (rows: number, cols: number): Matrix => matrixFrom(rows, cols, random.normals(rows * cols));
const joint = gram(normal(N + M, d + N));
const block = (from: number, to: number): Matrix =>
  matrixFrom(
    to - from,
    N,
    Array.from({ length: to - from }, (_, i) => [
      ...joint.data.subarray((from + i) * (N + M)).slice(0, N),
    ]).flat(),
  );
const [kernel, testTrain] = [block(0, N), block(N, N + M)];
const start = { train: normal(N, O), test: normal(M, O) };
const targets = matrix(N, O);
for (let i = 0; i < N; i++) targets.data[i * O + (i % O)] = 1;

/** Kernel gradient descent on the mean cross-entropy. */
function descend(step: number, count: number): { train: Matrix; test: Matrix } {
  const train = start.train.data.slice();
  const test = start.test.data.slice();
  for (let t = 0; t < count; t++) {
    const missing = matrix(N, O);
    softmax(matrix(N, O, train)).data.forEach((p, i) => {
      missing.data[i] = (step / N) * (p - targets.data[i]);
    });
    matmul(kernel, missing).data.forEach((v, i) => {
      train[i] -= v;
    });
    matmul(testTrain, missing).data.forEach((v, i) => {
      test[i] -= v;
    });
  }
  return { train: matrix(N, O, train), test: matrix(M, O, test) };
}
const apart = (a: Matrix, b: Matrix): number => Math.max(...a.data.map((v, i) => Math.abs(v - b.data[i])));

describe('gradient flow under cross-entropy', () => {
  it('is the limit of kernel gradient descent with small steps, on training and test inputs', () => {
    const times = [0, 0.5, 3, 12];
    const flow = crossEntropyFlow(kernel, testTrain, start, targets, 1, times);
    expect(flow.map((p) => p.time)).toEqual(times);
    expect(apart(flow[0].train, start.train)).toBe(0);
    for (const { time, train, test } of flow.slice(1)) {
      const gaps = [1 / 256, 1 / 512].map((step) => {
        const end = descend(step, time / step);
        return [apart(end.train, train), apart(end.test, test)];
      });
      for (const which of [0, 1]) {
        expect(gaps[1][which]).toBeLessThan(0.01);
        // First order in the step: halving it halves the gap.
        expect(gaps[0][which] / gaps[1][which]).toBeCloseTo(2, 1);
      }
      const [coarse, fine] = [1 / 256, 1 / 512].map((step) => descend(step, time / step));
      const better = (a: Matrix, b: Matrix): Matrix => ({
        ...b,
        data: b.data.map((v, i) => 2 * v - a.data[i]),
      });
      expect(apart(better(coarse.train, fine.train), train)).toBeLessThan(1e-4);
      expect(apart(better(coarse.test, fine.test), test)).toBeLessThan(1e-4);
    }
    const losses = flow.map((p) => crossEntropy(p.train, targets));
    expect([...losses].sort((a, b) => b - a)).toEqual(losses);
  });

  it('follows the closed form of one sample with two classes', () => {
    // m + e^m grows by 2 eta k t, m the margin.
    const one = matrixFrom(1, 1, [1.7]);
    const zero = { train: matrix(1, 2), test: matrix(1, 2) };
    const [eta, times] = [0.3, [1, 100, 10_000]];
    for (const { time, train, test } of crossEntropyFlow(
      one,
      one,
      zero,
      matrixFrom(1, 2, [1, 0]),
      eta,
      times,
    )) {
      const margin = train.data[0] - train.data[1];
      expect((margin + Math.exp(margin)) / (1 + 2 * eta * 1.7 * time)).toBeCloseTo(1, 6);
      expect(apart(train, test)).toBe(0);
      expect(train.data[0] + train.data[1]).toBeCloseTo(0, 9);
      expect(crossEntropy(train, matrixFrom(1, 2, [1, 0]))).toBeCloseTo(Math.log1p(Math.exp(-margin)), 10);
    }
  });

  it('refuses times it cannot reach', () => {
    const run = (times: number[], mostSteps?: number) => () =>
      crossEntropyFlow(kernel, testTrain, start, targets, 1, times, { mostSteps });
    expect(run([2, 1])).toThrow(/Time 1 is out of order/);
    expect(run([Infinity])).toThrow(/finite/);
    expect(run([1e6], 20)).toThrow(/in 20 steps; ask for earlier times/);
    const broken = { ...start, train: matrixFrom(N, O, new Array(N * O).fill(Number.NaN)) };
    expect(() => crossEntropyFlow(kernel, testTrain, broken, targets, 1, [1])).toThrow(/reached time 0/);
  });
});
