import * as tf from '../../tf.js';
import type { Operand } from '../simd/index.js';

export type Numbers = Float32Array | Int32Array | Uint8Array;

/** What is used of the wasm backend beside TensorFlow.js' own interface. */
export interface WasmBackend {
  makeOutput(shape: readonly number[], dtype: tf.DataType): tf.TensorInfo;
  /** The tensor's own memory; gone as soon as the next tensor is made. */
  typedArrayFromHeap(info: tf.TensorInfo): Numbers;
  incRef(id: object): void;
}

const backend = (): WasmBackend => tf.engine().findBackend('wasm') as unknown as WasmBackend;

/** A float32 tensor of undefined values on wasm. */
export const makeOutput = (shape: readonly number[]): tf.TensorInfo => backend().makeOutput(shape, 'float32');

/** The values of a float32 tensor on wasm, in its own memory; gone as soon as the next tensor is made. */
export const valuesOf = (info: tf.TensorInfo): Float32Array =>
  backend().typedArrayFromHeap(info) as Float32Array;

/** A float32 tensor on wasm as `rows` rows of k values; `turned` where it lies as [k, rows]. */
export const operandOf = (t: tf.Tensor, rows: number, k: number, turned = false): Operand => ({
  values: () => valuesOf(t),
  rows,
  k,
  turned,
});
