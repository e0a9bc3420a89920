import { readFile } from 'node:fs/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.js';
import {
  type GramPart,
  gramOf,
  multiply,
  type Operand,
  type Range,
  Threads,
} from '../../src/network/backends/simd/index.js';

const random = new Random('simd');

function operand(rows: number, k: number, turned = false): Operand & { at(r: number, c: number): number } {
  const data = Float32Array.from(random.normals(rows * k));
  const at = (r: number, c: number) => data[turned ? c * rows + r : r * k + c];
  return { values: () => data, rows, k, turned, at };
}

type Tested = ReturnType<typeof operand>;

/** Inner product of two rows in float64. */
function inner(a: Tested, r: number, b: Tested, s: number): number {
  let sum = 0;
  for (let c = 0; c < a.k; c++) sum += a.at(r, c) * b.at(s, c);
  return sum;
}

const pools = [1, 2, 4].map((count) => new Threads(count));
afterAll(async () => void (await Promise.all(pools.map((pool) => pool.close()))));

describe.each(pools.map((pool) => [pool.count, pool] as const))('products on %i threads', (_, pool) => {
  it.each([
    [1, 1, 1],
    [8, 8, 8],
    [3, 5, 7],
    [17, 300, 33],
    [129, 513, 65],
    [70, 20, 200],
    [1, 1000, 9],
    [700, 2100, 13],
  ])('multiply %i rows of %i values with %i', (n, k, m) => {
    for (const [ta, tb] of [
      [false, false],
      [false, true],
      [true, false],
      [true, true],
    ]) {
      const [a, b] = [operand(n, k, ta), operand(m, k, tb)];
      const out = new Float32Array(n * m).fill(Number.NaN);
      multiply(pool, a, b, () => out);
      let worst = 0;
      for (let i = 0; i < n; i++)
        for (let j = 0; j < m; j++) worst = Math.max(worst, Math.abs(out[i * m + j] - inner(a, i, b, j)));
      expect(worst).toBeLessThan(2e-6 * k ** 0.5 * 8);
    }
  });

  const full = (part: GramPart, other: GramPart, i: number, j: number): number => {
    const sum = inner(part.input as Tested, i, other.input as Tested, j) + part.shift;
    const d = part.cotangent ? inner(part.cotangent as Tested, i, other.cotangent as Tested, j) : 1;
    return part.factor * sum * d;
  };

  const parts = (rows: number): GramPart[] => [
    { input: operand(rows, 10), cotangent: operand(rows, 37), factor: 0.5, shift: 2 },
    { input: operand(rows, 5001), cotangent: null, factor: 1.5, shift: 0.25 },
    { input: operand(rows, 301), cotangent: operand(rows, 1), factor: 1, shift: 0 },
  ];

  it.each<[number, Range, Range]>([
    [9, [0, 9], [0, 9]],
    [64, [0, 64], [0, 64]],
    [151, [0, 151], [0, 151]],
    [151, [0, 70], [70, 81]],
    [40, [3, 1], [5, 30]],
  ])('sum the Gram matrices of %i samples, rows %j, columns %j', (rows, i, j) => {
    const all = parts(rows);
    const { values, stride } = gramOf(pool, all, all, i, j, true);
    const triangle = i[0] === j[0] && i[1] === j[1];
    let worst = 0;
    for (let r = 0; r < i[1]; r++)
      for (let c = triangle ? r : 0; c < j[1]; c++) {
        const truth = all.reduce((sum, part) => sum + full(part, part, i[0] + r, j[0] + c), 0);
        worst = Math.max(worst, Math.abs(values[r * stride + c] - truth));
      }
    expect(worst).toBeLessThan(0.01);
    expect(worst / 5000).toBeLessThan(1e-6);
  });

  it('sum the rectangle of two sets of samples', () => {
    const [a, b] = [parts(30), parts(21)];
    const { values, stride } = gramOf(pool, a, b, [0, 30], [0, 21], false);
    for (let r = 0; r < 30; r++)
      for (let c = 0; c < 21; c++) {
        const truth = a.reduce((sum, part, p) => sum + full(part, b[p], r, c), 0);
        expect(Math.abs(values[r * stride + c] - truth)).toBeLessThan(0.005);
      }
  });
});

it('products do not depend on the number of threads', () => {
  const [a, b] = [operand(300, 700), operand(210, 700)];
  const results = pools.map((pool) => {
    const out = new Float32Array(300 * 210);
    for (let repeat = 0; repeat < 3; repeat++) multiply(pool, a, b, () => out);
    return out;
  });
  for (const result of results) expect(result).toEqual(results[0]);
});

it('the committed module is what its sources compile to', async () => {
  const { moduleText } = await import('../../src/core/linalg/wasm/compile.mjs');
  const { compileShared } = await import('../../src/network/backends/simd/compile.mjs');
  const file = new URL('../../src/network/backends/simd/binary.ts', import.meta.url);
  const same = (await readFile(file, 'utf8')) === moduleText(await compileShared());
  expect(same, 'run: npm run build:wasm').toBe(true);
});
