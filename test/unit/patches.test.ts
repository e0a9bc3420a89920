import { beforeAll, describe, expect, it } from 'vitest';
import type { BackendName } from '../../src/network/backends/index.js';
import { useBackend } from '../../src/network/backends/index.js';
import * as tf from '../../src/network/tf.js';
import { backendsUnderTest } from '../helpers/backend.js';

/**
 * Every kernel and gradient that the backends' repairs touch, differentiated by TensorFlow.js and by finite differences
 * along a random direction, and once more on the plain JavaScript backend.
 */

type Compute = (x: tf.Tensor) => tf.Tensor;

interface Case {
  readonly name: string;
  readonly shape: readonly number[];
  readonly compute: Compute;
  /** Differentiates twice as well. */
  readonly twice?: boolean;
  /** Values of x lie in [low, high] (default: standard normal). */
  readonly range?: readonly [number, number];
}

const fixed = (shape: readonly number[], seed: number): tf.Tensor =>
  tf.randomNormal([...shape], 0, 1, 'float32', seed);

const convolutions = (['same', 'valid'] as const).flatMap((pad) =>
  (
    [
      // kernel size, stride, dilation
      [3, 1, 1],
      [3, 2, 1],
      [2, 3, 1],
      [5, 2, 1],
      [3, 1, 2],
      [2, 1, 3],
    ] as const
  ).flatMap(([k, stride, dilation]): Case[] => {
    const label = `${pad}, ${k} x ${k}, stride ${stride}, dilation ${dilation}`;
    const images = [2, 9, 8, 3];
    const filters = [k, k, 3, 4];
    const conv = (x: tf.Tensor, w: tf.Tensor) =>
      tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, pad, 'NHWC', dilation);
    const depthwise = (x: tf.Tensor, w: tf.Tensor) =>
      tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, pad, 'NHWC', dilation);
    const cases: Case[] = [
      { name: `conv2d by its input (${label})`, shape: images, compute: (x) => conv(x, fixed(filters, 1)) },
      { name: `conv2d by its filter (${label})`, shape: filters, compute: (w) => conv(fixed(images, 2), w) },
    ];
    if (dilation > 1) return cases;
    return [
      ...cases,
      {
        name: `depthwise conv by its input (${label})`,
        shape: images,
        compute: (x) => depthwise(x, fixed([k, k, 3, 2], 3)),
      },
      {
        name: `depthwise conv by its filter (${label})`,
        shape: [k, k, 3, 2],
        compute: (w) => depthwise(fixed(images, 4), w),
      },
    ];
  }),
);

const pools = (['same', 'valid'] as const).flatMap((pad): Case[] => [
  {
    name: `max pooling of negative values (${pad})`,
    shape: [2, 6, 5, 3],
    range: [-2, -0.1],
    compute: (x) => tf.maxPool(x as tf.Tensor4D, 3, 2, pad),
  },
  {
    name: `average pooling (${pad})`,
    shape: [2, 6, 5, 3],
    compute: (x) => tf.avgPool(x as tf.Tensor4D, 3, 2, pad),
  },
]);

const others: readonly Case[] = [
  { name: 'tanh', shape: [7], compute: tf.tanh, twice: true },
  { name: 'sigmoid', shape: [7], compute: tf.sigmoid, twice: true },
  { name: 'exp', shape: [7], compute: tf.exp, twice: true },
  { name: 'elu', shape: [7], compute: tf.elu, twice: true },
  { name: 'softplus', shape: [7], compute: tf.softplus, twice: true },
  { name: 'log-sigmoid', shape: [7], compute: tf.logSigmoid, twice: true },
  { name: 'softmax', shape: [3, 4], compute: (x) => tf.softmax(x), twice: true },
  { name: 'log-softmax', shape: [3, 4], compute: (x) => tf.logSoftmax(x) },
  {
    name: 'where over a comparison',
    shape: [7],
    compute: (x) => tf.where(tf.greater(x, 0.1), tf.square(x), tf.mul(x, 3)),
  },
  { name: 'gather', shape: [5, 3], compute: (x) => tf.gather(x, tf.tensor1d([0, 3, 3, 1], 'int32')) },
  {
    name: 'gatherND',
    shape: [4, 3, 2],
    compute: (x) =>
      tf.gatherND(
        x,
        tf.tensor2d(
          [
            [0, 1],
            [3, 2],
            [0, 1],
          ],
          [3, 2],
          'int32',
        ),
      ),
  },
  {
    name: 'einsum, matrix product',
    shape: [3, 4],
    compute: (x) => tf.einsum('ij,jk->ik', x, fixed([4, 2], 5)),
  },
  {
    name: 'einsum, batched, second operand',
    shape: [2, 4, 3],
    compute: (x) => tf.einsum('bij,bjk->bik', fixed([2, 5, 4], 6), x),
  },
  {
    name: 'einsum, sum over an own index',
    shape: [3, 4],
    compute: (x) => tf.einsum('ij,k->ik', x, fixed([2], 7)),
  },
  { name: 'einsum, transpose', shape: [3, 4], compute: (x) => tf.einsum('ij->ji', x) },
  { name: 'a long sum', shape: [4096], compute: (x) => tf.sum(tf.square(x)) },
  {
    name: 'batched products with transposes',
    shape: [2, 3, 4],
    compute: (x) => tf.matMul(x, fixed([2, 5, 4], 8), false, true),
  },
  ...[0, 1].map((side) => ({
    name: `batched products of unequal rows, ${side ? 'right' : 'left'}`,
    shape: [2, 1, 3, 4],
    compute: (x: tf.Tensor) =>
      side ? tf.matMul(fixed([2, 3, 5, 3], 8), x) : tf.matMul(x, fixed([2, 3, 4, 5], 8)),
  })),
  { name: 'a maximum with ties', shape: [2, 3], compute: (x) => tf.max(tf.concat([x, tf.mul(x, 1)], 1), 1) },
  {
    name: 'cumulative sums along the first axis',
    shape: [4, 3],
    compute: (x) => tf.cumsum(x, 0, true, true),
  },
  ...[tf.maximum, tf.minimum, tf.squaredDifference].map((of, k) => ({
    name: `a row against rows, ${['maximum', 'minimum', 'squared difference'][k]}`,
    shape: [4],
    compute: (x: tf.Tensor) => of(x, fixed([3, 4], 9)),
  })),
  { name: 'copies', shape: [2, 3], compute: (x) => tf.tile(x, [3, 2]) },
  {
    name: 'mirrored margins',
    shape: [3, 4],
    compute: (x) =>
      tf.mirrorPad(
        x,
        [
          [1, 2],
          [2, 0],
        ],
        'reflect',
      ),
  },
  { name: 'strided slices', shape: [5, 4], compute: (x) => tf.stridedSlice(x, [1, 3], [5, 0], [2, -1]) },
  {
    name: 'depth to space',
    shape: [2, 2, 3, 4],
    compute: (x) => tf.depthToSpace(x as tf.Tensor4D, 2, 'NHWC'),
  },
  {
    name: 'local response normalisation',
    shape: [2, 2, 2, 5],
    compute: (x) => tf.localResponseNormalization(x as tf.Tensor4D, 1, 1, 0.5, 0.7),
  },
  ...(['valid', 'same'] as const).flatMap((pad): Case[] => [
    {
      name: `average pooling of volumes (${pad})`,
      shape: [2, 4, 3, 3, 2],
      compute: (x) => tf.avgPool3d(x as tf.Tensor5D, 2, 1, pad),
    },
    {
      name: `max pooling of negative volumes (${pad})`,
      shape: [2, 4, 3, 3, 2],
      range: [-2, -0.1],
      compute: (x) => tf.maxPool3d(x as tf.Tensor5D, 2, 2, pad),
    },
    ...[1, 2].flatMap((dilation): Case[] => [
      {
        name: `conv3d by its input (${pad}, dilation ${dilation})`,
        shape: [2, 4, 4, 3, 2],
        compute: (x) =>
          tf.conv3d(x as tf.Tensor5D, fixed([2, 2, 2, 2, 3], 1) as tf.Tensor5D, 1, pad, 'NDHWC', dilation),
      },
      {
        name: `conv3d by its filter (${pad}, dilation ${dilation})`,
        shape: [2, 2, 2, 2, 3],
        compute: (w) =>
          tf.conv3d(fixed([2, 4, 4, 3, 2], 2) as tf.Tensor5D, w as tf.Tensor5D, 1, pad, 'NDHWC', dilation),
      },
      {
        name: `dilated depthwise conv by its input (${pad}, dilation ${dilation})`,
        shape: [2, 6, 5, 3],
        compute: (x) =>
          tf.depthwiseConv2d(x as tf.Tensor4D, fixed([2, 3, 3, 2], 3) as tf.Tensor4D, 1, pad, 'NHWC', [
            dilation,
            1,
          ]),
      },
      {
        name: `dilated depthwise conv by its filter (${pad}, dilation ${dilation})`,
        shape: [2, 3, 3, 2],
        compute: (w) =>
          tf.depthwiseConv2d(fixed([2, 6, 5, 3], 3) as tf.Tensor4D, w as tf.Tensor4D, 1, pad, 'NHWC', [
            dilation,
            1,
          ]),
      },
    ]),
    {
      name: `transposed conv3d by its input (${pad})`,
      shape: [2, 3, 2, 2, 2],
      compute: (x) =>
        tf.conv3dTranspose(
          x as tf.Tensor5D,
          fixed([2, 2, 2, 3, 2], 1) as tf.Tensor5D,
          pad === 'same' ? [2, 6, 4, 4, 3] : [2, 4, 3, 3, 3],
          pad === 'same' ? 2 : 1,
          pad,
        ),
    },
    {
      name: `transposed conv3d by its filter (${pad})`,
      shape: [2, 2, 2, 3, 2],
      compute: (w) =>
        tf.conv3dTranspose(
          fixed([2, 3, 2, 2, 2], 1) as tf.Tensor5D,
          w as tf.Tensor5D,
          pad === 'same' ? [2, 6, 4, 4, 3] : [2, 4, 3, 3, 3],
          pad === 'same' ? 2 : 1,
          pad,
        ),
    },
  ]),
  ...[[1, 5, 1], [2, 1, 3], [3]].map(
    (own): Case => ({
      name: `batch normalisation by [${own}]`,
      shape: [2, 5, 3],
      compute: (x) =>
        tf.batchNorm3d(
          x as tf.Tensor3D,
          fixed(own, 1) as tf.Tensor3D,
          tf.add(tf.square(fixed(own, 2)), 0.5) as tf.Tensor3D,
          fixed(own, 3) as tf.Tensor3D,
          fixed(own, 4) as tf.Tensor3D,
        ),
    }),
  ),
  ...[
    [tf.image.resizeBilinear, 'bilinear'] as const,
    [tf.image.resizeNearestNeighbor, 'nearest'] as const,
  ].flatMap(([resize, name]) =>
    [
      [5, 7],
      [2, 2],
    ].flatMap((size) =>
      [
        [false, false],
        [true, false],
        [false, true],
      ].map(
        ([corners, half]): Case => ({
          name: `resizing, ${name}, to ${size}${corners ? ', corners aligned' : ''}${half ? ', half pixels' : ''}`,
          shape: [2, 3, 4, 2],
          compute: (x) => resize(x as tf.Tensor4D, size as [number, number], corners, half),
        }),
      ),
    ),
  ),
  { name: 'slices', shape: [4, 5], compute: (x) => tf.slice(x, [1, 2], [2, 3]) },
];

const cases: readonly Case[] = [...convolutions, ...pools, ...others];

const start = (c: Case): tf.Tensor =>
  c.range
    ? tf.randomUniform([...c.shape], c.range[0], c.range[1], 'float32', 11)
    : tf.randomNormal([...c.shape], 0, 1, 'float32', 11);

/** A scalar function of x: the outputs, weighted at random. */
const scalar =
  (compute: Compute): Compute =>
  (x) => {
    const y = compute(x);
    return tf.sum(tf.mul(y, tf.randomNormal(y.shape, 0, 1, 'float32', 12)));
  };

/** <gradient, direction> and the central difference along the same direction. */
function alongDirection(f: Compute, c: Case): { slope: number; difference: number; scale: number } {
  return tf.tidy(() => {
    const x = start(c);
    const direction = tf.randomNormal(x.shape, 0, 1, 'float32', 13);
    const gradient = tf.grad(f)(x);
    const h = 5e-3;
    const at = (t: number) => f(tf.add(x, tf.mul(direction, t))).dataSync()[0];
    return {
      slope: tf.sum(tf.mul(gradient, direction)).dataSync()[0],
      difference: (at(h) - at(-h)) / (2 * h),
      scale: tf.norm(gradient).dataSync()[0],
    };
  });
}

describe.each([...backendsUnderTest, 'cpu'] as BackendName[])('gradients on %s', (backend) => {
  beforeAll(async () => void (await useBackend(backend)));

  it.each(cases.map((c) => [c.name, c] as const))('%s', (_name, c) => {
    const { slope, difference, scale } = alongDirection(scalar(c.compute), c);
    expect(Math.abs(slope - difference)).toBeLessThan(5e-3 * Math.max(1, scale));
    expect(scale).toBeGreaterThan(0);
  });

  it.each(cases.filter((c) => c.twice).map((c) => [c.name, c] as const))('%s, twice', (_name, c) => {
    const first = tf.grad(scalar(c.compute));
    const bent = (x: tf.Tensor) =>
      tf.sum(tf.mul(tf.square(first(x)), tf.randomNormal(x.shape, 0, 1, 'float32', 14)));
    const { slope, difference, scale } = alongDirection(bent, c);
    expect(Math.abs(slope - difference)).toBeLessThan(5e-3 * Math.max(1, scale));
  });
});

describe.each(backendsUnderTest)('values on %s', (backend) => {
  it.each(cases.map((c) => [c.name, c] as const))(
    '%s is what plain JavaScript computes',
    async (_name, c) => {
      const values: ArrayLike<number>[] = [];
      for (const name of [backend, 'cpu'] as const) {
        await useBackend(name);
        values.push(tf.tidy(() => c.compute(start(c)).dataSync()));
      }
      const [a, b] = values;
      expect(a.length).toBe(b.length);
      for (let i = 0; i < a.length; i++)
        expect(Math.abs(a[i] - b[i])).toBeLessThan(1e-4 * (1 + Math.abs(b[i])));
    },
  );
});
