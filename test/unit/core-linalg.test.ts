import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { cholesky, choleskySolve, logDeterminant, solveSpd } from '../../src/core/linalg/cholesky.js';
import { eigenvalues, eigh } from '../../src/core/linalg/eigen.js';
import { lanczos } from '../../src/core/linalg/lanczos.js';
import { type Matrix, matrix, matrixFrom } from '../../src/core/linalg/matrix.js';
import {
  dot,
  gram,
  identity,
  matmul,
  multiplyVector,
  symmetrize,
  trace,
  transpose,
} from '../../src/core/linalg/ops.js';
import {
  conditionNumber,
  effectiveRank,
  noiseFloor,
  participationRatio,
} from '../../src/core/linalg/spectrum.js';
import { wasmSupported } from '../../src/core/linalg/wasm/engine.js';
import { Random } from '../../src/core/random.js';

const randomGram = (n: number, d: number, seed: number): Matrix =>
  gram(matrix(n, d, new Random(seed).normals(n * d, 1 / Math.sqrt(d))));

function expectClose(a: ArrayLike<number>, b: ArrayLike<number>, tolerance: number): void {
  expect(a.length).toBe(b.length);
  for (let i = 0; i < a.length; i++)
    expect(Math.abs(a[i] - b[i]), `entry ${i}`).toBeLessThanOrEqual(tolerance);
}

describe('matrix products', () => {
  it('multiplies, transposes, symmetrizes', () => {
    const a = matrixFrom(2, 3, [1, 2, 3, 4, 5, 6]);
    expect(Array.from(matmul(a, transpose(a)).data)).toEqual([14, 32, 32, 77]);
    expect(gram(a)).toEqual(matmul(a, transpose(a)));
    expect(Array.from(multiplyVector(a, [1, 0, -1]))).toEqual([-2, -2]);
    expect(Array.from(symmetrize(matrixFrom(2, 2, [1, 2, 4, 3])).data)).toEqual([1, 3, 3, 3]);
    expect(trace(identity(5))).toBe(5);
    expect(() => matmul(a, a)).toThrow('2 x 3 by 2 x 3');
    expect(() => symmetrize(a)).toThrow('2 rows and 3 columns');
    expect(() => matrix(2, 2, new Float64Array(3))).toThrow('2 x 2 needs 4 values, got 3');
  });
});

describe('Cholesky', () => {
  it('factorises and solves', () => {
    const k = randomGram(40, 80, 1);
    const { lower, ridge } = cholesky(k);
    expect(ridge).toBe(0);
    expectClose(gram(lower).data, k.data, 1e-14);
    const b = matrix(40, 3, new Random(2).normals(120));
    expectClose(matmul(k, solveSpd(k, b)).data, b.data, 1e-11);
    expectClose(choleskySolve(cholesky(k), b).data, solveSpd(k, b).data, 0);
    const values = eigenvalues(k);
    expect(logDeterminant(k)).toBeCloseTo(
      values.reduce((s, v) => s + Math.log(v), 0),
      10,
    );
  });

  it('states its ridge, in absolute units', () => {
    const k = matrixFrom(2, 2, [2, 0, 0, 4]);
    expect(cholesky(k, { ridge: 1, relativeRidge: 0.5 }).ridge).toBe(2.5);
    expectClose(solveSpd(k, matrixFrom(2, 1, [1, 1]), { ridge: 1 }).data, [1 / 3, 1 / 5], 1e-16);
  });

  it('refuses what is not positive definite, not finite, or a negative ridge', () => {
    expect(() => cholesky(randomGram(10, 3, 4))).toThrow(/not positive definite: pivot \d+ .* Add a ridge/);
    expect(() => cholesky(matrixFrom(1, 1, [Number.NaN]))).toThrow('row 0, column 0');
    expect(() => cholesky(identity(2), { ridge: -1 })).toThrow('The ridge is -1');
    expect(() => solveSpd(identity(2), matrix(3, 1))).toThrow('3 rows, but the matrix has 2');
  });
});

describe('spectrum', () => {
  it('condition number, effective rank, participation, noise floor', () => {
    expect(conditionNumber([4, 2, 1])).toBe(4);
    expect(conditionNumber([4, 2, 1e-9], noiseFloor([4, 2, 1e-9]))).toBe(Infinity);
    expect(conditionNumber([])).toBeNaN();
    expect(effectiveRank([2, 2, 2, 2, 0, -1e-18])).toBeCloseTo(4, 12);
    expect(effectiveRank([1, 0, 0])).toBe(1);
    expect(effectiveRank([0, 0])).toBe(0);
    expect(participationRatio([3, 3, 0])).toBe(2);
    expect(noiseFloor([10, 1])).toBeCloseTo(1e-5, 18);
  });

  it('a float32 Gram matrix of low rank has its zero eigenvalues below the floor', () => {
    const k = randomGram(120, 10, 5);
    const values = eigenvalues(matrix(120, 120, Float64Array.from(Float32Array.from(k.data))));
    const floor = noiseFloor(values);
    expect(values[9]).toBeGreaterThan(floor);
    for (let i = 10; i < 120; i++) expect(Math.abs(values[i])).toBeLessThan(floor);
  });
});

describe('Lanczos', () => {
  const check = (k: Matrix, count: number, options = {}) => {
    const n = k.rows;
    const all = eigh(k);
    const top = lanczos((x) => multiplyVector(k, x), n, count, options);
    expect(top.converged).toBe(true);
    expectClose(top.values, all.values.slice(0, count), 1e-9 * Math.abs(all.values[0]));
    const cross = gram(top.vectors);
    for (let i = 0; i < count; i++) {
      const v = top.vectors.data.subarray(i * n, (i + 1) * n);
      const kv = multiplyVector(k, v);
      let r = 0;
      for (let j = 0; j < n; j++) r += (kv[j] - top.values[i] * v[j]) ** 2;
      expect(Math.sqrt(r)).toBeLessThanOrEqual(top.residuals[i] + 1e-12 * Math.abs(all.values[0]));
      for (let j = 0; j < count; j++)
        expect(Math.abs(cross.data[i * count + j] - (i === j ? 1 : 0))).toBeLessThan(1e-11);
    }
    return top;
  };

  it('finds the top pairs, restarting with a small basis', () => {
    const k = randomGram(300, 500, 7);
    check(k, 10, { maxProducts: 2000 });
    const small = check(k, 6, { basis: 14, maxProducts: 4000 });
    expect(small.products).toBeGreaterThan(40);
  });

  it('agrees with itself and with the vectors of eigh, sign included', () => {
    const k = randomGram(150, 150, 8);
    const a = check(k, 4, { seed: 3 });
    expect(lanczos((x) => multiplyVector(k, x), 150, 4, { seed: 3 })).toEqual(a);
    expectClose(a.vectors.data, eigh(k).vectors.data.slice(0, 600), 1e-6);
  });

  it('copes with low rank, repeated values, all pairs, the zero operator', () => {
    check(randomGram(120, 5, 9), 8);
    check(identity(30), 7);
    check(randomGram(25, 30, 10), 25);
    check(randomGram(3, 30, 10), 1);
    const zero = lanczos((x) => x.map(() => 0), 12, 3);
    expect(Array.from(zero.values)).toEqual([0, 0, 0]);
    expect(dot(zero.vectors.data.subarray(0, 12), zero.vectors.data.subarray(12, 24))).toBeCloseTo(0, 12);
  });

  it('stops at its budget and says so; refuses what is not finite', () => {
    const k = randomGram(400, 450, 11);
    const cut = lanczos((x) => multiplyVector(k, x), 400, 5, { basis: 12, maxProducts: 12 });
    expect(cut.converged).toBe(false);
    expect(Math.max(...cut.residuals)).toBeGreaterThan(1e-6);
    expect(() => lanczos((x) => x.map(() => Number.NaN), 5, 1)).toThrow(
      'Product 1 of the operator is not finite',
    );
    expect(() => lanczos((x) => x, 5, 6)).toThrow('between 1 and 5');
  });
});

describe('the WebAssembly module', () => {
  it('is what its sources compile to', async () => {
    const { compile, moduleText } = await import('../../src/core/linalg/wasm/compile.mjs');
    const committed = await readFile(
      new URL('../../src/core/linalg/wasm/binary.ts', import.meta.url),
      'utf8',
    );
    expect(committed === moduleText(await compile()), 'run: node src/core/linalg/wasm/build.mjs').toBe(true);
    expect(wasmSupported()).toBe(true);
  });
});
