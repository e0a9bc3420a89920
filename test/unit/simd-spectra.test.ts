import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { eigenvalues, spectral } from '../../src/core/linalg/eigen.js';
import { type Matrix, matrix } from '../../src/core/linalg/matrix.js';
import { tridiagonaliseWith } from '../../src/core/linalg/wasm/engine.js';
import { Random } from '../../src/core/random.js';
import { spectraOnThreads, Threads, tridiagonaliseOn } from '../../src/network/backends/simd/index.js';

/** A Gram matrix with a spectrum that falls over many powers of ten. */
function gram(n: number): Matrix {
  const random = new Random(`spectra ${n}`);
  const points = random.normals(3 * n);
  const k = matrix(n, n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let s = 0;
      for (let c = 0; c < 3; c++) s += (points[3 * i + c] - points[3 * j + c]) ** 2;
      k.data[i * n + j] = k.data[j * n + i] = Math.exp(-s / 2);
    }
  return k;
}

const pools = [1, 2, 4].map((count) => new Threads(count));
afterAll(async () => void (await Promise.all(pools.map((pool) => pool.close()))));
afterEach(() => tridiagonaliseWith(null));

/** Sizes that leave each remainder to blocks of four rows and panels of 16 columns. */
describe.each([641, 702, 783])('the spectrum of a kernel of %i samples', (n) => {
  const k = gram(n);
  const alone = eigenvalues(k);
  const largest = alone[0];

  it('is the same on several threads, however many', () => {
    const results = pools.map((pool) => {
      let jobs = 0;
      tridiagonaliseWith((job) => {
        tridiagonaliseOn(pool, job);
        jobs++;
        return true;
      });
      const values = eigenvalues(k);
      expect(jobs).toBe(1);
      return values;
    });
    for (const values of results) expect(values).toEqual(results[0]);
    for (const [i, value] of results[0].entries())
      expect(Math.abs(value - alone[i])).toBeLessThan(1e-13 * largest);
  });

  it('comes with vectors that are eigenvectors', () => {
    tridiagonaliseWith((job) => {
      tridiagonaliseOn(pools[1], job);
      return true;
    });
    const y = matrix(n, 1, new Random(n).normals(n));
    const { values, vectors, energy } = spectral(k, y, { topVectors: 5 });
    expect(values.length).toBe(n);
    for (let v = 0; v < 5; v++) {
      const at = (i: number) => vectors.data[v * n + i];
      let along = 0;
      for (let i = 0; i < n; i++) {
        let sum = 0;
        for (let j = 0; j < n; j++) sum += k.data[i * n + j] * at(j);
        expect(Math.abs(sum - values[v] * at(i))).toBeLessThan(1e-12 * largest);
        along += at(i) * y.data[i];
      }
      expect(energy.data[v]).toBeCloseTo(along * along, 8);
    }
  });
});

it('small kernels and refused ones stay on one thread', () => {
  const seen: number[] = [];
  tridiagonaliseWith(({ n }) => {
    seen.push(n);
    return false;
  });
  const [small, large] = [gram(100), gram(650)];
  const values = [eigenvalues(small), eigenvalues(large)];
  expect(seen).toEqual([650]);
  spectraOnThreads();
  expect(eigenvalues(small)).toEqual(values[0]);
  tridiagonaliseWith(null);
  expect(eigenvalues(large)).toEqual(values[1]);
});
