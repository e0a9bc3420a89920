import { describe, expect, it } from 'vitest';
import { principalComponents } from '../../src/core/measures/pca.js';
import { Random } from '../../src/core/random.js';
import type { Snapshot } from '../../src/protocol/records.js';
import { cloudAt, reachOf } from '../../webview/cards/cloud.js';
import { differenceOf } from '../../webview/cards/columns.js';
import { contour } from '../../webview/charts/contours.js';
import { principalPlane } from '../../webview/charts/project.js';
import { histogram } from '../../webview/charts/series.js';
import { linearTicks, logTicks, tickText } from '../../webview/charts/ticks.js';
import { formatNumber, formatPercent } from '../../webview/format.js';

describe('numbers on the charts', () => {
  it('are short, with raised powers of ten', () => {
    expect([0, 1234.56, -0.25, 1e-5, -1e-5, 2.5e7].map((v) => formatNumber(v))).toEqual([
      '0',
      '1235',
      '−0.25',
      '10⁻⁵',
      '−10⁻⁵',
      '2.5\u2009×\u200910⁷',
    ]);
    expect([formatNumber(null), formatNumber(Number.POSITIVE_INFINITY)]).toEqual(['–', '∞']);
    expect([0.0119, 0.97, 279].map(formatPercent)).toEqual(['1.19\u2009%', '97.0\u2009%', '×\u2009279']);
  });

  it('stand at whole powers of ten over decades, at 1, 2, 5 within them, at round steps on linear axes', () => {
    expect(logTicks(2e-8, 300, 6)).toEqual([1e-8, 1e-6, 1e-4, 1e-2, 1, 100].filter((v) => v >= 2e-8));
    expect(logTicks(0.05, 3, 7)).toEqual([0.05, 0.1, 0.2, 0.5, 1, 2]);
    expect(logTicks(0.04, 0.5, 7)).toEqual([0.05, 0.1, 0.2, 0.5]);
    expect(logTicks(1, 2, 6)).toEqual(linearTicks(1, 2, 6));
    expect(linearTicks(0, 500, 6)).toEqual([0, 100, 200, 300, 400, 500]);
    expect(linearTicks(0, 0.3, 4)).toEqual([0, 0.1, 0.2, 0.3]);
    expect([tickText(1e-4, true), tickText(0.01, true), tickText(1000, true)]).toEqual([
      '10⁻⁴',
      '0.01',
      '1000',
    ]);
  });

  it('are counted into bins of equal width, the last one closed', () => {
    const { counts } = histogram([0, 0.1, 0.5, 0.99, 1, 2], 0, 1, 2);
    expect(Array.from(counts)).toEqual([2, 3]);
  });
});

describe('paths and landscapes', () => {
  it('are projected as the principal components of core are, up to signs', () => {
    const random = new Random(4);
    const [n, d] = [7, 30];
    const rows = Array.from({ length: n }, (_, i) =>
      random.normals(d).map((v, j) => 0.1 * v + i * Math.sin(j) + i * i * 0.2 * Math.cos(2 * j)),
    );
    const data = new Float64Array(rows.flatMap((row) => Array.from(row)));
    const core = principalComponents({ rows: n, cols: d, data }, 2);
    const mine = principalPlane(rows);
    for (let i = 0; i < 2 * n; i++)
      expect(Math.abs(mine?.scores[i] ?? Number.NaN)).toBeCloseTo(Math.abs(core.scores.data[i]), 6);
    expect(mine?.shares[0]).toBeCloseTo(core.variances[0] / core.total, 8);
    expect(principalPlane(rows.slice(0, 2))).toBeNull();
    expect(principalPlane([rows[0], rows[0], rows[0]])).toBeNull();
  });

  it('have contour lines where the value is that of the level', () => {
    const side = 21;
    const values = Float64Array.from({ length: side * side }, (_, i) =>
      Math.hypot((i % side) - 10, Math.floor(i / side) - 10),
    );
    const pieces = contour({ columns: side, rows: side, values }, 6);
    expect(pieces.length).toBeGreaterThan(4 * 20);
    for (let p = 0; p < pieces.length; p += 2)
      expect(Math.abs(Math.hypot(pieces[p] - 10, pieces[p + 1] - 10) - 6)).toBeLessThan(0.06);
  });
});

describe('particles between two measurements', () => {
  const at = (step: number, x: number): Snapshot => ({
    kind: 'snapshot',
    name: 'particles',
    step,
    time: step,
    shape: [2, 3],
    data: Float32Array.from([x, 0, 1, 0, x, -1]),
  });
  const all = [at(0, 0), at(3, 1), at(15, 3)];

  it('lie on the straight line in the logarithm of the step, and rest at both ends', () => {
    // log 2 is half of log 4: step 1 is half way from 0 to 3; log 8 lies half way from log 4 to log 16.
    expect(cloudAt(all, 1, null)?.data[0]).toBeCloseTo(0.5, 6);
    expect(cloudAt(all, 7, null)?.data[0]).toBeCloseTo(2, 6);
    expect(cloudAt(all, null, null)?.data).toBe(all[2].data);
    expect(cloudAt(all, 3, null)?.data).toBe(all[1].data);
    expect(cloudAt([], 1, null)).toBeNull();
  });

  it('span axes that single runaways do not stretch', () => {
    const data = new Float32Array(3000);
    for (let j = 0; j < 1000; j++) data.set([j === 0 ? 1e6 : 1, 0, j === 1 ? 1e6 : 2], 3 * j);
    expect(reachOf({ ...all[0], shape: [1000, 3], data })).toEqual({ theta: 1, u: 2 });
  });
});

describe('the difference of two runs', () => {
  it('is taken at common steps, and between them on a line', () => {
    const reference = { step: Float64Array.of(0, 10, 20), values: Float64Array.of(4, 2, 1) };
    const column = { step: Float64Array.of(0, 5, 10, 30), values: Float64Array.of(5, 5, 5, 5) };
    expect(Array.from(differenceOf(column, reference))).toEqual([1, 2, 3, Number.NaN]);
  });
});
