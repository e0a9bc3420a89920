import { describe, expect, it } from 'vitest';
import { predictedCurve, stepsToLoss } from '../../src/core/dynamics/beforeTraining.js';
import { closedFormDescent, learningCurve } from '../../src/core/dynamics/descent.js';
import { KernelDescent } from '../../src/core/dynamics/kernelDescent.js';
import { flowOutputs, largestStableStep, modesOf } from '../../src/core/dynamics/squaredLoss.js';
import { type Matrix, matrix } from '../../src/core/linalg/matrix.js';
import { gram, matmul, transpose } from '../../src/core/linalg/ops.js';
import { Random } from '../../src/core/random.js';
import { linearFit } from '../../src/core/stats/index.js';

const random = new Random('descent');
const normal = (rows: number, cols: number): Matrix =>
  matrix(rows, cols, Float64Array.from(random.normals(rows * cols)));

/** A kernel of `rank` features on n training and m other inputs, outputs at the start and targets. */
function problem(n: number, m: number, O: number, rank: number) {
  const features = normal(n + m, rank);
  const all = gram(features);
  const block = (from: number, rows: number) =>
    matrix(
      rows,
      n,
      Float64Array.from(
        { length: rows * n },
        (_, k) => all.data[(from + Math.floor(k / n)) * (n + m) + (k % n)],
      ),
    );
  const kernel = block(0, n);
  const testTrain = block(n, m);
  const start = { train: normal(n, O), test: normal(m, O) };
  return {
    kernel,
    testTrain,
    start,
    targets: normal(n, O),
    testTargets: normal(m, O),
    modes: modesOf(kernel),
  };
}

const gap = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a.length).toBe(b.length);
  let worst = 0;
  for (let i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs(a[i] - b[i]));
  return worst;
};

describe('descent of a fixed kernel in closed form', () => {
  it.each([
    ['descent', 0, 12],
    ['descent with a kernel of low rank', 0, 4],
    ['momentum', 0.9, 12],
    ['momentum with a kernel of low rank', 0.7, 4],
  ])('%s is what the steps do, on training and other inputs', (_name, momentum, rank) => {
    const { kernel, testTrain, start, targets, modes } = problem(9, 4, 2, rank);
    const learningRate = 0.6 * largestStableStep(modes.values[0], 9, 2, momentum);
    const both = (a: Matrix, b: Matrix) =>
      matrix(a.rows + b.rows, a.cols, Float64Array.of(...a.data, ...b.data));
    const steps = new KernelDescent({
      kernel: both(kernel, testTrain),
      start: both(start.train, start.test),
      targets,
      loss: 'mse',
      momentum,
    });
    const closed = closedFormDescent(modes, testTrain, start, targets, { learningRate, momentum });
    for (let t = 0; t <= 60; t++) {
      if (t % 12 === 0) {
        const { train, test } = closed.at(t);
        const outputs = steps.outputs();
        expect(gap(train.data, outputs.train.data)).toBeLessThan(1e-9);
        expect(gap(test.data, outputs.test.data)).toBeLessThan(1e-8);
      }
      steps.step(learningRate);
    }
  });

  it('oracle 2: descent in the parameters of a linear model leaves (I - eta K / n)^t r0, to 1e-12', () => {
    const [n, d, eta] = [8, 5, 0.3];
    const x = normal(n, d);
    const y = normal(n, 1);
    const w = new Float64Array(d);
    const outputs = () => matmul(x, matrix(d, 1, w));
    const closed = closedFormDescent(
      modesOf(gram(x)),
      matrix(0, n),
      { train: matrix(n, 1), test: matrix(0, 1) },
      y,
      { learningRate: eta },
    );
    for (let t = 0; t < 100; t++) {
      expect(gap(closed.at(t).train.data, outputs().data)).toBeLessThan(1e-12);
      const residual = matrix(
        n,
        1,
        outputs().data.map((f, i) => f - y.data[i]),
      );
      const gradient = matmul(transpose(x), residual).data;
      for (let j = 0; j < d; j++) w[j] -= (eta / n) * gradient[j];
    }
  });

  it('oracle 3: comes to gradient flow with a gap in proportion to the step', () => {
    const { testTrain, start, targets, modes } = problem(8, 3, 1, 8);
    const most = largestStableStep(modes.values[0], 8, 1);
    const time = 20 * most;
    const rates = [4, 8, 16, 32, 64].map((k) => most / (10 * k));
    const off = rates.map((eta) => {
      const flow = flowOutputs(modes, testTrain, start, targets, 1, time);
      const steps = closedFormDescent(modes, testTrain, start, targets, { learningRate: eta }).at(
        Math.round(time / eta),
      );
      return Math.max(gap(steps.train.data, flow.train.data), gap(steps.test.data, flow.test.data));
    });
    const { slope } = linearFit(rates.map(Math.log), off.map(Math.log));
    expect(Math.abs(slope - 1)).toBeLessThan(0.05);
  });

  it('gives learning curves on training and test inputs, and the time to a loss', () => {
    const { testTrain, start, targets, testTargets, modes } = problem(8, 5, 2, 10);
    const learningRate = 0.4 * largestStableStep(modes.values[0], 8, 2);
    const steps = [0, 1, 5, 50, 500];
    const curve = learningCurve(modes, testTrain, start, targets, testTargets, { learningRate }, steps);
    const closed = closedFormDescent(modes, testTrain, start, targets, { learningRate });
    steps.forEach((t, i) => {
      const { test } = closed.at(t);
      const loss = test.data.reduce((sum, f, k) => sum + (f - testTargets.data[k]) ** 2, 0) / 20;
      expect(curve.test[i]).toBeCloseTo(loss, 12);
    });
    const residual = matrix(
      8,
      2,
      start.train.data.map((f, i) => f - targets.data[i]),
    );
    const inside = matmul(modes.vectors, residual).data;
    const norms = Float64Array.from({ length: 8 }, (_, k) => Math.hypot(inside[2 * k], inside[2 * k + 1]));
    const options = { rate: learningRate / 16, scale: 1 / 32, steps: 500 };
    const predicted = predictedCurve(norms, modes.values, options);
    expect(predicted.loss[0]).toBeCloseTo(curve.train[0], 12);
    const bar = 0.3 * curve.train[0];
    const needed = stepsToLoss(norms, modes.values, bar, options);
    if (needed === null) throw new Error('The loss is never reached.');
    const around = learningCurve(modes, testTrain, start, targets, testTargets, { learningRate }, [
      needed - 1,
      needed,
    ]);
    expect(around.train[1]).toBeLessThanOrEqual(bar);
    expect(around.train[0]).toBeGreaterThan(bar);
    expect(stepsToLoss(norms, modes.values, -1, { ...options, horizon: 1000 })).toBeNull();
  });
});
