import { describe, expect, it } from 'vitest';
import { KrylovCourse } from '../../src/core/dynamics/krylovCourse.js';
import {
  type Stage,
  stabilisedShare,
  stabilisedStep,
  stagesFor,
} from '../../src/core/dynamics/stabilised.js';
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

describe('a stabilised step', () => {
  it('leaves no mode larger than it was, as far as it reaches', () => {
    for (const s of [2, 3, 5, 12, 60]) {
      const stages = stabilisedStep(s);
      const far = 0.653 * (s * s - 1);
      for (let x = 0; x <= far; x += far / 997)
        expect(Math.abs(stabilisedShare(stages, x))).toBeLessThanOrEqual(1 + 1e-12);
      expect(Math.abs(stabilisedShare(stages, 1.2 * far))).toBeGreaterThan(1);
      expect(stagesFor(far)).toBe(s);
      expect(stagesFor(far * 1.001)).toBe(s + 1);
    }
    expect(() => stabilisedStep(1)).toThrow(RangeError);
  });

  it('agrees with the exponential to second order', () => {
    for (const s of [2, 7, 30])
      for (const x of [1e-2, 5e-3]) {
        const off = stabilisedShare(stabilisedStep(s), x) - Math.exp(-x);
        expect(Math.abs(off)).toBeLessThan(x ** 3);
      }
  });

  it('is of second order where the slope is no line', () => {
    const error = (steps: number) => {
      let y = 1;
      for (let k = 0; k < steps; k++) y = step(y, 1 / steps, stabilisedStep(5), (v) => -v * v);
      return Math.abs(y - 1 / 2);
    };
    const ratio = error(8) / error(16);
    expect(ratio).toBeGreaterThan(3.5);
    expect(ratio).toBeLessThan(4.6);
  });

  it('takes a mode by the share that is told', () => {
    const stages = stabilisedStep(9);
    for (const x of [0.1, 4, 40])
      expect(step(1, 1, stages, (v) => -x * v)).toBeCloseTo(stabilisedShare(stages, x), 10);
  });
});

describe('a course in a Krylov space', () => {
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
    const course = new KrylovCourse(times, r, 12);
    expect(course.values).toHaveLength(12);
    for (let i = 0; i < n; i++) expect(course.at(places)[i]).toBeCloseTo(r[i], 10);
    const factor = (v: number) => 1 - v / top;
    for (let k = 0; k < 11; k++) course.take(factor);
    const expected = exact((v) => factor(v) ** 11);
    for (const [i, value] of course.at(places).entries()) expect(value).toBeCloseTo(expected[i], 8);
    expect(course.at([7, 3])).toEqual(Float64Array.of(course.at(places)[7], course.at(places)[3]));
  });

  it('holds for long courses too, and for nothing', () => {
    const course = new KrylovCourse(times, r, 40);
    const share = (v: number) => stabilisedShare(stabilisedStep(40), (800 * v) / top);
    course.take(share);
    const expected = exact(share);
    for (const [i, value] of course.at(places).entries()) expect(value).toBeCloseTo(expected[i], 6);
    const nothing = new KrylovCourse(times, new Float64Array(n), 5);
    expect(nothing.at([0, 1])).toEqual(new Float64Array(2));
  });
});
