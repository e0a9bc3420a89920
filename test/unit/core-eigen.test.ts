import { EigenvalueDecomposition, Matrix as MlMatrix } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import { type EigenOptions, eigenvalues, eigh, spectral } from '../../src/core/linalg/eigen.js';
import { type Matrix, matrix } from '../../src/core/linalg/matrix.js';
import { dot, frobeniusNorm, gram, matmul, multiplyVector, transpose } from '../../src/core/linalg/ops.js';
import { plainEngine } from '../../src/core/linalg/plain.js';
import { wasmEngine } from '../../src/core/linalg/wasm/engine.js';
import { Random } from '../../src/core/random.js';

function randomGram(n: number, d: number, seed: number): Matrix {
  return gram(matrix(n, d, new Random(seed).normals(n * d, 1 / Math.sqrt(d))));
}

/** V diag(values) V^T for a random orthogonal V: the spectrum is known beforehand. */
function withSpectrum(values: readonly number[], seed: number): Matrix {
  const n = values.length;
  const { vectors } = eigh(randomGram(n, 2 * n, seed), { engine: plainEngine });
  const scaled = matrix(n, n, vectors.data.slice());
  for (let k = 0; k < n; k++) for (let i = 0; i < n; i++) scaled.data[k * n + i] *= values[k];
  return matmul(transpose(vectors), scaled);
}

function symmetricRandom(n: number, seed: number): Matrix {
  const a = matrix(n, n, new Random(seed).normals(n * n));
  const out = matrix(n, n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) out.data[i * n + j] = a.data[i * n + j] + a.data[j * n + i];
  return out;
}

const cases: Record<string, () => Matrix> = {
  'random 1': () => symmetricRandom(1, 1),
  'random 2': () => symmetricRandom(2, 1),
  'random 3': () => symmetricRandom(3, 2),
  'random 5': () => symmetricRandom(5, 2),
  'random 37': () => symmetricRandom(37, 3),
  'random 64': () => symmetricRandom(64, 4),
  'random 131': () => symmetricRandom(131, 5),
  'gram 96': () => randomGram(96, 300, 6),
  'rank 7 of 80': () => randomGram(80, 7, 7),
  'decaying 90': () =>
    withSpectrum(
      Array.from({ length: 90 }, (_, k) => 10 ** (-k / 4)),
      8,
    ),
  'clustered 60': () =>
    withSpectrum(
      Array.from({ length: 60 }, (_, k) => 1 + Math.floor(k / 10) + 1e-9 * k),
      9,
    ),
  'degenerate 48': () =>
    withSpectrum(
      Array.from({ length: 48 }, (_, k) => (k < 20 ? 3 : k < 30 ? 1 : -2)),
      10,
    ),
  'identity 40': () =>
    matrix(
      40,
      40,
      Float64Array.from({ length: 1600 }, (_, i) => (i % 41 === 0 ? 1 : 0)),
    ),
  'zero 30': () => matrix(30, 30),
  'diagonal 33': () => {
    const a = matrix(33, 33);
    for (let i = 0; i < 33; i++) a.data[i * 34] = Math.cos(7 * i) * 10;
    return a;
  },
  'huge 20': () =>
    matrix(
      20,
      20,
      symmetricRandom(20, 11).data.map((x) => x * 1e290),
    ),
  'tiny 20': () =>
    matrix(
      20,
      20,
      symmetricRandom(20, 12).data.map((x) => x * 1e-290),
    ),
};

const engines: Record<string, EigenOptions> = {
  plain: { engine: plainEngine },
  wasm: { engine: wasmEngine },
};

for (const [engine, options] of Object.entries(engines)) {
  describe(`symmetric eigenproblem, ${engine} engine`, () => {
    for (const [name, make] of Object.entries(cases)) {
      it(`solves ${name}`, () => {
        const k = make();
        const n = k.rows;
        const norm = frobeniusNorm(k);
        const tolerance = 1e-14 * Math.sqrt(n) * norm;
        const unit = matrix(n, n, norm > 0 ? k.data.map((x) => x / norm) : k.data);
        const reference = new EigenvalueDecomposition(MlMatrix.from1DArray(n, n, Array.from(unit.data)), {
          assumeSymmetric: true,
        }).realEigenvalues.sort((a, b) => b - a);

        const values = eigenvalues(k, options);
        for (let i = 0; i < n; i++)
          expect(Math.abs(values[i] - reference[i] * norm)).toBeLessThanOrEqual(tolerance);

        const all = eigh(k, options);
        const orthogonality = gram(all.vectors);
        for (let i = 0; i < n; i++) {
          const v = all.vectors.data.subarray(i * n, (i + 1) * n);
          const kv = multiplyVector(k, v);
          for (let j = 0; j < n; j++) {
            expect(Math.abs(kv[j] - all.values[i] * v[j])).toBeLessThanOrEqual(tolerance);
            expect(Math.abs(orthogonality.data[i * n + j] - (i === j ? 1 : 0))).toBeLessThan(1e-13);
          }
        }

        const y = matrix(n, 3, new Random(99).normals(3 * n));
        const top = Math.min(n, 12);
        const pass = spectral(k, y, { ...options, topVectors: top });
        for (let i = 0; i < n; i++)
          expect(Math.abs(pass.values[i] - values[i])).toBeLessThanOrEqual(tolerance);
        for (let c = 0; c < 3; c++) {
          let sum = 0;
          let squares = 0;
          for (let i = 0; i < n; i++) {
            sum += pass.energy.data[i * 3 + c];
            squares += y.data[i * 3 + c] ** 2;
          }
          expect(Math.abs(sum / squares - 1)).toBeLessThan(1e-12);
        }
        const cross = gram(pass.vectors);
        for (let i = 0; i < top; i++) {
          const v = pass.vectors.data.subarray(i * n, (i + 1) * n);
          const kv = multiplyVector(k, v);
          for (let j = 0; j < n; j++)
            expect(Math.abs(kv[j] - pass.values[i] * v[j])).toBeLessThanOrEqual(10 * tolerance);
          for (let j = 0; j < top; j++)
            expect(Math.abs(cross.data[i * top + j] - (i === j ? 1 : 0))).toBeLessThan(1e-12);
          const gap = Math.min(
            i > 0 ? pass.values[i - 1] - pass.values[i] : Infinity,
            i < n - 1 ? pass.values[i] - pass.values[i + 1] : Infinity,
          );
          if (gap > 1e-3 * norm)
            for (let c = 0; c < 3; c++) {
              const column = Float64Array.from({ length: n }, (_, r) => y.data[r * 3 + c]);
              expect(Math.abs(dot(v, column) - pass.projections.data[i * 3 + c])).toBeLessThan(1e-9);
            }
        }
      });
    }

    it('refuses what is not finite or not square with a sentence', () => {
      const k = symmetricRandom(6, 1);
      k.data[8] = Number.NaN;
      expect(() => eigenvalues(k, options)).toThrow(
        'The kernel has the entry NaN at row 1, column 2; every entry must be a finite number.',
      );
      expect(() => spectral(matrix(2, 3), undefined, options)).toThrow('2 rows and 3 columns');
      const y = matrix(6, 1);
      y.data[3] = Infinity;
      expect(() => spectral(symmetricRandom(6, 1), y, options)).toThrow(
        'The target matrix has the entry Infinity',
      );
      expect(() => spectral(symmetricRandom(6, 1), matrix(5, 1), options)).toThrow('5 rows');
    });
  });
}
