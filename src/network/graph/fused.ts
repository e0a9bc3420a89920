import type { Value } from './graph.js';

/** One half of a fused kernel; a null input is the result of the half before. */
interface Half {
  readonly kernel: string;
  readonly inputs: Readonly<Record<string, Value | null>>;
  readonly attrs: Record<string, unknown>;
}

const plain: Readonly<Record<string, string>> = {
  _FusedMatMul: 'BatchMatMul',
  FusedConv2D: 'Conv2D',
  FusedDepthwiseConv2D: 'DepthwiseConv2dNative',
};

/** Whether a `tf.customGrad` holds one of TensorFlow.js's fused kernels and nothing else, by the kernels it ran. */
export const isFusedScope = (kernels: readonly string[]): boolean =>
  kernels.some((kernel) => kernel in plain) &&
  kernels.every((kernel) => kernel in plain || kernel === 'Reshape');

/** A fused product or convolution as the plain kernel and the addition of its bias; null for any other kernel. */
export function expandFused(
  kernel: string,
  inputs: Readonly<Record<string, Value>>,
  attrs: Readonly<Record<string, unknown>>,
): readonly Half[] | null {
  // Under a gradient TensorFlow.js fuses no activation.
  if (!(kernel in plain) || (attrs.activation ?? 'linear') !== 'linear') return null;
  const { bias, preluActivationWeights: _, ...operands } = inputs;
  const first: Half = { kernel: plain[kernel], inputs: operands, attrs };
  return bias ? [first, { kernel: 'Add', inputs: { a: null, b: bias }, attrs: {} }] : [first];
}
