import * as core from '@tensorflow/tfjs-core';

/**
 * Methods such as `x.matMul(y)` on tensors, which the union package adds and some layers use. Every operation of the
 * core that is declared as a method becomes one; those that are named or shaped differently follow.
 */
const sameName = [
  'abs',
  'acos',
  'acosh',
  'add',
  'all',
  'any',
  'argMax',
  'argMin',
  'asin',
  'asinh',
  'atan',
  'atan2',
  'atanh',
  'avgPool',
  'batchNorm',
  'batchToSpaceND',
  'broadcastTo',
  'cast',
  'ceil',
  'clipByValue',
  'conv1d',
  'conv2d',
  'conv2dTranspose',
  'cos',
  'cosh',
  'cumprod',
  'cumsum',
  'depthToSpace',
  'depthwiseConv2d',
  'dilation2d',
  'div',
  'divNoNan',
  'dot',
  'elu',
  'equal',
  'erf',
  'euclideanNorm',
  'exp',
  'expandDims',
  'expm1',
  'fft',
  'floor',
  'floorDiv',
  'gather',
  'greater',
  'greaterEqual',
  'ifft',
  'irfft',
  'isFinite',
  'isInf',
  'isNaN',
  'leakyRelu',
  'less',
  'lessEqual',
  'localResponseNormalization',
  'log',
  'log1p',
  'logSigmoid',
  'logSoftmax',
  'logSumExp',
  'logicalAnd',
  'logicalNot',
  'logicalOr',
  'logicalXor',
  'matMul',
  'max',
  'maxPool',
  'maximum',
  'mean',
  'min',
  'minimum',
  'mirrorPad',
  'mod',
  'mul',
  'neg',
  'norm',
  'notEqual',
  'oneHot',
  'onesLike',
  'pad',
  'pool',
  'pow',
  'prelu',
  'prod',
  'reciprocal',
  'relu',
  'relu6',
  'reshape',
  'resizeBilinear',
  'resizeNearestNeighbor',
  'reverse',
  'rfft',
  'round',
  'rsqrt',
  'selu',
  'separableConv2d',
  'sigmoid',
  'sign',
  'sin',
  'sinh',
  'slice',
  'softmax',
  'softplus',
  'spaceToBatchND',
  'split',
  'sqrt',
  'square',
  'squaredDifference',
  'squeeze',
  'step',
  'stridedSlice',
  'sub',
  'sum',
  'tan',
  'tanh',
  'tile',
  'topk',
  'transpose',
  'unsortedSegmentSum',
  'unstack',
  'where',
  'zerosLike',
] as const; // prettier keeps the list compact

type Method = (this: core.Tensor, ...rest: unknown[]) => unknown;

const different: Readonly<Record<string, Method>> = {
  flatten(this) {
    return core.reshape(this, [this.size]);
  },
  asScalar(this) {
    return core.reshape(this, []);
  },
  as1D(this) {
    return core.reshape(this, [this.size]);
  },
  as2D(this, ...shape) {
    return core.reshape(this, shape as number[]);
  },
  as3D(this, ...shape) {
    return core.reshape(this, shape as number[]);
  },
  as4D(this, ...shape) {
    return core.reshape(this, shape as number[]);
  },
  asType(this, dtype) {
    return core.cast(this, dtype as core.DataType);
  },
  toFloat(this) {
    return core.cast(this, 'float32');
  },
  toInt(this) {
    return core.cast(this, 'int32');
  },
  toBool(this) {
    return core.cast(this, 'bool');
  },
  reshapeAs(this, other) {
    return core.reshape(this, (other as core.Tensor).shape);
  },
  concat(this, others, axis) {
    return core.concat([this, ...(Array.isArray(others) ? others : [others])], axis as number | undefined);
  },
  stack(this, others, axis) {
    return core.stack([this, ...(Array.isArray(others) ? others : [others])], axis as number | undefined);
  },
};

const prototype = core.Tensor.prototype as unknown as Record<string, unknown>;
const operations = core as unknown as Record<string, (...values: unknown[]) => unknown>;
const images = core.image as unknown as Record<string, (...values: unknown[]) => unknown>;
for (const name of sameName) {
  const operation = operations[name] ?? images[name];
  if (operation && !(name in prototype)) {
    prototype[name] = function (this: core.Tensor, ...rest: unknown[]) {
      return name === 'where' ? operation(rest[0], this, rest[1]) : operation(this, ...rest);
    };
  }
}
for (const [name, method] of Object.entries(different)) if (!(name in prototype)) prototype[name] = method;
