import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.js';
import type { MlpModel, TwoLayerModel } from '../../src/experiment/definition.js';
import { buildModel } from '../../src/network/models/build.js';
import { seedModel } from '../../src/network/models/seeding.js';
import { empiricalKernel, explicitJacobian, outputCount } from '../../src/network/tangent/index.js';
import * as tf from '../../src/network/tf.js';
import { backendsUnderTest, startBackend } from '../helpers/backend.js';

const mlp = (
  hidden: number[],
  bias: boolean,
  parameterization: MlpModel['parameterization'] = 'ntk',
): MlpModel => ({
  kind: 'mlp',
  hidden,
  activation: 'tanh',
  parameterization,
  sigmaW: 1.4,
  sigmaB: 0.3,
  bias,
  init: 'gaussian',
  train: 'all',
});
const twoLayer = (more: Partial<TwoLayerModel> = {}): TwoLayerModel => ({
  kind: 'twoLayer',
  width: 24,
  activation: 'tanh',
  scale: 'ntk',
  init: 'gaussian',
  thetaStart: 'inverse-dimension',
  bias: false,
  train: 'all',
  ...more,
});

interface Case {
  readonly name: string;
  readonly shapes: readonly (readonly number[])[];
  readonly build: () => tf.LayersModel;
  readonly integer?: number;
}

const built = (spec: MlpModel | TwoLayerModel, d: number, outputs: number) => () =>
  buildModel(spec, { inputShape: [d], outputs, seed: 3 }).model;
const L = tf.layers;
const sequential = (...layers: tf.layers.Layer[]) => tf.sequential({ layers });
const image = [7, 6, 2];

const cases: readonly Case[] = [
  { name: 'two-layer', shapes: [[5]], build: built(twoLayer(), 5, 1) },
  {
    name: 'two-layer, bias, 3 outputs',
    shapes: [[5]],
    build: built(twoLayer({ bias: true, scale: 'mean-field' }), 5, 3),
  },
  { name: 'two-layer, readout only', shapes: [[5]], build: built(twoLayer({ train: 'readout' }), 5, 2) },
  { name: 'mlp 1 hidden', shapes: [[4]], build: built(mlp([9], true), 4, 1) },
  { name: 'mlp 2 hidden, no bias, 3 outputs', shapes: [[4]], build: built(mlp([9, 7], false), 4, 3) },
  { name: 'mlp 3 hidden, bias', shapes: [[4]], build: built(mlp([9, 7, 8], true, 'standard'), 4, 1) },
  {
    name: 'mlp 3 hidden, 3 outputs',
    shapes: [[4]],
    build: built(mlp([9, 7, 8], true, 'maximal-update'), 4, 3),
  },
  {
    name: 'plain dense with relu and softmax',
    shapes: [[4]],
    build: () =>
      sequential(
        L.dense({ units: 6, activation: 'relu', inputShape: [4] }),
        L.dense({ units: 3, activation: 'softmax' }),
      ),
  },
  {
    name: 'dense with frozen first layer',
    shapes: [[4]],
    build: () =>
      sequential(
        L.dense({ units: 6, activation: 'sigmoid', inputShape: [4], trainable: false }),
        L.dense({ units: 2 }),
      ),
  },
  {
    name: 'conv2d same, strides, pooling',
    shapes: [image],
    build: () =>
      sequential(
        L.conv2d({ filters: 3, kernelSize: 3, padding: 'same', activation: 'tanh', inputShape: image }),
        L.conv2d({ filters: 4, kernelSize: 3, strides: 2, activation: 'tanh' }),
        L.globalAveragePooling2d({ dataFormat: 'channelsLast' }),
        L.dense({ units: 2 }),
      ),
  },
  {
    name: 'conv2d valid, flatten',
    shapes: [image],
    build: () =>
      sequential(
        L.conv2d({ filters: 2, kernelSize: [2, 3], activation: 'relu', inputShape: image }),
        L.flatten(),
        L.dense({ units: 1 }),
      ),
  },
  {
    name: 'conv2d dilated',
    shapes: [image],
    build: () =>
      sequential(
        L.conv2d({ filters: 2, kernelSize: 2, dilationRate: 2, useBias: false, inputShape: image }),
        L.flatten(),
        L.dense({ units: 1 }),
      ),
  },
  {
    name: 'conv1d',
    shapes: [[9, 2]],
    build: () =>
      sequential(
        L.conv1d({ filters: 3, kernelSize: 3, strides: 2, activation: 'tanh', inputShape: [9, 2] }),
        L.flatten(),
        L.dense({ units: 2 }),
      ),
  },
  {
    name: 'depthwise conv',
    shapes: [image],
    build: () =>
      sequential(
        L.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, activation: 'tanh', inputShape: image }),
        L.flatten(),
        L.dense({ units: 1 }),
      ),
  },
  {
    name: 'separable conv',
    shapes: [image],
    build: () =>
      sequential(
        L.separableConv2d({ filters: 3, kernelSize: 2, activation: 'tanh', inputShape: image }),
        L.flatten(),
        L.dense({ units: 1 }),
      ),
  },
  {
    name: 'transposed conv',
    shapes: [[4, 4, 2]],
    build: () =>
      sequential(
        L.conv2dTranspose({ filters: 2, kernelSize: 2, strides: 2, inputShape: [4, 4, 2] }),
        L.flatten(),
        L.dense({ units: 1 }),
      ),
  },
  {
    name: 'batch normalisation (inference)',
    shapes: [[5]],
    build: () =>
      sequential(
        L.dense({ units: 6, inputShape: [5] }),
        L.batchNormalization(),
        L.activation({ activation: 'tanh' }),
        L.dense({ units: 2 }),
      ),
  },
  {
    name: 'layer normalisation',
    shapes: [[5]],
    build: () =>
      sequential(
        L.dense({ units: 6, inputShape: [5] }),
        L.layerNormalization(),
        L.activation({ activation: 'tanh' }),
        L.dense({ units: 2 }),
      ),
  },
  {
    name: 'embedding',
    shapes: [[6]],
    integer: 8,
    build: () =>
      sequential(
        L.embedding({ inputDim: 8, outputDim: 3, inputLength: 6 }),
        L.flatten(),
        L.dense({ units: 2 }),
      ),
  },
  {
    name: 'time-distributed dense',
    shapes: [[5, 3]],
    build: () =>
      sequential(
        L.timeDistributed({ layer: L.dense({ units: 4, activation: 'tanh' }), inputShape: [5, 3] }),
        L.flatten(),
        L.dense({ units: 1 }),
      ),
  },
  {
    name: 'dense on sequences',
    shapes: [[5, 3]],
    build: () =>
      sequential(
        L.dense({ units: 4, activation: 'tanh', inputShape: [5, 3] }),
        L.globalAveragePooling1d({}),
        L.dense({ units: 2 }),
      ),
  },
  {
    name: 'recurrent (generic fallback)',
    shapes: [[4, 2]],
    build: () => sequential(L.simpleRNN({ units: 3, inputShape: [4, 2] }), L.dense({ units: 1 })),
  },
  {
    name: 'residual and concat',
    shapes: [[5]],
    build: () => {
      const input = tf.input({ shape: [5] });
      const h = L.dense({ units: 6, activation: 'tanh' }).apply(input) as tf.SymbolicTensor;
      const branch = L.dense({ units: 6, activation: 'tanh' }).apply(h) as tf.SymbolicTensor;
      const sum = L.add().apply([h, branch]) as tf.SymbolicTensor;
      const joined = L.concatenate().apply([sum, input]) as tf.SymbolicTensor;
      return tf.model({ inputs: input, outputs: L.dense({ units: 2 }).apply(joined) as tf.SymbolicTensor });
    },
  },
  {
    name: 'a layer used twice',
    shapes: [[5]],
    build: () => {
      const input = tf.input({ shape: [5] });
      const shared = L.dense({ units: 5, activation: 'tanh' });
      const h = shared.apply(shared.apply(input) as tf.SymbolicTensor) as tf.SymbolicTensor;
      return tf.model({ inputs: input, outputs: L.dense({ units: 2 }).apply(h) as tf.SymbolicTensor });
    },
  },
  {
    name: 'two inputs',
    shapes: [[5], [3]],
    build: () => {
      const [a, b] = [tf.input({ shape: [5] }), tf.input({ shape: [3] })];
      const h = L.dense({ units: 4, activation: 'tanh' }).apply(a) as tf.SymbolicTensor;
      const g = L.dense({ units: 4, activation: 'sigmoid' }).apply(b) as tf.SymbolicTensor;
      const joined = L.multiply().apply([h, g]) as tf.SymbolicTensor;
      return tf.model({ inputs: [a, b], outputs: L.dense({ units: 1 }).apply(joined) as tf.SymbolicTensor });
    },
  },
];

function inputs(test: Case, n: number, seed: number): tf.Tensor | tf.Tensor[] {
  const random = new Random(seed);
  const tensors = test.shapes.map((shape) => {
    const size = n * shape.reduce((a, b) => a * b, 1);
    const values = test.integer
      ? Float32Array.from({ length: size }, () => random.integer(test.integer as number))
      : Float32Array.from(random.normals(size));
    return tf.tensor(values, [n, ...shape]);
  });
  return tensors.length === 1 ? tensors[0] : tensors;
}

/** Largest difference relative to the largest entry. */
function gap(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let worst = 0;
  let scale = 0;
  for (let i = 0; i < a.length; i++) {
    worst = Math.max(worst, Math.abs(a[i] - b[i]));
    scale = Math.max(scale, Math.abs(b[i]));
  }
  return worst / scale;
}

/** Full kernel in float64 from the explicit Jacobians. */
function contract(left: tf.Tensor2D, right: tf.Tensor2D): Float64Array {
  const [a, b] = [left.dataSync(), right.dataSync()];
  const [n, p] = left.shape;
  const m = right.shape[0];
  const out = new Float64Array(n * m);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < m; j++) {
      let sum = 0;
      for (let k = 0; k < p; k++) sum += a[i * p + k] * b[j * p + k];
      out[i * m + j] = sum;
    }
  return out;
}

function traceOf(full: Float64Array, n: number, m: number, outputs: number): Float64Array {
  const out = new Float64Array(n * m);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < m; j++)
      for (let o = 0; o < outputs; o++)
        out[i * m + j] += full[(i * outputs + o) * m * outputs + j * outputs + o] / outputs;
  return out;
}

describe.each(backendsUnderTest)('empirical kernel on %s', (backend) => {
  beforeAll(() => startBackend(backend));
  const before: number[] = [];
  afterAll(() => expect(before.every((n) => n === 0)).toBe(true));

  it.each(cases.map((c) => [c.name, c] as const))('equals the explicit Jacobian: %s', async (_name, test) => {
    const model = test.build();
    if (model.layers.every((l) => l.getClassName() !== 'ScaledDense')) seedModel(model, 5);
    const [n, m] = [5, 3];
    const [x, y] = [inputs(test, n, 1), inputs(test, m, 2)];
    const outputs = Array.from({ length: outputCount(model) }, (_, o) => o);
    const [jx, jy] = [explicitJacobian(model, x, outputs), explicitJacobian(model, y, outputs)];
    const held = tf.memory().numTensors;
    const full = contract(jx, jx);
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
    expect(gap(rectangle.data, traceOf(contract(jx, jy), n, m, outputs.length))).toBeLessThan(1e-5);
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
  });
});
