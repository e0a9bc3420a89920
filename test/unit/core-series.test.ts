import { describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.js';
import { decimate, lowerBound, SeriesStore } from '../../src/core/series/index.js';

const finite = (values: ArrayLike<number>) => Array.from(values).filter((v) => !Number.isNaN(v));

describe('SeriesStore', () => {
  it('keeps rows as they are while they fit, with gaps for late and absent columns', () => {
    const store = new SeriesStore();
    store.append({ step: [0, 1], loss: [3, 2] });
    store.append({ step: [2, 3, 4], drift: [0.1], loss: [1, Number.NaN, 0.5] });
    expect(store.names).toEqual(['step', 'loss', 'drift']);
    expect(store.length).toBe(5);
    expect(Array.from(store.column('step'))).toEqual([0, 1, 2, 3, 4]);
    expect(Array.from(store.column('loss'))).toEqual([3, 2, 1, Number.NaN, 0.5]);
    expect(Array.from(store.column('drift'))).toEqual([Number.NaN, Number.NaN, 0.1, Number.NaN, Number.NaN]);
    expect(store.last('drift')).toBe(0.1);
    expect(store.column('none').every(Number.isNaN)).toBe(true);
  });

  it('stays within its budget and keeps every extreme, at even resolution', () => {
    const budget = 3000;
    const store = new SeriesStore(budget);
    const random = new Random(1);
    const n = 50_000;
    const loss = random.normals(n);
    loss[123] = 77;
    loss[31_001] = -88;
    const sparse = new Float64Array(n).map((_, i) => (i % 7 === 0 ? i : Number.NaN));
    for (let at = 0; at < n; ) {
      const end = Math.min(n, at + 1 + random.integer(900));
      const step = Float64Array.from({ length: end - at }, (_, i) => at + i);
      store.append({ step, loss: loss.subarray(at, end), sparse: sparse.subarray(at, end) });
      at = end;
      expect(store.length * 3).toBeLessThanOrEqual(budget + 6);
    }
    expect(store.rows).toBe(n);
    expect(store.last('loss')).toBe(loss[n - 1]);
    const kept = store.column('loss');
    expect(Math.max(...kept)).toBe(77);
    expect(Math.min(...kept)).toBe(-88);
    const step = store.column('step');
    expect(step[0]).toBe(0);
    expect(step[step.length - 1]).toBe(n - 1);
    const r = store.resolution;
    expect(r).toBeGreaterThanOrEqual(64);
    for (let i = 1; i < step.length; i++) expect(step[i]).toBeGreaterThan(step[i - 1]);
    // Every complete bucket holds exactly the extremes of its raw rows.
    for (let b = 0; (b + 1) * 2 * r <= n; b++) {
      const raw = loss.subarray(b * 2 * r, (b + 1) * 2 * r);
      expect([kept[2 * b], kept[2 * b + 1]].sort((p, q) => p - q)).toEqual([
        Math.min(...raw),
        Math.max(...raw),
      ]);
      expect(kept[2 * b]).toBe(
        raw.indexOf(Math.min(...raw)) < raw.indexOf(Math.max(...raw)) ? Math.min(...raw) : Math.max(...raw),
      );
    }
    expect(finite(store.column('sparse')).length).toBeGreaterThan(store.length / 2);
  });

  it('shows rows of an unfinished bucket at once', () => {
    const store = new SeriesStore(16);
    for (let i = 0; i < 37; i++) {
      store.append({ step: [i], loss: [-i] });
      const step = store.column('step');
      const loss = store.column('loss');
      expect(step[step.length - 1]).toBe(i);
      expect(loss[loss.length - 1]).toBe(-i);
      expect(loss[0]).toBeCloseTo(0);
    }
  });

  it('makes room when columns appear late', () => {
    const store = new SeriesStore(4096);
    store.append({ step: Float64Array.from({ length: 4000 }, (_, i) => i) });
    expect(store.resolution).toBe(1);
    store.append(Object.fromEntries(Array.from({ length: 15 }, (_, i) => [`movement.${i}`, [1]])));
    expect(store.length * 16).toBeLessThanOrEqual(4096);
    expect(store.last('movement.14')).toBe(1);
    expect(store.column('step')[0]).toBe(0);
    store.clear();
    expect(store.length).toBe(0);
    expect(store.names).toEqual([]);
  });
});

describe('decimate', () => {
  const n = 100_000;
  const x = Float64Array.from({ length: n }, (_, i) => i);
  const y = new Random(5).normals(n);
  y[54_321] = 50;

  it("keeps every pixel's extremes with at most two points a pixel", () => {
    const pixels = 700;
    const points = decimate(x, y, { pixels });
    expect(points.x.length).toBeLessThanOrEqual(2 * pixels + 2);
    expect(Math.max(...points.y)).toBe(50);
    for (let i = 1; i < points.x.length; i++) expect(points.x[i]).toBeGreaterThan(points.x[i - 1]);
    for (let pixel = 0; pixel < pixels; pixel += 23) {
      const from = ((n - 1) * pixel) / pixels;
      const to = ((n - 1) * (pixel + 1)) / pixels;
      const raw = Array.from(y.subarray(Math.ceil(from), Math.ceil(to)));
      const shown = Array.from(points.y).filter((_, i) => points.x[i] >= from && points.x[i] < to);
      expect(Math.min(...shown)).toBe(Math.min(...raw));
      expect(Math.max(...shown)).toBe(Math.max(...raw));
    }
  });

  it('zooms: all points when few, neighbours beyond both ends', () => {
    const points = decimate(x, y, { pixels: 500, from: 100.5, to: 110.5 });
    expect(Array.from(points.x)).toEqual([100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111]);
    expect(Array.from(decimate(x, y, { pixels: 10, from: -50, to: -20 }).x)).toEqual([0]);
    expect(Array.from(decimate(x, y, { pixels: 10, from: n + 5, to: n + 9 }).x)).toEqual([n - 1]);
    expect(decimate([], [], { pixels: 100 }).x.length).toBe(0);
    expect(Array.from(decimate([5], [7], { pixels: 100 }).y)).toEqual([7]);
  });

  it('spreads points evenly over a logarithmic axis', () => {
    const points = decimate(x, y, { pixels: 500, logX: true });
    expect(points.x[0]).toBe(1);
    const decade = (a: number) => Array.from(points.x).filter((v) => v >= a && v < 10 * a).length;
    expect(decade(10)).toBe(90);
    expect(decade(1e3)).toBeGreaterThanOrEqual(198);
    expect(decade(1e3)).toBeLessThanOrEqual(202);
    expect(decade(1e4)).toBeGreaterThanOrEqual(198);
  });

  it('turns missing and, on log axes, non-positive values into gaps', () => {
    const values = [1, Number.NaN, Number.NaN, 4, -5, 6, Infinity, 8];
    const steps = values.map((_, i) => i);
    expect(Array.from(decimate(steps, values, { pixels: 8 }).y)).toEqual([1, 4, -5, 6, 8]);
    expect(Array.from(decimate(steps, values, { pixels: 8, logY: true }).y)).toEqual([1, 4, 6, 8]);
    expect(Array.from(decimate(steps, values, { pixels: 8, gaps: true }).y)).toEqual([
      1,
      Number.NaN,
      Number.NaN,
      4,
      -5,
      6,
      Number.NaN,
      8,
    ]);
    expect(decimate(steps, new Array(8).fill(Number.NaN), { pixels: 8 }).x.length).toBe(0);
  });

  it('searches', () => {
    expect([-1, 0, 1.5, 3, 9].map((v) => lowerBound([0, 1, 3, 3], v))).toEqual([0, 0, 2, 2, 4]);
  });

  it('costs far less than sorting the same points', () => {
    const time = (f: () => unknown) => {
      const t = performance.now();
      f();
      return performance.now() - t;
    };
    const runs = (f: () => unknown) => Math.min(...Array.from({ length: 9 }, () => time(f)));
    const sorting = runs(() => y.slice().sort());
    expect(runs(() => decimate(x, y, { pixels: 1000 }))).toBeLessThan(sorting);
    expect(runs(() => decimate(x, y, { pixels: 1000, logX: true }))).toBeLessThan(sorting);
  });
});
