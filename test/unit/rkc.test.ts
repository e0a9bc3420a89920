import { describe, expect, it } from 'vitest';
import { KrylovPropagator } from '../../src/core/dynamics/krylovPropagator.js';
import { rkcFactor, rkcStages, type Stage, stagesFor } from '../../src/core/dynamics/rkc.js';
import { eigh } from '../../src/core/linalg/eigen.js';
import { matrix } from '../../src/core/linalg/matrix.js';
import { matmul, multiplyVector, transpose } from '../../src/core/linalg/ops.js';
import { Random } from '../../src/core/random.js';

/** One step of y' = slope(y), as the stages say. */
function step(y: number, h: number, stages: readonly Stage[], slope: (y: number) => number): number {
  const first = slope(y);
  let [before, last] = [0, y];
  for (const s of stages) {
    const next =
      s.start * y + s.last * last + s.before * before + h * (s.slope * slope(last) + s.first * first);
    [before, last] = [last, next];
  }
  return last;
}

describe('a Runge-Kutta-Chebyshev step', () => {
  it('leaves no mode larger than it was, as far as it reaches', () => {
    for (const s of [2, 3, 5, 12, 60]) {
      const stages = rkcStages(s);
      const far = 0.653 * (s * s - 1);
      for (let x = 0; x <= far; x += far / 997)
        expect(Math.abs(rkcFactor(stages, x))).toBeLessThanOrEqual(1 + 1e-12);
      expect(Math.abs(rkcFactor(stages, 1.2 * far))).toBeGreaterThan(1);
      expect(stagesFor(far)).toBe(s);
      expect(stagesFor(far * 1.001)).toBe(s + 1);
    }
    expect(() => rkcStages(1)).toThrow(RangeError);
  });

  it('agrees with the exponential to second order', () => {
    for (const s of [2, 7, 30])
      for (const x of [1e-2, 5e-3]) {
        const off = rkcFactor(rkcStages(s), x) - Math.exp(-x);
        expect(Math.abs(off)).toBeLessThan(x ** 3);
      }
  });

  it('is of second order where the slope is no line', () => {
    const error = (steps: number) => {
      let y = 1;
      for (let k = 0; k < steps; k++) y = step(y, 1 / steps, rkcStages(5), (v) => -v * v);
      return Math.abs(y - 1 / 2);
    };
    const ratio = error(8) / error(16);
    expect(ratio).toBeGreaterThan(3.5);
    expect(ratio).toBeLessThan(4.6);
  });

  it('takes a mode by the share that is told', () => {
    const stages = rkcStages(9);
    for (const x of [0.1, 4, 40])
      expect(step(1, 1, stages, (v) => -x * v)).toBeCloseTo(rkcFactor(stages, x), 10);
  });
});

describe('propagation in a Krylov space', () => {
  const n = 30;
  const random = new Random('krylov');
  const a = matrix(n, n, random.fork('a').normals(n * n));
  const kernel = matmul(a, transpose(a));
  const r = random.fork('r').normals(n);
  const modes = eigh(kernel);
  const top = modes.values[0];
  const places = Array.from({ length: n }, (_, i) => i);
  /** p(A) r by all eigenvectors. */
  const exact = (p: (v: number) => number): number[] =>
    places.map((i) => {
      let sum = 0;
      for (let k = 0; k < n; k++) {
        let c = 0;
        for (let j = 0; j < n; j++) c += modes.vectors.data[k * n + j] * r[j];
        sum += p(modes.values[k]) * c * modes.vectors.data[k * n + i];
      }
      return sum;
    });
  const times = (x: Float64Array) => multiplyVector(kernel, x);

  it('is that of the whole matrix for polynomials below its size', () => {
    const propagator = new KrylovPropagator(times, r, 12);
    expect(propagator.values).toHaveLength(12);
    for (let i = 0; i < n; i++) expect(propagator.at(places)[i]).toBeCloseTo(r[i], 10);
    const factor = (v: number) => 1 - v / top;
    for (let k = 0; k < 11; k++) propagator.take(factor);
    const expected = exact((v) => factor(v) ** 11);
    for (const [i, value] of propagator.at(places).entries()) expect(value).toBeCloseTo(expected[i], 8);
    expect(propagator.at([7, 3])).toEqual(
      Float64Array.of(propagator.at(places)[7], propagator.at(places)[3]),
    );
  });

  it('holds for many steps too, and for nothing', () => {
    const propagator = new KrylovPropagator(times, r, 40);
    const share = (v: number) => rkcFactor(rkcStages(40), (800 * v) / top);
    propagator.take(share);
    const expected = exact(share);
    for (const [i, value] of propagator.at(places).entries()) expect(value).toBeCloseTo(expected[i], 6);
    const nothing = new KrylovPropagator(times, new Float64Array(n), 5);
    expect(nothing.at([0, 1])).toEqual(new Float64Array(2));
  });
});
