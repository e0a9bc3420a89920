import type { NativeProgram, NativeTensor } from '../../backends/nativeProgram.js';
import type { ActivationName } from '../../models/spec.js';

interface NativeActivation {
  readonly forward: (p: NativeProgram, h: NativeTensor) => NativeTensor;
  /** d o phi'(h), from phi = phi(h). */
  readonly back: (p: NativeProgram, d: NativeTensor, h: NativeTensor, phi: NativeTensor) => NativeTensor;
}

/** Activations that the native library has one or two operations for, there and back. */
export const nativeActivations: Partial<Record<ActivationName, NativeActivation>> = {
  identity: { forward: (_p, h) => h, back: (_p, d) => d },
  relu: { forward: (p, h) => p.each('Relu', h), back: (p, d, _h, phi) => p.each('ReluGrad', d, phi) },
  tanh: { forward: (p, h) => p.each('Tanh', h), back: (p, d, _h, phi) => p.each('TanhGrad', phi, d) },
  sigmoid: {
    forward: (p, h) => p.each('Sigmoid', h),
    back: (p, d, _h, phi) => p.each('SigmoidGrad', phi, d),
  },
  softplus: { forward: (p, h) => p.each('Softplus', h), back: (p, d, h) => p.each('SoftplusGrad', d, h) },
  abs: { forward: (p, h) => p.each('Abs', h), back: (p, d, h) => p.each('Mul', d, p.each('Sign', h)) },
  sin: { forward: (p, h) => p.each('Sin', h), back: (p, d, h) => p.each('Mul', d, p.each('Cos', h)) },
  exp: { forward: (p, h) => p.each('Exp', h), back: (p, d, _h, phi) => p.each('Mul', d, phi) },
};
