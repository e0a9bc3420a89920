import * as tf from '../tf.js';

interface NativeBackend {
  readonly binding: { readonly TF_ATTR_TYPE: number; readonly TF_FLOAT: number };
  executeSingleOutput(op: string, attributes: readonly object[], inputs: readonly tf.Tensor[]): tf.Tensor;
}

/**
 * One of TensorFlow's own operations on float32 tensors whose only attribute is their type `T`. For the native backend
 * alone, and not recorded on the tape.
 */
export function nativeOperation(op: string, inputs: readonly tf.Tensor[]): tf.Tensor {
  const backend = tf.backend() as unknown as NativeBackend;
  const { TF_ATTR_TYPE, TF_FLOAT } = backend.binding;
  return backend.executeSingleOutput(op, [{ name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT }], inputs);
}
