import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.js';
import {
  activationNames,
  type MlpModel,
  type ParameterizationName,
  type TwoLayerModel,
} from '../../src/experiment/definition.js';
import { activations } from '../../src/network/models/activations.js';
import { alphaOf, type BuiltModel, buildModel } from '../../src/network/models/build.js';
import type { ScaledDense } from '../../src/network/models/layers.js';
import * as tf from '../../src/network/tf.js';
import { gradientFunction } from '../../src/network/training/loop/gradient.js';
import { backendsUnderTest, startBackend } from '../helpers/backend.js';

const mlp = (more: Partial<MlpModel> = {}): MlpModel => ({
  kind: 'mlp',
  hidden: [64, 64],
  activation: 'tanh',
  parameterization: 'ntk',
  sigmaW: 1.5,
  sigmaB: 0.5,
  bias: true,
  init: 'gaussian',
  train: 'all',
  ...more,
});
const twoLayer = (more: Partial<TwoLayerModel> = {}): TwoLayerModel => ({
  kind: 'twoLayer',
  width: 64,
  activation: 'tanh',
  scale: 'ntk',
  init: 'gaussian',
  thetaStart: 'inverse-dimension',
  bias: false,
  train: 'all',
  ...more,
});
const inputs = (n: number, d: number): tf.Tensor2D =>
  tf.tensor2d(Float32Array.from(new Random(7).normals(n * d)), [n, d]);
const outputsOf = ({ model }: BuiltModel, x: tf.Tensor): Float32Array =>
  tf.tidy(() => (model.predict(x) as tf.Tensor).dataSync().slice()) as Float32Array;
const meanSquare = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] ** 2;
  return sum / values.length;
};
const dense = ({ model }: BuiltModel, name: string): ScaledDense => model.getLayer(name) as ScaledDense;
const weights = (built: BuiltModel, name: string, which = 0): Float32Array =>
  dense(built, name).getWeights()[which].dataSync() as Float32Array;

describe.each(backendsUnderTest)('models on %s', (backend) => {
  beforeAll(() => startBackend(backend));
  afterAll(() => tf.disposeVariables());

  /** Pairs cancel to the bit on wasm; the native products sum in another order, and leave rounding. */
  function expectZero(build: (init: 'symmetric' | 'gaussian') => BuiltModel, x: tf.Tensor): void {
    const largest = (f: Float32Array) => f.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    const [zero, plain] = (['symmetric', 'gaussian'] as const).map((init) =>
      largest(outputsOf(build(init), x)),
    );
    if (backend === 'native') expect(zero).toBeLessThan(1e-6 * plain);
    else expect(zero).toBe(0);
  }

  it.each(['ntk', 'mean-field', 'standard', 'm^0.3', 7] as const)(
    'starts symmetrised at 0 under scale %s',
    (scale) => {
      const context = { inputShape: [10], outputs: 3, seed: 2 };
      for (const width of [2, 50, 1000])
        expectZero(
          (init) => buildModel(twoLayer({ width, scale, init, bias: true }), context),
          inputs(9, 10),
        );
    },
  );

  it.each(['ntk', 'standard', 'mean-field', 'maximal-update'] as const)(
    'starts deep networks at 0 under %s',
    (parameterization) => {
      const context = { inputShape: [4], outputs: 2, seed: 5 };
      expectZero(
        (init) => buildModel(mlp({ parameterization, init, hidden: [30, 256] }), context),
        inputs(7, 4),
      );
    },
  );

  it('leaves a symmetrised start unsymmetrised, and alpha wrong, when sabotaged', () => {
    const x = inputs(5, 4);
    const start = (
      sabotage?: 'unsymmetrised-start' | 'wrong-alpha',
      init: 'gaussian' | 'symmetric' = 'gaussian',
    ) => outputsOf(buildModel(twoLayer({ init }), { inputShape: [4], outputs: 1, seed: 3, sabotage }), x);
    expect(start('unsymmetrised-start', 'symmetric').some((v) => v !== 0)).toBe(true);
    expect(start('wrong-alpha')[0] / start()[0]).not.toBeCloseTo(1, 2);
  });

  it('draws theta and u with the variances that the scale asks for', () => {
    const width = 4000;
    for (const scale of ['ntk', 'mean-field', 'standard'] as const) {
      const built = buildModel(twoLayer({ width, scale }), { inputShape: [8], outputs: 1, seed: 11 });
      expect(meanSquare(weights(built, 'features')) * 8).toBeCloseTo(1, 1);
      const readout = dense(built, 'readout');
      const effective = meanSquare(weights(built, 'readout')) * readout.factor ** 2;
      expect((effective * width ** 2) / alphaOf(scale, width) ** 2).toBeCloseTo(1, 1);
      expect(readout.factor === 1).toBe(scale === 'standard');
    }
    const unit = buildModel(twoLayer({ width, thetaStart: 'unit' }), {
      inputShape: [8],
      outputs: 1,
      seed: 11,
    });
    expect(meanSquare(weights(unit, 'features'))).toBeCloseTo(1, 1);
  });

  it('starts theta from another variance when sabotaged', () => {
    const context = { inputShape: [8], outputs: 1, seed: 1 };
    for (const [spec, name] of [
      [twoLayer({ width: 2000 }), 'features'],
      [mlp(), 'hidden1'],
    ] as const) {
      const plain = meanSquare(weights(buildModel(spec, context), name));
      const broken = meanSquare(
        weights(buildModel(spec, { ...context, sabotage: 'wrong-start-variance' }), name),
      );
      expect(broken / plain).toBeCloseTo(9, 3);
    }
  });

  it.each(['ntk', 'standard', 'mean-field', 'maximal-update'] as const)(
    'draws deep weights and biases with the variances of %s',
    (parameterization) => {
      const [d, m] = [16, 300];
      const built = buildModel(mlp({ parameterization, hidden: [m, m] }), {
        inputShape: [d],
        outputs: 20,
        seed: 4,
      });
      const product = (name: string) => meanSquare(weights(built, name)) * dense(built, name).factor ** 2;
      const bias = (name: string) => meanSquare(weights(built, name, 1)) * dense(built, name).biasFactor ** 2;
      const law: Record<ParameterizationName, [hidden: number, last: number]> = {
        ntk: [1 / m, 1 / m],
        standard: [1 / m, 1 / m],
        'mean-field': [1 / m ** 2, 1 / m ** 2],
        'maximal-update': [1 / m, 1 / m ** 2],
      };
      const square = 1.5 ** 2;
      expect(product('hidden1') / (square / d)).toBeCloseTo(1, 1);
      expect(product('hidden2') / (square * law[parameterization][0])).toBeCloseTo(1, 1);
      expect(product('readout') / (square * law[parameterization][1])).toBeCloseTo(1, 1);
      for (const name of ['hidden1', 'hidden2']) {
        expect(bias(name) / 0.25).toBeGreaterThan(0.8);
        expect(bias(name) / 0.25).toBeLessThan(1.25);
      }
    },
  );

  /** Root mean square change of every layer's output in one step of size .1, over the probe inputs. */
  function changes(spec: MlpModel): number[] {
    const built = buildModel(spec, { inputShape: [6], outputs: 1, seed: 9 });
    const names = [...spec.hidden.map((_, l) => `hidden${l + 1}`), 'readout'];
    const taps = tf.model({
      inputs: built.model.inputs,
      outputs: names.map((n) => built.model.getLayer(n).output as tf.SymbolicTensor),
    });
    const x = inputs(8, 6);
    const y = tf.tensor2d(Float32Array.from(new Random(1).normals(8)), [8, 1]);
    return tf.tidy(() => {
      const before = taps.predict(x) as tf.Tensor[];
      for (const { layer, variable, gradient } of gradientFunction(built.model, 'mse')(x, y).gradients)
        variable.assign(tf.sub(variable, tf.mul(gradient, 0.1 * (built.rates[layer] ?? 1))));
      const after = taps.predict(x) as tf.Tensor[];
      return before.map((b, k) => Math.sqrt(meanSquare(tf.sub(after[k], b).dataSync())));
    });
  }

  it('moves every layer by the same amount at any width under maximal update, and not under the others', () => {
    const at = (parameterization: ParameterizationName, m: number) =>
      changes(mlp({ parameterization, hidden: [m, m], sigmaW: 1 }));
    const ratio = (parameterization: ParameterizationName) => {
      const narrow = at(parameterization, 64);
      return at(parameterization, 1024).map((v, k) => v / narrow[k]);
    };
    /** Exponents in the width, over a factor of 16 of it. */
    const exponents = (parameterization: ParameterizationName) =>
      ratio(parameterization).map((r) => Math.log(r) / Math.log(16));
    for (const exponent of exponents('maximal-update')) expect(Math.abs(exponent)).toBeLessThan(0.1);
    expect(Math.abs(exponents('ntk')[0] + 0.5)).toBeLessThan(0.1);
    expect(exponents('standard')[2]).toBeGreaterThan(0.5);
  });

  it('moves neurons by O(1) at any width under mean-field', () => {
    const at = (m: number) => changes(mlp({ parameterization: 'mean-field', hidden: [m], sigmaW: 1 }));
    const narrow = at(64);
    for (const [k, v] of at(2048).entries())
      expect(Math.abs(Math.log(v / narrow[k]) / Math.log(32))).toBeLessThan(0.1);
  });

  it('gives the same weights for the same seed, others for another, also to plain builders', () => {
    const plain = (t: typeof tf) =>
      t.sequential({ layers: [t.layers.dense({ units: 5, inputShape: [4] }), t.layers.dense({ units: 1 })] });
    for (const spec of [twoLayer(), mlp(), plain as never]) {
      const draw = (seed: number) =>
        buildModel(spec, { inputShape: [4], outputs: 1, seed })
          .model.getWeights()
          .flatMap((w) => [...w.dataSync()]);
      expect(draw(1)).toEqual(draw(1));
      expect(draw(1)).not.toEqual(draw(2));
    }
  });

  it.each(activationNames.map((name) => [name]))('differentiates %s', (name) => {
    // Away from the kinks of relu, abs and leakyRelu.
    const points = [-2.3, -1.1, -0.4, 0.3, 0.9, 2.2];
    const step = 1e-2;
    tf.tidy(() => {
      const { forward, derivative } = activations[name];
      const at = (shift: number) => forward(tf.tensor1d(points.map((p) => p + shift))).dataSync();
      const [far, near, back, farBack] = [at(2 * step), at(step), at(-step), at(-2 * step)];
      const h = tf.tensor1d(points);
      const own = derivative(h, forward(h)).dataSync();
      const tape = tf
        .grad((t: tf.Tensor) => forward(t))(h)
        .dataSync();
      for (let i = 0; i < points.length; i++) {
        const slope = (8 * (near[i] - back[i]) - (far[i] - farBack[i])) / (12 * step);
        expect(Math.abs(own[i] - slope)).toBeLessThan(5e-4 * Math.max(1, Math.abs(slope)));
        expect(Math.abs(own[i] - tape[i])).toBeLessThan(2e-6 * Math.max(1, Math.abs(slope)));
      }
    });
  });

  it('names the field and the way out', () => {
    const context = { inputShape: [4], outputs: 1, seed: 1 };
    expect(() => buildModel(twoLayer({ width: 7, init: 'symmetric' }), context)).toThrow(/model\.width is 7/);
    expect(() => buildModel(mlp({ hidden: [4, 5], init: 'symmetric' }), context)).toThrow(/model\.hidden/);
    expect(() => buildModel(mlp({ hidden: [], init: 'symmetric' }), context)).toThrow(
      /model\.hidden is empty/,
    );
    expect(() => buildModel(twoLayer(), { ...context, inputShape: [2, 2] })).toThrow(/flat/);
    expect(() => buildModel((() => 3) as never, context)).toThrow(/tf\.LayersModel/);
  });
});
