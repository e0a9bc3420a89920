import { describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.js';
import { ksNormal } from '../../src/core/stats/index.js';

describe('Random', () => {
  it('repeats itself for a seed, and differs between seeds and forks', () => {
    const draw = (random: Random) => Array.from({ length: 20 }, () => random.bits());
    expect(draw(new Random(5))).toEqual(draw(new Random(5)));
    const streams = [
      new Random(5),
      new Random(6),
      new Random('5/a'),
      new Random(5).fork('b'),
      new Random(0),
    ].map(draw);
    expect(new Set(streams.map(String)).size).toBe(5);
    expect(draw(new Random(5).fork('a'))).toEqual(draw(new Random('5/a')));
  });

  it('keeps its sequence for ever: runs are repeatable across versions', () => {
    const random = new Random(1);
    expect([random.bits(), random.bits(), random.bits()]).toMatchInlineSnapshot(`
      [
        1415464768,
        1712463209,
        607467710,
      ]
    `);
    expect(random.normal()).toMatchInlineSnapshot(`-1.033103980453454`);
  });

  it('forks without taking numbers from the parent', () => {
    const a = new Random(3);
    const b = new Random(3);
    a.fork('x').normals(10);
    expect(a.bits()).toBe(b.bits());
  });

  it('goes on from a saved state, a spare normal included', () => {
    const random = new Random(8);
    random.normal();
    const state = random.state();
    const expected = Array.from({ length: 7 }, () => random.normal());
    const other = new Random('another');
    other.restore(state);
    expect(Array.from({ length: 7 }, () => other.normal())).toEqual(expected);
  });

  it('is uniform, normal and fair', () => {
    const random = new Random(11);
    const n = 40_000;
    const counts = new Float64Array(10);
    for (let i = 0; i < n; i++) counts[random.integer(10)]++;
    const chi = counts.reduce((s, c) => s + (c - n / 10) ** 2 / (n / 10), 0);
    expect(chi).toBeLessThan(27.9); // 99.9 % of chi squared with 9 degrees of freedom
    let serial = 0;
    let before = random.uniform() - 0.5;
    for (let i = 0; i < n; i++) {
      const now = random.uniform() - 0.5;
      expect(now >= -0.5 && now < 0.5).toBe(true);
      serial += 12 * before * now;
      before = now;
    }
    expect(Math.abs(serial) / Math.sqrt(n)).toBeLessThan(4);
    expect(ksNormal(random.normals(2000, 3), 0, 3).pValue).toBeGreaterThan(0.001);
  });

  it('permutes: every number once, every place equally likely', () => {
    const random = new Random(12);
    const sums = new Float64Array(6);
    for (let round = 0; round < 3000; round++) {
      const p = random.permutation(6);
      expect(new Set(p).size).toBe(6);
      for (let i = 0; i < 6; i++) sums[i] += p[i];
    }
    // Mean 2.5, standard error sqrt(35/12 / 3000) = .031.
    for (const s of sums) expect(Math.abs(s / 3000 - 2.5)).toBeLessThan(0.125);
    expect(Array.from(random.permutation(0))).toEqual([]);
  });
});
