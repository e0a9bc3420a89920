import * as tf from '../tf.js';

/** What of tfjs-node's backend and its binding is used by name. */
interface NativeBackend {
  readonly binding: {
    readonly TF_ATTR_TYPE: number;
    readonly TF_ATTR_BOOL: number;
    readonly TF_ATTR_INT: number;
    readonly TF_FLOAT: number;
    readonly TF_INT32: number;
    executeOp(
      op: string,
      attributes: readonly object[],
      ids: readonly number[],
      outputs: number,
    ): { readonly id: number }[];
    createTensor(shape: readonly number[], type: number, values: Int32Array | Float32Array): number;
    tensorDataSync(id: number): Float32Array;
    deleteTensor(id: number): void;
  };
  executeSingleOutput(op: string, attributes: readonly object[], inputs: readonly tf.Tensor[]): tf.Tensor;
  getInputTensorIds(tensors: readonly tf.Tensor[]): number[];
  createOutputTensor(made: {
    readonly id: number;
    readonly dtype: number;
    readonly shape: readonly number[];
  }): tf.Tensor;
}

export const nativeBackend = (): NativeBackend => tf.backend() as unknown as NativeBackend;

/**
 * One of TensorFlow's own operations on float32 tensors whose only attribute is their type `T`. For the native backend
 * alone, and not recorded on the tape.
 */
export function nativeOperation(op: string, inputs: readonly tf.Tensor[]): tf.Tensor {
  const backend = nativeBackend();
  const { TF_ATTR_TYPE, TF_FLOAT } = backend.binding;
  return backend.executeSingleOutput(op, [{ name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT }], inputs);
}
