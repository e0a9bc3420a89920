import { afterAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.js';
import {
  convolve,
  descend,
  padded,
  type RunLayer,
  type Shape,
  Threads,
  type Top,
} from '../../src/network/backends/simd/index.js';

const random = new Random('convolutions');
const normals = (n: number): Float32Array => Float32Array.from(random.normals(n));

/** Values [rows, channels] with channels filled up with zeros to a multiple of 8. */
function widened(values: Float32Array, channels: number, wide = padded(channels)): Float32Array {
  const rows = values.length / channels;
  const out = new Float32Array(rows * wide);
  for (let r = 0; r < rows; r++) out.set(values.subarray(r * channels, (r + 1) * channels), r * wide);
  return out;
}

/** One image [height, width, from] convolved, by its definition, in float64. */
function convolved(x: ArrayLike<number>, w: ArrayLike<number>, s: Shape): Float64Array {
  const out = new Float64Array(s.outHeight * s.outWidth * s.to);
  each(s, (p, q, t) => {
    for (let a = 0; a < s.from; a++)
      for (let b = 0; b < s.to; b++) out[p * s.to + b] += x[q * s.from + a] * w[(t * s.from + a) * s.to + b];
  });
  return out;
}

/** Gradient [9, from, to] of a convolution's filters for cotangents d, and cotangents of its input. */
function pulled(x: ArrayLike<number>, w: ArrayLike<number>, d: ArrayLike<number>, s: Shape) {
  const filters = new Float64Array(9 * s.from * s.to);
  const input = new Float64Array(s.height * s.width * s.from);
  each(s, (p, q, t) => {
    for (let a = 0; a < s.from; a++)
      for (let b = 0; b < s.to; b++) {
        filters[(t * s.from + a) * s.to + b] += x[q * s.from + a] * d[p * s.to + b];
        input[q * s.from + a] += w[(t * s.from + a) * s.to + b] * d[p * s.to + b];
      }
  });
  return { filters, input };
}

/** Every position of the result, what it sees, and through which tap. */
function each(s: Shape, visit: (out: number, seen: number, tap: number) => void): void {
  for (let y = 0; y < s.outHeight; y++)
    for (let x = 0; x < s.outWidth; x++)
      for (let t = 0; t < 9; t++) {
        const [v, u] = [y + Math.floor(t / 3) - s.margin, x + (t % 3) - s.margin];
        if (v < 0 || v >= s.height || u < 0 || u >= s.width) continue;
        visit(y * s.outWidth + x, v * s.width + u, t);
      }
}

const shape = (height: number, width: number, from: number, to: number, margin: number): Shape => ({
  height,
  width,
  from,
  to,
  margin,
  outHeight: height - 2 + 2 * margin,
  outWidth: width - 2 + 2 * margin,
});

function furthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let [worst, largest] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    worst = Math.max(worst, Math.abs(a[i] - b[i]));
    largest = Math.max(largest, Math.abs(b[i]));
  }
  return worst / (largest || 1);
}

const pools = [1, 3].map((count) => new Threads(count));
afterAll(async () => void (await Promise.all(pools.map((pool) => pool.close()))));

describe.each(pools.map((pool) => [pool.count, pool] as const))('convolutions on %i threads', (_, pool) => {
  it.each([
    shape(8, 8, 8, 8, 1),
    shape(7, 9, 3, 5, 1),
    shape(9, 6, 16, 24, 0),
    shape(3, 3, 8, 1, 0),
    shape(1, 1, 2, 2, 1),
    shape(1, 13, 8, 16, 1),
    shape(45, 31, 40, 9, 1),
  ])('are those by definition: %j', (s) => {
    const n = 5;
    const [x, w, bias] = [
      normals(n * s.height * s.width * s.from),
      normals(9 * s.from * s.to),
      normals(s.to),
    ];
    const images = widened(x, s.from);
    for (const relu of [false, true]) {
      const size = s.outHeight * s.outWidth;
      const out = new Float32Array(n * size * padded(s.to)).fill(Number.NaN);
      convolve(
        pool,
        n,
        () => images,
        w,
        relu ? bias : null,
        relu,
        s,
        () => out,
      );
      for (let i = 0; i < n; i++) {
        const size1 = s.height * s.width * s.from;
        const truth = convolved(x.subarray(i * size1, (i + 1) * size1), w, s);
        if (relu) for (let p = 0; p < truth.length; p++) truth[p] = Math.max(0, truth[p] + bias[p % s.to]);
        const wide = widened(Float32Array.from(truth), s.to);
        const got = out.subarray(i * size * padded(s.to), (i + 1) * size * padded(s.to));
        expect(furthest(got, wide)).toBeLessThan(5e-6);
      }
    }
  });

  const runs: readonly (readonly [string, readonly Shape[], boolean, boolean, boolean])[] = [
    // shapes, patches first, shared rows on top, cotangents of the input wanted
    ['one', [shape(6, 6, 8, 8, 1)], false, true, false],
    ['one, on', [shape(7, 5, 3, 5, 1)], false, true, true],
    ['one of patches', [shape(7, 5, 1, 8, 1)], true, true, false],
    ['two', [shape(10, 10, 1, 8, 1), shape(10, 10, 8, 16, 1)], true, true, false],
    ['two of cotangents', [shape(9, 11, 2, 12, 1), shape(9, 11, 12, 5, 0)], true, false, false],
    ['three', [shape(12, 9, 3, 8, 0), shape(10, 7, 8, 12, 1), shape(10, 7, 12, 8, 0)], false, false, true],
    [
      'three, shared',
      [shape(12, 9, 3, 8, 0), shape(10, 7, 8, 12, 1), shape(10, 7, 12, 8, 0)],
      true,
      true,
      false,
    ],
    [
      'large',
      [shape(28, 28, 1, 32, 1), shape(28, 28, 32, 32, 1), shape(28, 28, 32, 32, 1)],
      true,
      true,
      false,
    ],
  ];
  it.each(runs)('give per-sample gradients: %s', (_name, shapes, patched, shared, down) => {
    const [n, outputs] = [3, 4];
    const top = shapes[shapes.length - 1];
    const positions = top.outHeight * top.outWidth;
    const given = shapes.map((s, l) => ({
      s,
      x: normals(n * s.height * s.width * s.from),
      w: normals(9 * s.from * s.to),
      slope: normals(n * s.height * s.width * s.from),
      // Slopes of relu are told by the input, others are given.
      relu: l % 2 === 1,
      trainable: shapes.length < 3 || l !== 1,
      bias: l !== 0,
      patches: patched && l === 0,
    }));
    const rows = normals(outputs * top.to);
    const slope = normals(n * positions * top.to);
    const free = normals(n * outputs * positions * top.to);
    const layers = given.map(({ s, x, w, slope: before, relu, trainable, bias, patches }): RunLayer => {
      const images = widened(x, s.from);
      const k = 4 * Math.ceil((9 * s.from) / 4);
      const rowsOf = new Float32Array(n * s.outHeight * s.outWidth * k);
      for (let i = 0; i < n; i++)
        each(s, (p, q, t) => {
          for (let a = 0; a < s.from; a++)
            rowsOf[(i * s.outHeight * s.outWidth + p) * k + t * s.from + a] =
              x[(i * s.height * s.width + q) * s.from + a];
        });
      const wide = widened(before, s.from);
      return {
        shape: patches ? { ...s, from: k } : s,
        input: () => (patches ? rowsOf : images),
        patches,
        filters: patches ? null : w,
        slope: relu ? null : () => wide,
        trainable,
        bias,
      };
    });
    const wideRows = widened(rows, top.to);
    const wideSlope = widened(slope, top.to);
    const wideFree = widened(free, top.to);
    const from: Top = shared ? { rows: wideRows, slope: () => wideSlope } : { cotangents: () => wideFree };
    const result = descend(pool, n, outputs, layers, from, down);
    const got = result.rows.map((r) => r?.slice() ?? null);
    const input = result.cotangents?.slice() ?? null;

    for (let i = 0; i < n; i++)
      for (let o = 0; o < outputs; o++) {
        let d = new Float64Array(positions * top.to);
        for (let p = 0; p < d.length; p++)
          d[p] = shared
            ? rows[o * top.to + (p % top.to)] * slope[i * d.length + p]
            : free[(i * outputs + o) * d.length + p];
        for (let l = shapes.length - 1; l >= 0; l--) {
          const { s, x, w, slope: before, relu, trainable, bias, patches } = given[l];
          const size = s.height * s.width * s.from;
          const own = x.subarray(i * size, (i + 1) * size);
          const { filters, input: back } = pulled(own, w, d, s);
          const [a, b] = [padded(s.from), padded(s.to)];
          const k = patches ? layers[l].shape.from : 9 * a;
          const row = (k + (bias ? 1 : 0)) * b;
          const sum = shared && l === shapes.length - 1;
          expect(got[l] === null).toBe(!trainable);
          const all = got[l];
          if (all && !sum) {
            const at = (i * outputs + o) * row;
            const mine = new Float64Array(filters.length);
            for (let t = 0; t < 9; t++)
              for (let c = 0; c < s.from; c++)
                for (let e = 0; e < s.to; e++)
                  mine[(t * s.from + c) * s.to + e] =
                    all[at + (patches ? t * s.from + c : t * a + c) * b + e];
            expect(furthest(mine, filters)).toBeLessThan(5e-6);
            if (bias)
              for (let e = 0; e < s.to; e++) {
                let truth = 0;
                for (let p = e; p < d.length; p += s.to) truth += d[p];
                expect(Math.abs(all[at + k * b + e] - truth)).toBeLessThan(1e-4);
              }
          }
          if (all && sum && o === 0) {
            // Row of the slope alone, times the norms over the outputs.
            const only = pulled(own, w, slope.subarray(i * d.length, (i + 1) * d.length), s).filters;
            const mine = new Float64Array(only.length);
            for (let t = 0; t < 9; t++)
              for (let c = 0; c < s.from; c++)
                for (let e = 0; e < s.to; e++) {
                  let norm = 0;
                  for (let q = 0; q < outputs; q++) norm += rows[q * s.to + e] ** 2;
                  const place = (t * s.from + c) * s.to + e;
                  only[place] *= Math.sqrt(norm);
                  mine[place] = all[i * row + (patches ? t * s.from + c : t * a + c) * b + e];
                }
            expect(furthest(mine, only)).toBeLessThan(5e-6);
          }
          if (l === 0 && input) {
            const wide = widened(Float32Array.from(back), s.from);
            const at = (i * outputs + o) * wide.length;
            expect(furthest(input.subarray(at, at + wide.length), wide)).toBeLessThan(5e-6);
          }
          d = back.map((v, p) => v * (relu ? (own[p] > 0 ? 1 : 0) : before[i * size + p]));
        }
      }
  });
});
