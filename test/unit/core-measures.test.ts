import { describe, expect, it } from 'vitest';
import { spectral } from '../../src/core/linalg/eigen.js';
import { type Matrix, matrix, matrixFrom } from '../../src/core/linalg/matrix.js';
import { gram, identity, matmul, trace, transpose } from '../../src/core/linalg/ops.js';
import {
  alignment,
  anglesToRays,
  centre,
  centredAlignment,
  effectiveNeurons,
  freeEnergy,
  importance,
  interpolateNeurons,
  inverseForm,
  inverseFormFromSpectrum,
  kernelVelocity,
  labelComplexity,
  mixNeurons,
  type Neurons,
  nearestNeighbourEntropy,
  principalComponents,
  relativeDrift,
  resampleByWeight,
  resampleUniformly,
  shuffleLabels,
  slicedWasserstein,
  targetAlignment,
  targetCost,
} from '../../src/core/measures/index.js';
import { Random } from '../../src/core/random.js';

const normal = (rows: number, cols: number, seed: number, shift = 0, scale = 1): Matrix =>
  matrix(
    rows,
    cols,
    new Random(seed).normals(rows * cols, scale).map((v) => v + shift),
  );

describe('sliced Wasserstein distance', () => {
  it('is exact on a line, with weights and different sizes', () => {
    // Half of the mass at 0 moves by 0, half of it at 0 moves to 2: W2^2 = 2.
    const a = matrixFrom(1, 1, [0]);
    const b = matrixFrom(3, 1, [2, 0, 2]);
    expect(slicedWasserstein(a, b, { weightsB: [1, 2, 1] })).toBeCloseTo(Math.SQRT2, 14);
    expect(slicedWasserstein(b, a, { weightsA: [1, 2, 1] })).toBeCloseTo(Math.SQRT2, 14);
    const repeated = matrixFrom(4, 1, [2, 0, 2, 0]);
    expect(slicedWasserstein(repeated, b, { weightsB: [1, 2, 1] })).toBeCloseTo(0, 14);
  });

  it('is the distance over sqrt(d) for a shift, and a metric', () => {
    const a = normal(300, 3, 1);
    const shifted = matrix(
      300,
      3,
      a.data.map((v, i) => v + (i % 3 === 0 ? 2 : 0)),
    );
    // Mean of (2 w_1)^2 over the sphere is 4 / 3.
    expect(slicedWasserstein(a, shifted, { directions: 1000 })).toBeCloseTo(Math.sqrt(4 / 3), 1);
    expect(slicedWasserstein(a, a)).toBe(0);
    const b = normal(200, 3, 2, 0.3);
    const c = normal(250, 3, 3, -0.4, 2);
    const ab = slicedWasserstein(a, b);
    const bc = slicedWasserstein(b, c);
    const ac = slicedWasserstein(a, c);
    expect(slicedWasserstein(b, a)).toBeCloseTo(ab, 12);
    expect(ac).toBeLessThanOrEqual(ab + bc);
    expect(slicedWasserstein(a, b, { seed: 9 })).not.toBe(ab);
  });

  it('does not depend on the order of the particles, and refuses what does not fit', () => {
    const a = normal(50, 2, 4);
    const order = new Random(1).permutation(50);
    const mixed = matrix(50, 2);
    order.forEach((from, to) => {
      mixed.data.set(a.data.subarray(2 * from, 2 * from + 2), 2 * to);
    });
    expect(slicedWasserstein(a, mixed)).toBeLessThan(1e-7);
    expect(() => slicedWasserstein(a, normal(5, 3, 1))).toThrow('2 and 3 coordinates');
    expect(() => slicedWasserstein(a, matrix(0, 2))).toThrow('without particles');
    expect(() => slicedWasserstein(a, a, { weightsA: [1] })).toThrow('50 particles, but 1 weights');
  });
});

describe('entropy and free energy', () => {
  it('meets the entropy of known densities', () => {
    const gauss = (d: number, s: number) => (d / 2) * Math.log(2 * Math.PI * Math.E * s * s);
    expect(Math.abs(nearestNeighbourEntropy(normal(2000, 2, 5)) - gauss(2, 1))).toBeLessThan(0.1);
    expect(Math.abs(nearestNeighbourEntropy(normal(2000, 3, 6, 1, 0.2)) - gauss(3, 0.2))).toBeLessThan(0.15);
    const uniform = matrix(2000, 1);
    const random = new Random(7);
    for (let i = 0; i < 2000; i++) uniform.data[i] = 4 * random.uniform();
    expect(Math.abs(nearestNeighbourEntropy(uniform, 5) - Math.log(4))).toBeLessThan(0.08);
  });

  it('moves by d log s under scaling by s, and knows coinciding points', () => {
    const a = normal(200, 3, 8);
    const b = matrix(
      200,
      3,
      a.data.map((v) => 5 * v),
    );
    expect(nearestNeighbourEntropy(b) - nearestNeighbourEntropy(a)).toBeCloseTo(3 * Math.log(5), 10);
    expect(nearestNeighbourEntropy(matrix(10, 2))).toBe(-Infinity);
    expect(() => nearestNeighbourEntropy(matrix(3, 2), 3)).toThrow('between 1 and 2, not 3');
    expect(freeEnergy(2, 0.5, 3)).toBe(0.5);
    expect(freeEnergy(2, 0, -Infinity)).toBe(2);
  });
});

describe('neurons', () => {
  it('counts effective neurons and weighs importance', () => {
    expect(effectiveNeurons([2, 2, 2, 0])).toBe(3);
    const u = matrixFrom(3, 2, [3, 4, 1, 0, 0, 0]);
    const h = matrixFrom(2, 3, [1, 5, 2, 3, 5, 0]);
    expect(Array.from(importance(u, h))).toEqual([5, 0, 0]);
    expect(() => importance(u, matrix(2, 4))).toThrow('3 output weights, but activations of 4');
  });

  it('resamples without bias', () => {
    const random = new Random(3);
    const weights = [0, 1, 5, 0.5, 3.5];
    const values = [9, -2, 4, 8, 1];
    const truth = (-2 + 4 + 8 + 1) / 5; // the neuron of weight 0 is lost
    const count = 60_000;
    const { indices, factors } = resampleByWeight(weights, count, random);
    let s = 0;
    const seen = new Float64Array(5);
    indices.forEach((j, i) => {
      s += (factors[i] * values[j]) / count;
      seen[j]++;
    });
    expect(s).toBeCloseTo(truth, 1);
    expect(seen[0]).toBe(0);
    expect(Math.abs(seen[2] / count - 0.5)).toBeLessThan(0.01);
    const subset = resampleUniformly(40, 10, random);
    expect(new Set(subset.indices).size).toBe(10);
    expect(resampleUniformly(3, 10, random).indices.every((j) => j < 3)).toBe(true);
    expect(() => resampleByWeight([0, 0], 1, random)).toThrow('add up to 0');
  });

  const output = ({ theta, u }: Neurons, x: readonly number[]) => {
    const h = matmul(theta, matrixFrom(x.length, 1, x)).data.map(Math.tanh);
    return matmul(transpose(u), matrix(h.length, 1, h)).data.map((v) => v / u.rows);
  };

  it('mixes distributions linearly in the output; parameter paths meet their ends', () => {
    const a = { theta: normal(30, 4, 1), u: normal(30, 2, 2) };
    const b = { theta: normal(50, 4, 3), u: normal(50, 2, 4) };
    const x = [0.3, -1, 2, 0.1];
    const mixed = output(mixNeurons(a, b, 0.3), x);
    const fa = output(a, x);
    const fb = output(b, x);
    mixed.forEach((value, o) => {
      expect(value).toBeCloseTo(0.7 * fa[o] + 0.3 * fb[o], 13);
    });
    const c = { theta: normal(30, 4, 5), u: normal(30, 2, 6) };
    expect(interpolateNeurons(a, c, 0)).toEqual(a);
    expect(interpolateNeurons(a, c, 1)).toEqual(c);
    expect(() => interpolateNeurons(a, b, 0.5)).toThrow('not 30 and 50');
  });

  it('measures angles to rays, small ones exactly', () => {
    const rays = matrixFrom(2, 2, [2, 0, 0, 7]);
    const theta = matrixFrom(4, 2, [5, 5e-9, -1, 1, -3, 0, 0, 0]);
    const { angle, nearest } = anglesToRays(theta, rays);
    expect(angle[0]).toBeCloseTo(1e-9, 20);
    expect(angle[1]).toBeCloseTo(Math.PI / 4, 14);
    expect(angle[2]).toBeCloseTo(Math.PI / 2, 14);
    expect(angle[3]).toBe(Math.PI / 2);
    expect(Array.from(nearest.slice(0, 3))).toEqual([0, 1, 1]);
  });

  it('finds principal components, from either side', () => {
    const base = normal(60, 2, 9);
    const directions = matrixFrom(2, 5, [3, 0, 0, 0, 4, 0, 0.1, 0, 0, 0]);
    const x = matmul(base, directions);
    for (let i = 0; i < x.data.length; i++) x.data[i] += 2;
    const tall = principalComponents(x, 3);
    expect(Math.abs(tall.components.data[0] * 0.6 + tall.components.data[4] * 0.8)).toBeCloseTo(1, 3);
    expect(tall.variances[2]).toBeLessThan(1e-12);
    expect(tall.total).toBeCloseTo(tall.variances[0] + tall.variances[1], 10);
    const wide = principalComponents(matrix(4, 5, x.data.slice(0, 20)), 2);
    const rebuilt = matmul(wide.scores, wide.components);
    for (let i = 0; i < 20; i++) expect(rebuilt.data[i] + wide.mean[i % 5]).toBeCloseTo(x.data[i], 10);
    expect(gram(wide.components).data[1]).toBeCloseTo(0, 10);
  });
});

describe('shuffled labels', () => {
  it('moves whole rows of the stated share, and keeps all values', () => {
    const y = matrixFrom(
      40,
      2,
      Array.from({ length: 80 }, (_, i) => i),
    );
    for (const share of [0, 0.5, 1]) {
      const out = shuffleLabels(y, share, new Random(1));
      const firsts = Array.from({ length: 40 }, (_, i) => out.data[2 * i]);
      const moved = firsts.filter((v, i) => v !== 2 * i).length;
      expect(moved).toBeLessThanOrEqual(40 * share);
      if (share > 0) expect(moved).toBeGreaterThan(30 * share);
      expect(firsts.every((v, i) => out.data[2 * i + 1] === v + 1)).toBe(true);
      expect([...firsts].sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => 2 * i));
    }
  });
});

describe('kernel measures', () => {
  const y = normal(30, 1, 11);
  const k = gram(normal(30, 60, 12));

  it('aligns', () => {
    expect(targetAlignment(gram(y), y)).toBeCloseTo(1, 14);
    expect(
      alignment(
        k,
        matrix(
          30,
          30,
          k.data.map((v) => 7 * v),
        ),
      ),
    ).toBeCloseTo(1, 14);
    expect(alignment(identity(4), matrixFrom(4, 4, new Array(16).fill(1)))).toBeCloseTo(0.5, 14);
    const shifted = matrix(
      30,
      30,
      k.data.map((v) => v + 100),
    );
    expect(centredAlignment(k, shifted)).toBeCloseTo(1, 10);
    expect(alignment(k, shifted)).toBeLessThan(0.9);
    expect(targetAlignment(gram(y), y, true)).toBeCloseTo(1, 12);
    const c = centre(shifted);
    for (let i = 0; i < 30; i++)
      expect(matmul(c, matrixFrom(30, 1, new Array(30).fill(1))).data[i]).toBeCloseTo(0, 8);
  });

  it('drifts', () => {
    expect(
      relativeDrift(
        matrix(
          30,
          30,
          k.data.map((v) => 1.25 * v),
        ),
        k,
      ),
    ).toBeCloseTo(0.25, 14);
    expect(kernelVelocity(identity(2), matrixFrom(2, 2, [1, 0, 0, 0]), 2)).toBeCloseTo(
      (1 - Math.SQRT1_2) / 2,
      14,
    );
    expect(() => kernelVelocity(k, k, 0)).toThrow('must be positive');
  });

  it('prices targets: inverse forms agree, scale drops out of C(y)', () => {
    const form = inverseForm(k, y, { ridge: 0.5 });
    const { values, energy } = spectral(k, y);
    expect(form.ridge).toBe(0.5);
    expect(form.value).toBeCloseTo(inverseFormFromSpectrum(values, energy, 0.5), 8);
    expect(targetCost(identity(30), y).value).toBeCloseTo(1, 12);
    const scaled = matrix(
      30,
      30,
      k.data.map((v) => 100 * v),
    );
    expect(targetCost(scaled, y).value / targetCost(k, y).value).toBeCloseTo(1, 8);
    expect(labelComplexity(k, y).value / labelComplexity(scaled, y).value).toBeCloseTo(10, 8);
    const normalised = labelComplexity(k, y, { traceNormalised: true });
    expect(normalised.value).toBeCloseTo(labelComplexity(scaled, y, { traceNormalised: true }).value, 8);
    expect(normalised.value ** 2 / 2).toBeCloseTo(((trace(k) / 30) * inverseForm(k, y).value) / 30, 8);
    expect(() => targetCost(gram(normal(30, 4, 1)), y)).toThrow('Add a ridge');
  });
});
