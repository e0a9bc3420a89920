import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  descentShare,
  ensemble,
  flowOutputs,
  largestStableStep,
  modesOf,
  momentumShare,
  regularised,
} from '../../src/core/dynamics/squaredLoss.js';
import { type Matrix, matrixFrom } from '../../src/core/linalg/matrix.js';

type Rows = number[][];
interface Golden {
  readonly y_train: Rows;
  readonly fx_train_0: Rows;
  readonly fx_test_0: Rows;
  readonly kernels: Record<'nngp' | 'ntk', { train_train: Rows; test_train: Rows; test_test: Rows }>;
  readonly cases: {
    readonly kernel: 'nngp' | 'ntk';
    readonly learning_rate: number;
    readonly diag_reg: number;
    readonly diag_reg_absolute_scale: boolean;
    readonly t: number | null;
    readonly fx_train: Rows;
    readonly fx_test: Rows;
  }[];
  readonly gp: { readonly mean: Rows; readonly covariance: Rows }[];
  readonly ensemble: { readonly t: number | null; readonly mean: Rows; readonly covariance: Rows }[];
  readonly max_learning_rate: { readonly eigs: number[]; readonly y14_momentum_0p9: number };
}
const g: Golden = JSON.parse(readFileSync(new URL('./values/predict.json', import.meta.url), 'utf8'));
const of = (rows: Rows): Matrix => matrixFrom(rows.length, rows[0].length, rows.flat());
function agree(a: Matrix, rows: Rows, tolerance = 1e-8): void {
  const want = rows.flat();
  const scale = Math.max(1, ...want.map(Math.abs));
  expect(a.data.length).toBe(want.length);
  want.forEach((w, i) => {
    expect(Math.abs(a.data[i] - w)).toBeLessThan(tolerance * scale);
  });
}
const targets = of(g.y_train);
const kernels = {
  nngp: {
    train: of(g.kernels.nngp.train_train),
    testTrain: of(g.kernels.nngp.test_train),
    test: of(g.kernels.nngp.test_test),
  },
  ntk: modesOf(of(g.kernels.ntk.train_train)),
  ntkTestTrain: of(g.kernels.ntk.test_train),
};

describe('predictions from a kernel', () => {
  it.each(g.cases.map((c, k) => [k, c] as const))('gradient flow, case %i', (_k, c) => {
    const k = g.kernels[c.kernel];
    const modes = modesOf(regularised(of(k.train_train), c.diag_reg, c.diag_reg_absolute_scale));
    const start = { train: of(g.fx_train_0), test: of(g.fx_test_0) };
    const f = flowOutputs(modes, of(k.test_train), start, targets, c.learning_rate, c.t ?? Infinity);
    agree(f.train, c.fx_train);
    agree(f.test, c.fx_test);
  });
  it('gives the mean and covariance of the trained ensemble', () => {
    const end = ensemble(kernels, targets, 1, Infinity);
    agree(end.mean, g.gp[0].mean);
    agree(end.covariance, g.gp[0].covariance);
    for (const e of g.ensemble) {
      const at = ensemble(kernels, targets, 1, e.t ?? Infinity);
      agree(at.mean, e.mean);
      agree(at.covariance, e.covariance);
    }
  });
  it('gives the largest stable step', () => {
    const lambda = Math.max(...g.max_learning_rate.eigs);
    expect(largestStableStep(lambda, 7, 2, 0.9)).toBeCloseTo(g.max_learning_rate.y14_momentum_0p9, 9);
  });
  it('follows the recursion of momentum and of plain descent', () => {
    const [lambda, rate, m] = [1.7, 0.3, 0.8];
    let [r, before] = [1, 1];
    for (let t = 0; t < 37; t++) [r, before] = [(1 + m - rate * lambda) * r - m * before, r];
    expect(momentumShare(lambda, rate, m, 37)).toBeCloseTo(r, 12);
    expect(momentumShare(lambda, rate, 0, 9)).toBeCloseTo(descentShare(lambda, rate, 9), 14);
  });
});
