import type { NativeProgram } from '../backends/nativeProgram.js';
import type { Threads } from '../backends/simd/index.js';
import type * as tf from '../tf.js';

/**
 * What the code above the backends asks of the one in use. Everything has a form that works on all of them; a device that
 * has a faster one, or less memory, says so here and nowhere else. Tensors are float32.
 */
export interface Device {
  /** Numbers that one pass may hold. */
  readonly passValues: number;
  /** Numbers of one tensor in a chunk of images. */
  readonly chunkValues: number;
  /** Bytes that new tensors may take. */
  availableBytes(): number;
  /** A^T B of every sample: [N, S, k] and [N, S, c] to [N, k, c]. */
  sampleOuter(a: tf.Tensor3D, b: tf.Tensor3D): tf.Tensor3D;
  /** Whether products of patches and cotangents are faster with the patches first; else the narrow operand goes first. */
  readonly patchesFirst: boolean;
  /** 1 where h > 0, else 0. */
  step(h: tf.Tensor): tf.Tensor;
  /** The slope of relu at h, given phi = relu(h). */
  reluSlope(h: tf.Tensor, phi: tf.Tensor): tf.Tensor;
  /** d phi'(h) in one pass over the memory, from phi = phi(h), for 'relu' and 'tanh'; null where there is no such pass. */
  mulDerivative(activation: string, d: tf.Tensor, phi: tf.Tensor): tf.Tensor | null;
  /** Operations one after another without tensors, for what is so small that tensors would cost more; null elsewhere. */
  program(): NativeProgram | null;
  /** Our own products, Gram matrices and convolutions on several threads; null elsewhere. */
  threads(): Threads | null;
}
