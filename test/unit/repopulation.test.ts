import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { matrix, matrixFrom } from '../../src/core/linalg/matrix.js';
import { effectiveNeurons, importance } from '../../src/core/measures/index.js';
import { Random } from '../../src/core/random.js';
import type { TwoLayerModel } from '../../src/experiment/definition.js';
import { type BuiltModel, buildModel } from '../../src/network/models/build.js';
import { activationsOf, neuronsOf, writeNeurons } from '../../src/network/models/neurons.js';
import {
  drawNeurons,
  featureDeviations,
  neuronImportance,
  writeFeatures,
} from '../../src/network/models/repopulation.js';
import * as tf from '../../src/network/tf.js';
import { NeuronMovement, Stepper } from '../../src/network/training/index.js';
import { PathLinearisation } from '../../src/network/training/twin/pathLinearisation.js';
import { backendsUnderTest, startBackend } from '../helpers/backend.js';

const build = (width: number, more: Partial<TwoLayerModel> = {}, seed = 1): BuiltModel =>
  buildModel(
    {
      kind: 'twoLayer',
      width,
      activation: 'tanh',
      scale: 'mean-field',
      init: 'gaussian',
      thetaStart: 'inverse-dimension',
      bias: false,
      train: 'all',
      ...more,
    },
    { inputShape: [5], outputs: 2, seed },
  );
const inputs = (n: number, seed = 7): tf.Tensor2D =>
  tf.tensor2d(Float32Array.from(new Random(seed).normals(n * 5)), [n, 5]);
const outputsOf = ({ model }: BuiltModel, x: tf.Tensor): number[] =>
  Array.from(tf.tidy(() => (model.apply(x) as tf.Tensor).dataSync().slice()) as Float32Array);
const largest = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a, (v, i) => Math.abs(v - b[i])));

describe.each(backendsUnderTest)('repopulation on %s', (backend) => {
  beforeAll(() => startBackend(backend));
  afterAll(() => tf.disposeVariables());

  it('measures importance as the core does, whatever the number of inputs', () => {
    const built = build(30);
    for (const n of [10, 256, 700]) {
      const x = inputs(n);
      const expected = importance(neuronsOf(built).u, activationsOf(built, x));
      expect(largest(neuronImportance(built, x), expected)).toBeLessThan(2e-6);
      x.dispose();
    }
  });

  it('gives a neuron without spread or without readout no importance', () => {
    const built = build(4);
    const { theta, u } = neuronsOf(built);
    theta.data.fill(0, 0, 5);
    u.data.fill(0, 2, 4);
    writeNeurons(built, { theta, u });
    const x = inputs(100);
    const weights = neuronImportance(built, x);
    expect(weights[0]).toBe(0);
    expect(weights[1]).toBe(0);
    expect(featureDeviations(built, x)[1]).toBeGreaterThan(0.1);
    expect(effectiveNeurons(weights)).toBeLessThanOrEqual(2);
    // The draw never takes them, the uniform one does.
    const drawn = drawNeurons(built, 200, 'importance', x, new Random(1));
    for (let i = 0; i < 200; i++) expect(drawn.theta.data[5 * i]).not.toBe(0);
    const uniform = drawNeurons(built, 4, 'uniform', x, new Random(1));
    expect(Array.from({ length: 4 }, (_, i) => uniform.theta.data[5 * i])).toContain(0);
    x.dispose();
  });

  it.each(['importance', 'uniform'] as const)('draws by %s without bias', (by) => {
    const built = build(60, { scale: 7 });
    const x = inputs(20);
    const whole = outputsOf(built, x);
    const mean = new Float64Array(whole.length);
    const draws = 400;
    const small = build(30, { scale: 7 }, 2);
    for (let seed = 0; seed < draws; seed++) {
      writeNeurons(small, drawNeurons(built, 30, by, x, new Random(seed)));
      for (const [i, v] of outputsOf(small, x).entries()) mean[i] += v / draws;
    }
    // One draw scatters by about alpha / sqrt(30); the mean of all by twenty times less.
    expect(largest(mean, whole)).toBeLessThan((5 * 7) / Math.sqrt(30 * draws));
    x.dispose();
  });

  it('goes on training on given features, which stay when the readout alone moves', () => {
    const source = build(80, {}, 3);
    const x = inputs(50);
    const y = tf.tidy(() => tf.tanh(tf.slice(x, [0, 0], [50, 2]))) as tf.Tensor2D;
    const drawn = drawNeurons(source, 20, 'importance', x, new Random(1));
    const built = build(20, { train: 'readout', scale: 'ntk' }, 4);
    const readout = neuronsOf(built).u;
    writeFeatures(built, drawn);
    expect([...neuronsOf(built).u.data]).toEqual([...readout.data]);
    const stepper = new Stepper(
      built,
      { loss: 'mse', optimizer: { kind: 'sgd', learningRate: 0.5 }, seed: 1 },
      0.5,
    );
    const before = stepper.loss(x, y);
    for (let i = 0; i < 50; i++) stepper.step(x, y).dispose();
    expect(stepper.loss(x, y)).toBeLessThan(0.7 * before);
    expect(largest(neuronsOf(built).theta.data, drawn.theta.data)).toBe(0);
    stepper.dispose();
    tf.dispose([x, y]);
  });

  it('refuses neurons of other sizes, and models that are no two-layer networks', () => {
    const built = build(8);
    expect(() => writeFeatures(built, { theta: matrix(7, 5) })).toThrow('do not fit');
    const plain = {
      model: tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [5] })] }),
      rates: {},
    };
    const x = inputs(3);
    expect(() => featureDeviations(plain, x)).toThrow('two-layer network');
    expect(() => new NeuronMovement(plain)).toThrow('two-layer network');
    expect(() => new PathLinearisation(plain)).toThrow('two-layer network');
    x.dispose();
  });
});

describe.each(backendsUnderTest)('linearisation along the path on %s', (backend) => {
  beforeAll(() => startBackend(backend));
  afterAll(() => tf.disposeVariables());

  const moved = (size: number, inReadout = size) => {
    const built = build(16, { scale: 'ntk' });
    const linear = new PathLinearisation(built);
    const movement = new NeuronMovement(built);
    const { theta, u } = neuronsOf(built);
    const step = new Random(5);
    writeNeurons(built, {
      theta: matrixFrom(
        16,
        5,
        theta.data.map((v) => v + size * step.normal()),
      ),
      u: matrixFrom(
        16,
        2,
        u.data.map((v) => v + inReadout * step.normal()),
      ),
    });
    return { built, linear, movement };
  };

  it('is exact at the start and of second order along the path', () => {
    const x = inputs(12);
    const errors = [0, 0.05, 0.1].map((size) => {
      const { built, linear } = moved(size);
      const f = linear.predict(x, 'start');
      const error = largest(f.dataSync(), outputsOf(built, x));
      f.dispose();
      linear.dispose();
      return error;
    });
    expect(errors[0]).toBeLessThan(1e-6);
    expect(errors[1]).toBeGreaterThan(1e-5);
    expect(errors[2] / errors[1]).toBeGreaterThan(3);
    expect(errors[2] / errors[1]).toBeLessThan(5);
    x.dispose();
  });

  it('differs between the two readouts by the product of both displacements alone', () => {
    const x = inputs(12);
    const predictions = (theta: number, u: number) => {
      const { built, linear } = moved(theta, u);
      const [start, present] = (['start', 'present'] as const).map((taken) => {
        const f = linear.predict(x, taken);
        const values = f.dataSync().slice();
        f.dispose();
        return values;
      });
      linear.dispose();
      return { start, present, outputs: outputsOf(built, x) };
    };
    const onlyTheta = predictions(0.1, 0);
    expect(largest(onlyTheta.start, onlyTheta.present)).toBe(0);
    expect(largest(onlyTheta.start, onlyTheta.outputs)).toBeGreaterThan(1e-4);
    const onlyU = predictions(0, 0.1);
    expect(largest(onlyU.start, onlyU.present)).toBe(0);
    // The network is linear in u.
    expect(largest(onlyU.start, onlyU.outputs)).toBeLessThan(1e-6);
    const gap = (size: number) => {
      const { start, present } = predictions(size, size);
      return largest(start, present);
    };
    expect(gap(0.1) / gap(0.05)).toBeCloseTo(4, 2);
    x.dispose();
  });

  it('measures how far neurons are from their start', () => {
    const { built, movement } = moved(0);
    expect(movement.now()).toEqual({ theta: 0, u: 0 });
    const { theta, u } = neuronsOf(built);
    // Every theta_j moves by 3 along one axis and 4 along another, every second u_j by 1.
    writeNeurons(built, {
      theta: matrixFrom(
        16,
        5,
        theta.data.map((v, i) => v + (i % 5 === 0 ? 3 : i % 5 === 2 ? 4 : 0)),
      ),
      u: matrixFrom(
        16,
        2,
        u.data.map((v, i) => v + (i % 4 === 0 ? 1 : 0)),
      ),
    });
    expect(movement.now().theta).toBeCloseTo(5, 5);
    expect(movement.now().u).toBeCloseTo(0.5, 6);
    movement.dispose();
  });
});
