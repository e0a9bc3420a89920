import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { limitKernel } from '../../src/core/kernels/limit.js';
import { parseArchitecture } from '../../src/core/kernels/readArchitecture.js';
import { Random } from '../../src/core/random.js';
import { explicitJacobian } from '../../src/network/kernel/index.js';
import * as tf from '../../src/network/tf.js';
import { startBackend } from '../helpers/backend.js';
import { type ArchLayer, finiteNetwork } from '../helpers/finiteNetworks.js';

const kinds = ['nngp', 'ntk', 'standard'] as const;
type Kind = (typeof kinds)[number];
const samples = 3;
const image = [5, 4, 2];
const inputsOf = (shape: readonly number[]) =>
  new Random('inputs').normals(samples * shape.reduce((a, b) => a * b, 1));

interface Gap {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

/** Mean of (finite kernel - limit) over networks, [N N], and the variance of that mean, for every kind of kernel. */
function gaps(layers: readonly ArchLayer[], width: number, networks: number, shape: readonly number[]) {
  const values = inputsOf(shape);
  const x = tf.tensor(Float32Array.from(values), [samples, ...shape]);
  const inputs = { shape: [samples, ...shape], data: Float64Array.from(values) };
  const withWidths = layers.map((l) => widened(l, width));
  const limit = (parameterization: string, kind: 'nngp' | 'ntk') =>
    limitKernel(parseArchitecture({ parameterization, layers: withWidths }), inputs, null, { kind }).data;
  const limits: Record<Kind, Float64Array> = {
    nngp: limit('ntk', 'nngp'),
    ntk: limit('ntk', 'ntk'),
    standard: limit('standard', 'ntk'),
  };
  const { model, draw, factors, lastDense } = finiteNetwork(layers, width, shape);
  const random = new Random(`networks ${width}`);
  const found: Record<Kind, Float64Array[]> = { nngp: [], ntk: [], standard: [] };
  for (let m = 0; m < networks; m++) {
    draw(random);
    const jacobian = explicitJacobian(model, x, [0]);
    const J = jacobian.dataSync();
    jacobian.dispose();
    const gram = (factor: Float64Array, from: number) => {
      const out = new Float64Array(samples * samples);
      for (let i = 0; i < samples; i++)
        for (let j = 0; j < samples; j++)
          for (let p = from; p < factor.length; p++)
            out[i * samples + j] += factor[p] * J[i * factor.length + p] * J[j * factor.length + p];
      return out;
    };
    // What the last layer's own weights bring is the covariance of the outputs.
    found.nngp.push(gram(factors.ntk, lastDense));
    found.ntk.push(gram(factors.ntk, 0));
    found.standard.push(gram(factors.standard, 0));
  }
  tf.dispose(x);
  model.dispose();
  const of = (kind: Kind): Gap => {
    // The tangent kernel of the standard parameterisation grows with the width.
    const scale = kind === 'standard' ? 1 / width : 1;
    const mean = new Float64Array(samples * samples);
    const variance = new Float64Array(samples * samples);
    for (let e = 0; e < mean.length; e++) {
      const off = found[kind].map((k) => scale * (k[e] - limits[kind][e]));
      mean[e] = off.reduce((a, b) => a + b, 0) / networks;
      variance[e] = off.reduce((a, b) => a + (b - mean[e]) ** 2, 0) / (networks - 1) / networks;
    }
    return { mean, variance };
  };
  return { nngp: of('nngp'), ntk: of('ntk'), standard: of('standard') };
}

function widened(l: ArchLayer, width: number): ArchLayer {
  if ('dense' in l) return { dense: { ...l.dense, width } };
  if ('conv' in l) return { conv: { ...l.conv, filters: width } };
  if ('residual' in l) {
    const { branch, shortcut } = l.residual;
    return {
      residual: {
        branch: branch.map((b) => widened(b, width)),
        shortcut: shortcut.map((b) => widened(b, width)),
      },
    };
  }
  return l;
}

const relu: ArchLayer = { activation: 'relu' };
const tanh: ArchLayer = { activation: 'tanh' };
const flatten: ArchLayer = { flatten: {} };
const gap: ArchLayer = { globalAveragePool: {} };
const dense = (sigmaB: number | null = 0.3): ArchLayer => ({ dense: { sigmaW: 1.4, sigmaB } });
const conv = (more: Partial<Extract<ArchLayer, { conv: object }>['conv']> = {}): ArchLayer => ({
  conv: { kernel: [3, 3], padding: 'same', sigmaW: 1.4, sigmaB: 0.3, ...more },
});

/** One nonlinear layer between two products: means over finite networks have no bias at all. */
const exact: readonly (readonly [string, readonly ArchLayer[], readonly number[]])[] = [
  ['convolution, same, flattened', [conv(), relu, flatten, dense()], image],
  [
    'convolution, valid, no bias',
    [conv({ kernel: [2, 3], padding: 'valid', sigmaB: null }), relu, flatten, dense(null)],
    image,
  ],
  ['strided convolution, same', [conv({ strides: [2, 2] }), relu, flatten, dense()], image],
  [
    'strided convolution of even size, same',
    [conv({ kernel: [2, 2], strides: [3, 2] }), tanh, gap, dense(0)],
    image,
  ],
  ['global average pooling', [conv({ sigmaB: 0 }), relu, gap, dense()], image],
  ['average pooling, valid', [conv(), relu, { averagePool: { window: [2, 2] } }, flatten, dense()], image],
  [
    'average pooling, same at the border',
    [conv(), relu, { averagePool: { window: [3, 2], strides: [2, 2], padding: 'same' } }, flatten, dense()],
    image,
  ],
  [
    'average pooling, then global',
    [conv(), relu, { averagePool: { window: [2, 2], strides: [1, 1], padding: 'same' } }, gap, dense()],
    image,
  ],
  [
    'residual sum, linear readout',
    [dense(), { residual: { branch: [relu, dense()], shortcut: [] } }, dense()],
    [5],
  ],
  [
    'residual sum of two products',
    [
      conv(),
      { residual: { branch: [relu, conv()], shortcut: [conv({ kernel: [1, 1], sigmaB: null })] } },
      gap,
      dense(),
    ],
    image,
  ],
];

/** Deeper networks have a bias of order 1 / width, which two widths take away to second order. */
const extrapolated: readonly (readonly [string, readonly ArchLayer[], readonly number[]])[] = [
  ['two hidden layers', [dense(), relu, dense(), tanh, dense()], [5]],
  [
    'two convolutions with strides, global pooling',
    [conv(), relu, conv({ strides: [2, 2] }), relu, gap, dense()],
    image,
  ],
  [
    'pooling between convolutions',
    [conv(), relu, { averagePool: { window: [2, 2], padding: 'same' } }, conv(), tanh, flatten, dense()],
    image,
  ],
  ['layer normalisation', [dense(), { layerNorm: { epsilon: 0.1 } }, relu, dense()], [5]],
  ['layer normalisation of images', [conv(), { layerNorm: { epsilon: 0.1 } }, relu, gap, dense()], image],
  [
    'residual block before a nonlinearity',
    [dense(), { residual: { branch: [relu, dense()], shortcut: [] } }, relu, dense()],
    [5],
  ],
];

describe('oracle 13: infinite-width kernels against explicit Jacobians of random finite networks', () => {
  beforeAll(() => startBackend('wasm'));
  let held = 0;
  beforeEach(() => {
    held = tf.memory().numTensors;
  });
  afterEach(() => expect(tf.memory().numTensors).toBe(held));

  it.each(exact)(
    '%s: |z| < 4',
    (_name, layers, shape) => {
      const found = gaps(layers, 24, 200, shape);
      for (const kind of kinds)
        found[kind].mean.forEach((m, e) => {
          expect(Math.abs(m / Math.sqrt(found[kind].variance[e])), `${kind} ${e}`).toBeLessThan(4);
        });
    },
    60_000,
  );

  it.each(extrapolated)(
    '%s: |z| < 4 without the bias of order 1 / width',
    (_name, layers, shape) => {
      const [narrow, wide] = [gaps(layers, 24, 200, shape), gaps(layers, 48, 200, shape)];
      for (const kind of kinds)
        narrow[kind].mean.forEach((m, e) => {
          const left = 2 * wide[kind].mean[e] - m;
          const error = Math.sqrt(4 * wide[kind].variance[e] + narrow[kind].variance[e]);
          expect(Math.abs(left / error), `${kind} ${e}`).toBeLessThan(4);
        });
    },
    120_000,
  );

  it('would see a wrong convention: a border divided by what lies inside, a bias that does not learn', () => {
    const layers = [conv({ sigmaB: 0 }), relu, gap, dense()];
    const without = [conv({ sigmaB: null }), relu, gap, dense()];
    const [right, wrong] = [gaps(layers, 24, 100, image), gaps(without, 24, 100, image)];
    const x = { shape: [samples, ...image], data: Float64Array.from(inputsOf(image)) };
    const limit = (l: readonly ArchLayer[]) =>
      limitKernel(
        parseArchitecture({ parameterization: 'standard', layers: l.map((k) => widened(k, 24)) }),
        x,
        null,
        { kind: 'ntk' },
      ).data;
    const shift = limit(layers)[0] - limit(without)[0];
    expect(Math.abs(right.standard.mean[0]) / Math.sqrt(right.standard.variance[0])).toBeLessThan(4);
    expect(shift / 24 / Math.sqrt(wrong.standard.variance[0])).toBeGreaterThan(4);
  });
});
