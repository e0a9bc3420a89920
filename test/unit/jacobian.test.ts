import { beforeAll, describe, expect, it } from 'vitest';
import { eigenvalues } from '../../src/core/linalg/eigen.js';
import { matrixFrom } from '../../src/core/linalg/matrix.js';
import { Random } from '../../src/core/random.js';
import {
  empiricalKernel,
  explicitJacobian,
  KernelOperator,
  ModelJacobian,
  outputCount,
} from '../../src/network/kernel/index.js';
import { buildModel } from '../../src/network/models/build.js';
import { seedModel } from '../../src/network/models/seeding.js';
import * as tf from '../../src/network/tf.js';
import { architectures, inputs, seeded } from '../helpers/architectures.js';
import { backendsUnderTest, startBackend } from '../helpers/backend.js';

const random = new Random('jacobian');

/** |a - b| relative to |b|. */
function gap(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let difference = 0;
  let scale = 0;
  for (let i = 0; i < b.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    scale += b[i] ** 2;
  }
  return Math.sqrt(difference / (scale || 1));
}

const times = (k: Float32Array, u: ArrayLike<number>): Float64Array =>
  Float64Array.from({ length: u.length }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < u.length; j++) sum += k[i * u.length + j] * u[j];
    return sum;
  });

describe.each(backendsUnderTest)('Jacobian products on %s', (backend) => {
  beforeAll(() => startBackend(backend));

  it.each(architectures.map((a) => [a.name, a] as const))('equal the explicit ones: %s', (_name, test) => {
    const model = seeded(test);
    const n = 7;
    const x = inputs(test, n, 1);
    const O = outputCount(model);
    const outputs = Array.from({ length: O }, (_, o) => o);
    const J = explicitJacobian(model, x, outputs).dataSync();
    const held = tf.memory().numTensors;
    const jacobian = new ModelJacobian(model);
    const { parameters } = jacobian;
    const P = parameters.size;
    const at = jacobian.at(x);
    const v = random.normals(P);
    const u = random.normals(n * O);
    const expectedForward = Float64Array.from({ length: n * O }, (_, i) => {
      let sum = 0;
      for (let p = 0; p < P; p++) sum += J[i * P + p] * v[p];
      return sum;
    });
    const expectedBack = Float64Array.from({ length: P }, (_, p) => {
      let sum = 0;
      for (let i = 0; i < n * O; i++) sum += J[i * P + p] * u[i];
      return sum;
    });
    const order = parameters.variables.map((w) =>
      model.trainableWeights.findIndex((own) => own.read() === w),
    );
    expect(order).toEqual(order.map((_, k) => k));
    const forward = tf.tidy(() => at.jvp(parameters.split(v)).dataSync());
    const pulled = tf.tidy(() => at.vjp(tf.tensor2d(Float32Array.from(u), [n, O])));
    const back = parameters.join(pulled);
    tf.dispose(pulled);
    expect(gap(forward, expectedForward)).toBeLessThan(2e-5);
    expect(gap(back, expectedBack)).toBeLessThan(2e-5);
    at.dispose();
    jacobian.dispose();
    expect(tf.memory().numTensors).toBe(held);
  });

  it.each(architectures.map((a) => [a.name, a] as const))(
    'times the kernel without forming it: %s',
    async (_name, test) => {
      const model = seeded(test);
      const n = 17;
      const x = inputs(test, n, 3);
      const held = tf.memory().numTensors;
      for (const mode of ['trace', 'full'] as const) {
        const { data, rows } = await empiricalKernel(model, x, { mode });
        const operator = new KernelOperator(model, x, { mode, block: 6 });
        const u = random.normals(rows);
        expect(operator.size).toBe(rows);
        expect(gap(operator.times(u), times(data, u))).toBeLessThan(1e-5);
        const expected = eigenvalues(matrixFrom(rows, rows, data));
        const top = operator.topEigenpairs(10);
        for (let k = 0; k < 10; k++)
          expect(Math.abs(top.values[k] - expected[k])).toBeLessThan(1e-5 * expected[0]);
        operator.dispose();
      }
      expect(tf.memory().numTensors).toBe(held);
    },
  );

  it('is exact under a maximum pool, which has no second derivative in TensorFlow.js', () => {
    const model = tf.sequential({
      layers: [
        tf.layers.conv2d({ filters: 3, kernelSize: 2, activation: 'tanh', inputShape: [6, 6, 1] }),
        tf.layers.maxPooling2d({ poolSize: 2 }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 2 }),
      ],
    });
    seedModel(model, 5);
    // Numbers of its own: differences across a kink of the pooling would be no derivative.
    const random = new Random('pooling');
    const x = tf.tensor(Float32Array.from(random.normals(5 * 36)), [5, 6, 6, 1]);
    const weights = model.getWeights().map((w) => w.dataSync().slice());
    const jacobian = new ModelJacobian(model);
    const at = jacobian.at(x);
    const J = explicitJacobian(model, x, [0, 1]).dataSync();
    const v = random.normals(jacobian.parameters.size);
    const expected = Float64Array.from({ length: 10 }, (_, i) =>
      v.reduce((sum, value, p) => sum + J[i * v.length + p] * value, 0),
    );
    const forward = tf.tidy(() => at.jvp(jacobian.parameters.split(v)).dataSync());
    expect(gap(forward, expected)).toBeLessThan(2e-5);
    expect(model.getWeights().map((w) => w.dataSync().slice())).toEqual(weights);
  });

  it('stays at the weights it was made at while the model moves', () => {
    for (const name of ['mlp 2 hidden, no bias, 3 outputs', 'residual and concat']) {
      const test = architectures.find((a) => a.name === name);
      if (!test) throw new Error('The architecture is gone.');
      const model = seeded(test);
      const x = inputs(test, 4, 5);
      const jacobian = new ModelJacobian(model);
      const v = jacobian.parameters.split(random.normals(jacobian.parameters.size));
      const before = jacobian.at(x);
      const first = before.jvp(v).dataSync();
      for (const variable of jacobian.parameters.variables) variable.assign(tf.mul(variable, 1.5));
      expect(before.jvp(v).dataSync()).toEqual(first);
      expect(jacobian.at(x).jvp(v).dataSync()).toEqual(first);
    }
  });

  it('finds the top eigenpairs of a kernel of 4,096 inputs', () => {
    const n = 4096;
    const model = buildModel(
      {
        kind: 'twoLayer',
        width: 64,
        activation: 'tanh',
        scale: 'ntk',
        init: 'gaussian',
        thetaStart: 'inverse-dimension',
        bias: false,
        train: 'all',
      },
      { inputShape: [8], outputs: 1, seed: 3 },
    ).model;
    const x = tf.tensor2d(Float32Array.from(random.normals(n * 8)), [n, 8]);
    const operator = new KernelOperator(model, x);
    const { values, vectors, products } = operator.topEigenpairs(10);
    // J^T J has the same eigenvalues as J J^T and is small.
    const J = explicitJacobian(model, x, [0]);
    const gram = tf.matMul(J, J, true).dataSync();
    const expected = eigenvalues(matrixFrom(J.shape[1], J.shape[1], gram));
    for (let k = 0; k < 10; k++) expect(Math.abs(values[k] / expected[k] - 1)).toBeLessThan(1e-4);
    const top = vectors.data.slice(0, n);
    expect(
      gap(
        operator.times(top),
        top.map((v) => v * values[0]),
      ),
    ).toBeLessThan(1e-4);
    expect(products).toBeLessThan(200);
    operator.dispose();
  }, 60_000);
});
