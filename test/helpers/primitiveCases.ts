/** A call of one kernel of TensorFlow.js. */
export interface PrimitiveCase {
  readonly kernel: string;
  /** Shapes of the float inputs, by the kernel's names ("0", "1", ... for lists). */
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly attrs?: Readonly<Record<string, unknown>>;
  readonly list?: boolean;
  /** Numbers lie in [low, high]; standard normal where absent. */
  readonly range?: readonly [number, number];
  /** Inputs that are whole or truth values, and are not differentiated. */
  readonly fixed?: Readonly<
    Record<
      string,
      {
        readonly shape: readonly number[];
        readonly values: readonly number[];
        readonly dtype: 'int32' | 'bool';
      }
    >
  >;
}

type Shapes = PrimitiveCase['inputs'];
type More = Partial<PrimitiveCase>;

const one = (
  kernel: string,
  x: readonly number[],
  attrs: Record<string, unknown> = {},
  more: More = {},
): PrimitiveCase => ({
  kernel,
  inputs: { x },
  attrs,
  ...more,
});
const all = (
  kernel: string,
  inputs: Shapes,
  attrs: Record<string, unknown> = {},
  more: More = {},
): PrimitiveCase => ({
  kernel,
  inputs,
  attrs,
  ...more,
});

const anywhere = [
  'Abs',
  'Asinh',
  'Atan',
  'Ceil',
  'Cos',
  'Cosh',
  'Elu',
  'Erf',
  'Exp',
  'Expm1',
  'Floor',
  'Identity',
  'Neg',
  'Relu',
  'Relu6',
  'Round',
  'Selu',
  'Sigmoid',
  'Sign',
  'Sin',
  'Sinh',
  'Softplus',
  'Square',
  'Tan',
  'Tanh',
];
const positive = ['Log', 'Log1p', 'Reciprocal', 'Rsqrt', 'Sqrt'];

const elementwise: readonly PrimitiveCase[] = [
  ...anywhere.map((kernel) => one(kernel, [2, 3, 4])),
  ...positive.map((kernel) => one(kernel, [2, 3, 4], {}, { range: [0.3, 2] })),
  ...['Acos', 'Asin', 'Atanh'].map((kernel) => one(kernel, [3, 4], {}, { range: [-0.9, 0.9] })),
  one('Acosh', [3, 4], {}, { range: [1.2, 3] }),
  one('ClipByValue', [3, 4], { clipValueMin: -0.5, clipValueMax: 0.7 }),
  one('LeakyRelu', [3, 4], { alpha: 0.2 }),
  one('Step', [3, 4], { alpha: 0 }),
  one('Cast', [3, 4], { dtype: 'float32' }),
  ...['Add', 'Sub', 'Multiply', 'SquaredDifference', 'Maximum', 'Minimum'].flatMap((kernel) => [
    all(kernel, { a: [2, 3, 4], b: [2, 3, 4] }),
    all(kernel, { a: [3, 1], b: [2, 3, 4] }),
    all(kernel, { a: [2, 3, 4], b: [4] }),
  ]),
  ...['RealDiv', 'Pow', 'Atan2'].flatMap((kernel) => [
    all(kernel, { a: [3, 4], b: [3, 4] }, {}, { range: [0.4, 2] }),
    all(kernel, { a: [2, 3, 4], b: [3, 1] }, {}, { range: [0.4, 2] }),
  ]),
  all(
    'Select',
    { t: [2, 3], e: [2, 3] },
    {},
    { fixed: { condition: { shape: [2, 3], values: [1, 0, 0, 1, 1, 0], dtype: 'bool' } } },
  ),
  all('Prelu', { x: [2, 3, 4], alpha: [3, 4] }),
  all('Prelu', { x: [2, 3, 4], alpha: [2, 3, 4] }),
  all(
    'FusedBatchNorm',
    { x: [2, 3, 2, 4], mean: [4], variance: [4], scale: [4], offset: [4] },
    { varianceEpsilon: 0.1 },
    { range: [0.4, 2] },
  ),
  all(
    'FusedBatchNorm',
    { x: [2, 3, 2, 4], mean: [3, 1, 1], variance: [3, 1, 1], scale: [3, 1, 1], offset: [3, 1, 1] },
    { varianceEpsilon: 0.1 },
    { range: [0.4, 2] },
  ),
];

const pieces: readonly PrimitiveCase[] = [
  one('Reshape', [2, 6], { shape: [3, 4] }),
  one('Reshape', [2, 3, 4], { shape: [6, 4] }),
  one('ExpandDims', [2, 3], { dim: 1 }, { inputs: { input: [2, 3] } }),
  one('Transpose', [2, 3, 4], { perm: [2, 0, 1] }),
  one('Reverse', [2, 3, 4], { dims: [0, 2] }),
  ...[0, 2].flatMap((axis) => [
    one('Cumsum', [2, 3, 4], { axis, exclusive: false, reverse: false }),
    one('Cumsum', [2, 3, 4], { axis, exclusive: true, reverse: true }),
  ]),
  one('Slice', [3, 5], { begin: [1, 0], size: [2, 4] }),
  one('PadV2', [3, 4], {
    paddings: [
      [0, 1],
      [2, 0],
    ],
    constantValue: 0,
  }),
  all('Concat', { 0: [2, 3], 1: [2, 1], 2: [2, 2] }, { axis: 1 }, { list: true }),
  all('Pack', { 0: [2, 3], 1: [2, 3] }, { axis: 1 }, { list: true }),
  all('Unpack', { value: [2, 3, 4] }, { axis: 1 }),
  one('SplitV', [2, 6], { numOrSizeSplits: [1, 2, 3], axis: 1 }),
  one('Tile', [2, 3], { reps: [2, 3] }),
  one(
    'GatherV2',
    [4, 3],
    { axis: 0, batchDims: 0 },
    { fixed: { indices: { shape: [5], values: [0, 3, 3, 1, 0], dtype: 'int32' } } },
  ),
  one(
    'GatherV2',
    [2, 4],
    { axis: 1, batchDims: 0 },
    { fixed: { indices: { shape: [3], values: [3, 1, 1], dtype: 'int32' } } },
  ),
  all('AddN', { 0: [2, 3], 1: [2, 3], 2: [2, 3] }, {}, { list: true }),
  one('StridedSlice', [5, 4], {
    begin: [1, 3],
    end: [5, 0],
    strides: [2, -1],
    beginMask: 0,
    endMask: 0,
    ellipsisMask: 0,
    newAxisMask: 0,
    shrinkAxisMask: 0,
  }),
  ...['reflect', 'symmetric'].map((mode) =>
    one('MirrorPad', [3, 4], {
      paddings: [
        [1, 2],
        [0, 2],
      ],
      mode,
    }),
  ),
  one('SpaceToBatchND', [1, 3, 4, 2], {
    blockShape: [2, 2],
    paddings: [
      [1, 0],
      [0, 0],
    ],
  }),
  one('BatchToSpaceND', [4, 2, 2, 1], {
    blockShape: [2, 2],
    crops: [
      [0, 1],
      [0, 0],
    ],
  }),
  one('DepthToSpace', [2, 2, 3, 4], { blockSize: 2, dataFormat: 'NHWC' }),
  all(
    'GatherNd',
    { params: [4, 3, 2] },
    {},
    { fixed: { indices: { shape: [3, 2], values: [0, 1, 3, 2, 0, 1], dtype: 'int32' } } },
  ),
];

const sums: readonly PrimitiveCase[] = [
  one('Sum', [2, 3, 4], { axis: [1], keepDims: false }),
  one('Sum', [2, 3, 4], { axis: [0, 2], keepDims: true }),
  one('Mean', [2, 3, 4], { axis: [2], keepDims: false }),
  one('Max', [2, 3, 4], { reductionIndices: [1], keepDims: false }),
  one('Min', [2, 3, 4], { axis: [0, 2], keepDims: false }),
  one('Prod', [2, 3, 4], { axis: [2], keepDims: false }),
  all('Softmax', { logits: [2, 3, 4] }, { dim: 2 }),
  all('BatchMatMul', { a: [1, 3, 4], b: [1, 4, 2] }, { transposeA: false, transposeB: false }),
  ...[false, true].flatMap((transposeA) =>
    [false, true].flatMap((transposeB) => [
      all(
        'BatchMatMul',
        { a: transposeA ? [2, 4, 3] : [2, 3, 4], b: transposeB ? [2, 5, 4] : [2, 4, 5] },
        { transposeA, transposeB },
      ),
      all(
        'BatchMatMul',
        { a: transposeA ? [2, 1, 4, 3] : [2, 1, 3, 4], b: transposeB ? [3, 5, 4] : [3, 4, 5] },
        { transposeA, transposeB },
      ),
    ]),
  ),
  all('Einsum', { 0: [2, 3, 4], 1: [4, 5] }, { equation: 'btd,dk->bkt' }, { list: true }),
  all('Einsum', { 0: [2, 3], 1: [2, 4] }, { equation: 'bi,bj->bij' }, { list: true }),
  all('Einsum', { 0: [2, 3], 1: [4] }, { equation: 'ij,k->ik' }, { list: true }),
];

const conv = { dilations: [1, 1], dataFormat: 'NHWC' };
const images: readonly PrimitiveCase[] = [
  ...(['same', 'valid'] as const).flatMap((pad): PrimitiveCase[] => [
    all('Conv2D', { x: [2, 5, 4, 2], filter: [3, 2, 2, 3] }, { ...conv, strides: [2, 1], pad }),
    all(
      'Conv2D',
      { x: [2, 5, 5, 2], filter: [2, 2, 2, 3] },
      { ...conv, strides: [1, 1], pad, dilations: [2, 2] },
    ),
    all(
      'DepthwiseConv2dNative',
      { x: [2, 5, 4, 2], filter: [3, 2, 2, 2] },
      { ...conv, strides: [1, 1], pad },
    ),
    all(
      'DepthwiseConv2dNative',
      { x: [2, 5, 5, 2], filter: [2, 2, 2, 2] },
      { ...conv, strides: [1, 1], pad, dilations: [2, 1] },
    ),
    all(
      'Conv3D',
      { x: [2, 4, 3, 3, 2], filter: [2, 2, 2, 2, 3] },
      { strides: [1, 1, 1], pad, dataFormat: 'NDHWC', dilations: [1, 1, 1] },
    ),
    all(
      'Conv3D',
      { x: [2, 4, 3, 3, 2], filter: [2, 2, 2, 2, 3] },
      { strides: [1, 1, 1], pad, dataFormat: 'NDHWC', dilations: [2, 1, 2] },
    ),
    all(
      'Conv2DBackpropInput',
      { dy: [2, 3, 3, 3], filter: [2, 2, 2, 3] },
      {
        strides: pad === 'same' ? [2, 2] : [1, 1],
        pad,
        dataFormat: 'NHWC',
        inputShape: pad === 'same' ? [2, 6, 6, 2] : [2, 4, 4, 2],
      },
    ),
    all(
      'Conv3DBackpropInputV2',
      { dy: [2, 2, 2, 2, 3], filter: [2, 2, 2, 2, 3] },
      {
        strides: pad === 'same' ? [2, 2, 2] : [1, 1, 1],
        pad,
        inputShape: pad === 'same' ? [2, 4, 4, 4, 2] : [2, 3, 3, 3, 2],
      },
    ),
    one('AvgPool', [2, 5, 4, 2], { filterSize: [3, 2], strides: [2, 1], pad }),
    one('MaxPool', [2, 5, 4, 2], { filterSize: [3, 2], strides: [2, 1], pad }),
    one('AvgPool3D', [2, 4, 3, 3, 2], {
      filterSize: [2, 2, 2],
      strides: [1, 2, 1],
      pad,
      dataFormat: 'NDHWC',
    }),
    one('MaxPool3D', [2, 4, 3, 3, 2], {
      filterSize: [2, 2, 2],
      strides: [1, 2, 1],
      pad,
      dataFormat: 'NDHWC',
    }),
  ]),
  ...['ResizeBilinear', 'ResizeNearestNeighbor'].flatMap((kernel) =>
    [
      [false, false],
      [true, false],
      [false, true],
    ].flatMap(([alignCorners, halfPixelCenters]) =>
      [
        [5, 7],
        [2, 3],
      ].map((size) => all(kernel, { images: [2, 3, 4, 2] }, { alignCorners, halfPixelCenters, size })),
    ),
  ),
  all(
    'DepthwiseConv2dNativeBackpropInput',
    { dy: [2, 4, 3, 4], filter: [2, 2, 2, 2] },
    { strides: [1, 1], pad: 'valid', dilations: [1, 1], inputShape: [2, 5, 4, 2] },
  ),
  one('LRN', [2, 2, 2, 5], { depthRadius: 1, bias: 1, alpha: 0.5, beta: 0.7 }),
];

export const primitiveCases: readonly PrimitiveCase[] = [...elementwise, ...pieces, ...sums, ...images];

export const labelOf = ({ kernel, inputs, attrs }: PrimitiveCase): string =>
  `${kernel} of ${Object.entries(inputs)
    .map(([name, shape]) => `${name} [${shape}]`)
    .join(', ')} ${JSON.stringify(attrs)}`;
