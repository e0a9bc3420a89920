import { describe, expect, it } from 'vitest';
import { kernelRidge } from '../../src/core/dynamics/kernelRidge.js';
import { solveSpd } from '../../src/core/linalg/cholesky.js';
import { type Matrix, matrix, matrixFrom } from '../../src/core/linalg/matrix.js';
import { gram, matmul, transpose } from '../../src/core/linalg/ops.js';
import { Random } from '../../src/core/random.js';

const normal = (rows: number, cols: number, seed: number): Matrix =>
  matrix(rows, cols, new Random(seed).normals(rows * cols));

describe('kernel ridge regression', () => {
  it('agrees with solving at each ridge, for several outputs, and picks the smallest error', () => {
    const features = normal(20, 30, 1);
    const others = normal(7, 30, 2);
    const [k, cross] = [gram(features), matmul(others, transpose(features))];
    const [y, z] = [normal(20, 2, 3), normal(7, 2, 4)];
    const ridges = [1e-3, 0.1, 10];
    const curve = kernelRidge(k, cross, y, z, ridges);
    for (const [r, relativeRidge] of ridges.entries()) {
      const f = matmul(cross, solveSpd(k, y, { relativeRidge }));
      const error = f.data.reduce((sum, v, i) => sum + (v - z.data[i]) ** 2, 0) / 14;
      expect(curve.errors[r]).toBeCloseTo(error, 8);
    }
    expect(curve.best.error).toBe(Math.min(...curve.errors));
    expect(curve.errors[ridges.indexOf(curve.best.ridge)]).toBe(curve.best.error);
  });

  it('interpolates without a ridge: a linear target is found from as many inputs as dimensions', () => {
    const x = normal(6, 6, 5);
    const more = normal(4, 6, 6);
    const w = matrixFrom(6, 1, [1, -2, 3, 0, 1, 1]);
    const { best, ridges } = kernelRidge(gram(x), matmul(more, transpose(x)), matmul(x, w), matmul(more, w));
    expect(best.error).toBeLessThan(1e-6);
    expect(best.ridge).toBe(ridges[0]);
  });
});
