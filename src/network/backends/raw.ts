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

/** Multiplications up to which one product is sooner done by the plain operation than by the batched one. */
const plainProducts = 2 ** 23;

/**
 * The operation for a product of two matrices. The plain one starts at once, and is as fast as the batched one unless the
 * second matrix is turned; then it is up to three times slower at large sizes.
 */
export function productOperation(
  a: readonly number[],
  b: readonly number[],
  transposeB: boolean,
): 'MatMul' | 'BatchMatMulV2' {
  if (!transposeB) return 'MatMul';
  const multiplications = a[0] * a[1] * b[0];
  return multiplications <= plainProducts ? 'MatMul' : 'BatchMatMulV2';
}

/** Attributes of a product of float32 matrices. */
export function productAttributes(
  operation: 'MatMul' | 'BatchMatMulV2',
  transposeA: boolean,
  transposeB: boolean,
): readonly object[] {
  const { TF_ATTR_TYPE, TF_ATTR_BOOL, TF_FLOAT } = nativeBackend().binding;
  const [first, second] = operation === 'MatMul' ? ['transpose_a', 'transpose_b'] : ['adj_x', 'adj_y'];
  return [
    { name: first, type: TF_ATTR_BOOL, value: transposeA },
    { name: second, type: TF_ATTR_BOOL, value: transposeB },
    { name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT },
  ];
}
