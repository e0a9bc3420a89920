import { wasmBytes } from '../backends/memory.js';
import { threads } from '../backends/simd/index.js';
import * as tf from '../tf.js';
import type { Device } from './device.js';
import { plain } from './plain.js';

/** TensorFlow.js's WebAssembly backend beside our own, whose threads have a memory of their own. */
export const wasm: Device = {
  ...plain,
  // Memory that it once took it never gives back.
  passValues: 2 ** 25,
  chunkValues: 2 ** 21,
  availableBytes: () => Math.min(wasmBytes(), process.availableMemory()),
  // Its products of transposed operands are several times slower.
  sampleOuter: (a, b) => tf.matMul(tf.transpose(a, [0, 2, 1]), b) as tf.Tensor3D,
  patchesFirst: true,
  // It compares slowly.
  step: (h) => tf.step(h),
  reluSlope: (h) => tf.step(h),
  threads,
};
