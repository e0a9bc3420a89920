import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../../src/core/errors.js';
import { Random } from '../../src/core/random.js';
import { empiricalKernel, explicitJacobian, outputCount } from '../../src/network/kernel/index.js';
import { seedModel } from '../../src/network/models/seeding.js';
import * as tf from '../../src/network/tf.js';
import { architectures, inputs, seeded } from '../helpers/architectures.js';
import { backendsUnderTest, startBackend } from '../helpers/backend.js';
import { furtherArchitectures } from '../helpers/furtherArchitectures.js';
import { contracted, gap, traceOf } from '../helpers/kernels.js';

/** J v against differences of the outputs along v: automatic differentiation itself may be wrong on a backend. */
function expectSlope(model: tf.LayersModel, x: tf.Tensor | tf.Tensor[], jacobian: tf.Tensor2D): void {
  const random = new Random('slope');
  const weights = model.trainableWeights.map((w) => w.read() as tf.Variable);
  const own = weights.map((w) => w.dataSync().slice());
  const v = own.map((w) => Float32Array.from(random.normals(w.length)));
  const outputs = (step: number) => {
    for (const [k, w] of weights.entries()) {
      const moved = tf.tensor(
        own[k].map((value, i) => value + step * v[k][i]),
        w.shape,
      );
      w.assign(moved);
      moved.dispose();
    }
    return tf.tidy(() => {
      const y = model.predict(x) as tf.Tensor;
      return y.dataSync().slice();
    });
  };
  const expected = tf.tidy(() => tf.dot(jacobian, tf.tensor1d(v.flatMap((part) => [...part]))).dataSync());
  // A kink of a relu or a pool may lie within the longest step: the best of three tells a wrong derivative from it.
  const gaps = [2e-3, 5e-4, 1.5e-4].map((h) => {
    const [up, down] = [outputs(h), outputs(-h)];
    return gap(
      up.map((value, i) => (value - down[i]) / (2 * h)),
      expected,
    );
  });
  outputs(0);
  expect(Math.min(...gaps)).toBeLessThan(0.05);
}

const L = tf.layers;
const normal = (shape: number[], seed: number) =>
  tf.tensor(Float32Array.from(new Random(seed).normals(shape.reduce((a, b) => a * b, 1))), shape);

describe.each(backendsUnderTest)('empirical kernel on %s', (backend) => {
  beforeAll(() => startBackend(backend));
  const before: number[] = [];
  afterAll(() => expect(before.every((n) => n === 0)).toBe(true));

  it.each([...architectures, ...furtherArchitectures].map((c) => [c.name, c] as const))(
    'equals the explicit Jacobian: %s',
    async (_name, test) => {
      const model = seeded(test);
      const [n, m] = [5, 3];
      const [x, y] = [inputs(test, n, 1), inputs(test, m, 2)];
      const outputs = Array.from({ length: outputCount(model) }, (_, o) => o);
      const [jx, jy] = [explicitJacobian(model, x, outputs), explicitJacobian(model, y, outputs)];
      expectSlope(model, x, jx);
      const held = tf.memory().numTensors;
      const full = contracted(jx, jx);
      const fullKernel = await empiricalKernel(model, x, { mode: 'full', blockRows: 2 });
      expect(gap(fullKernel.data, full)).toBeLessThan(1e-5);
      const trace = await empiricalKernel(model, x, { perLayer: true });
      expect(gap(trace.data, traceOf(full, n, n, outputs.length))).toBeLessThan(1e-5);
      for (let i = 0; i < n; i++)
        for (let j = 0; j < n; j++) expect(trace.data[i * n + j]).toBe(trace.data[j * n + i]);
      const parts = Object.values(trace.perLayer ?? {});
      expect(
        gap(
          trace.data.map((_, k) => parts.reduce((sum, part) => sum + part[k], 0)),
          trace.data,
        ),
      ).toBeLessThan(1e-5);
      const rectangle = await empiricalKernel(model, x, { against: y });
      expect(gap(rectangle.data, traceOf(contracted(jx, jy), n, m, outputs.length))).toBeLessThan(1e-5);
      const wide = await empiricalKernel(model, y, { against: x, mode: 'full', perLayer: true });
      expect(gap(wide.data, contracted(jy, jx))).toBeLessThan(1e-5);
      const wideParts = Object.values(wide.perLayer ?? {});
      const total = wide.data.map((_, k) => wideParts.reduce((sum, part) => sum + part[k], 0));
      expect(gap(total, wide.data)).toBeLessThan(1e-5);
      expect(trace.notes.filter((note) => !note.startsWith('Batch normalisation'))).toEqual([]);
      for (const implementation of ['structured', 'jacobian', 'operator'] as const) {
        const other = await empiricalKernel(model, x, { implementation, mode: 'full' });
        expect(gap(other.data, full), implementation).toBeLessThan(1e-5);
      }
      const last = outputs.length - 1;
      const one = await empiricalKernel(model, x, { output: last });
      const expected = Float64Array.from(
        { length: n * n },
        (_, k) =>
          full[
            (Math.floor(k / n) * outputs.length + last) * n * outputs.length + (k % n) * outputs.length + last
          ],
      );
      expect(gap(one.data, expected)).toBeLessThan(1e-5);
      before.push(tf.memory().numTensors - held);
    },
  );

  it('keeps the places of a large table instead of unit vectors', async () => {
    const start = tf.initializers.randomUniform({ minval: -1, maxval: 1, seed: 1 });
    const model = tf.sequential({
      layers: [
        L.embedding({ inputDim: 30_000, outputDim: 4, inputLength: 12, embeddingsInitializer: start }),
        L.flatten(),
        L.dense({
          units: 2,
          activation: 'tanh',
          kernelInitializer: tf.initializers.glorotNormal({ seed: 2 }),
        }),
      ],
    });
    // Few of the words, so that they recur.
    const x = tf.randomUniform([14, 12], 0, 30, 'int32', 3);
    for (const mode of ['trace', 'full'] as const) {
      const { data } = await empiricalKernel(model, x, { mode });
      const expected = await empiricalKernel(model, x, { mode, implementation: 'jacobian' });
      expect(gap(data, expected.data)).toBeLessThan(1e-6);
    }
  });

  it('takes functions that differentiate by themselves, once and twice', async () => {
    const [w, b, v] = [[3, 8], [8], [8, 1]].map((shape, k) =>
      tf.variable(tf.randomNormal(shape, 0, 1, 'float32', k + 1)),
    );
    const u = (x: tf.Tensor) =>
      tf.matMul(tf.tanh(tf.add(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D), b)), v as tf.Tensor2D);
    const slope = (x: tf.Tensor | tf.Tensor[]) =>
      tf.grad((z: tf.Tensor) => tf.sum(tf.square(u(z))))(x as tf.Tensor);
    const twice = (x: tf.Tensor | tf.Tensor[]) =>
      tf.grad((z: tf.Tensor) => tf.sum(tf.square(slope(z))))(x as tf.Tensor);
    const x = tf.randomNormal([4, 3], 0, 1, 'float32', 5);
    for (const f of [slope, twice]) {
      const found = await empiricalKernel(f, [w, b, v], x, { mode: 'full' });
      const expected = await empiricalKernel(f, [w, b, v], x, { mode: 'full', implementation: 'jacobian' });
      expect(found.notes).toEqual([]);
      expect(gap(found.data, expected.data)).toBeLessThan(1e-6);
    }
    tf.dispose([w, b, v, x]);
  });

  it('follows a layer that computes something else from now on', async () => {
    class Switched extends L.Layer {
      static readonly className = 'TestSwitched';
      deep = false;
      override call(x: tf.Tensor | tf.Tensor[]): tf.Tensor {
        const own = [x].flat()[0];
        return this.deep ? tf.sin(tf.cumsum(own, 1)) : tf.tanh(own);
      }
    }
    const switched = new Switched();
    const model = tf.sequential({
      layers: [L.dense({ units: 4, inputShape: [3] }), switched, L.dense({ units: 1 })],
    });
    seedModel(model, 2);
    const x = tf.randomNormal([5, 3], 0, 1, 'float32', 1);
    for (const deep of [false, true]) {
      switched.deep = deep;
      const expected = await empiricalKernel(model, x, { implementation: 'jacobian' });
      expect(gap((await empiricalKernel(model, x)).data, expected.data)).toBeLessThan(1e-6);
    }
  });

  it('takes rectangles of few against many inputs, whose parts alone would choose different forms', async () => {
    for (const [name, residual] of [
      ['a chain of stages', false],
      ['a network with a sum', true],
    ] as const) {
      const x = tf.input({ shape: [2, 2, 1] });
      const first = L.conv2d({ filters: 8, kernelSize: 3, padding: 'same', activation: 'relu' }).apply(x);
      const second = L.conv2d({ filters: 8, kernelSize: 3, padding: 'same' }).apply(
        first,
      ) as tf.SymbolicTensor;
      const sum = residual
        ? (L.add().apply([first as tf.SymbolicTensor, second]) as tf.SymbolicTensor)
        : second;
      const outputs = L.dense({ units: 2 }).apply(L.flatten().apply(sum)) as tf.SymbolicTensor;
      const model = tf.model({ inputs: x, outputs });
      seedModel(model, 5);
      const many = normal([300, 2, 2, 1], 1);
      const few = tf.slice(many, [0, 0, 0, 0], [3, 2, 2, 1]);
      const rectangle = await empiricalKernel(model, few, { against: many });
      const square = await empiricalKernel(model, many);
      expect(gap(rectangle.data, square.data.subarray(0, 900)), name).toBeLessThan(1e-5);
      tf.dispose([many, few]);
    }
  });

  it('streams the passes of large networks, chunk by chunk', async () => {
    const x = tf.input({ shape: [64, 64, 2] });
    const h = L.conv2d({ filters: 12, kernelSize: 3, padding: 'same', activation: 'tanh' }).apply(
      x,
    ) as tf.SymbolicTensor;
    const branch = L.conv2d({ filters: 12, kernelSize: 1, useBias: false }).apply(h) as tf.SymbolicTensor;
    const sum = L.add().apply([h, branch]) as tf.SymbolicTensor;
    const pooled = L.globalAveragePooling2d({}).apply(sum) as tf.SymbolicTensor;
    const model = tf.model({ inputs: x, outputs: L.dense({ units: 6 }).apply(pooled) as tf.SymbolicTensor });
    seedModel(model, 5);
    const many = normal([32, 64, 64, 2], 2);
    const held = tf.memory().numTensors;
    const { data } = await empiricalKernel(model, many);
    for (const start of [0, 22]) {
      const some = tf.slice(many, [start, 0, 0, 0], [7, 64, 64, 2]);
      const { data: block } = await empiricalKernel(model, some);
      some.dispose();
      const expected = block.map((_, k) => data[(start + Math.floor(k / 7)) * 32 + start + (k % 7)]);
      expect(gap(expected, block)).toBeLessThan(1e-5);
    }
    expect(tf.memory().numTensors).toBe(held);
    many.dispose();
  }, 120_000);

  it('counts all outputs of a model with several', async () => {
    const build = (joined: boolean) => {
      const x = tf.input({ shape: [5] });
      const h = L.dense({ units: 6, activation: 'tanh', name: 'h' }).apply(x) as tf.SymbolicTensor;
      const ends = [2, 1].map((units) => L.dense({ units }).apply(h) as tf.SymbolicTensor);
      return tf.model({
        inputs: x,
        outputs: joined ? (L.concatenate().apply(ends) as tf.SymbolicTensor) : ends,
      });
    };
    const [several, one] = [build(false), build(true)];
    seedModel(several, 5);
    one.setWeights(several.getWeights());
    const x = normal([4, 5], 3);
    expect(outputCount(several)).toBe(3);
    for (const mode of ['trace', 'full'] as const) {
      const [a, b] = [await empiricalKernel(several, x, { mode }), await empiricalKernel(one, x, { mode })];
      expect(gap(a.data, b.data)).toBeLessThan(1e-6);
    }
    expect(explicitJacobian(several, x, [2]).dataSync()).toEqual(explicitJacobian(one, x, [2]).dataSync());
    await expect(empiricalKernel(several, x, { output: 3 })).rejects.toThrow(/outputs 0 to 2/);
    await expect(empiricalKernel(several, x, { output: 0.5 })).rejects.toThrow(InputError);
  });
});
