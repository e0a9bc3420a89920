import type * as tf from '../tf.js';
import { nativeBackend, productAttributes, productOperation } from './raw.js';

/** A float32 tensor of a NativeProgram. */
export interface NativeTensor {
  readonly id: number;
  readonly shape: readonly number[];
}

/**
 * TensorFlow's operations one after another by their handles alone: without tensors, scopes and tape, which at small
 * sizes cost as much time as the operations. What they make lives until `dispose`.
 */
export class NativeProgram {
  private readonly backend = nativeBackend();
  private readonly made: number[] = [];
  private readonly type: object;

  constructor() {
    const { TF_ATTR_TYPE, TF_FLOAT } = this.backend.binding;
    this.type = { name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT };
  }

  /** The values of a tensor, which stays its owner's. */
  of(tensor: tf.Tensor): NativeTensor {
    return { id: this.backend.getInputTensorIds([tensor])[0], shape: tensor.shape };
  }

  /** A or A^T times B or B^T, of two matrices or of as many of each in a row. */
  times(a: NativeTensor, b: NativeTensor, transposeA = false, transposeB = false): NativeTensor {
    const operation = a.shape.length === 2 ? productOperation(a.shape, b.shape, transposeB) : 'BatchMatMulV2';
    const attributes = productAttributes(operation, transposeA, transposeB);
    const rows = a.shape.at(transposeA ? -1 : -2) as number;
    const columns = b.shape.at(transposeB ? -2 : -1) as number;
    const shape = [...a.shape.slice(0, -2), rows, columns];
    return { id: this.run(operation, attributes, [a.id, b.id]), shape };
  }

  /** An operation on one tensor; or on two, elementwise, the second as large or one row for all. */
  each(op: string, a: NativeTensor, ...others: readonly NativeTensor[]): NativeTensor {
    return { id: this.run(op, [this.type], [a.id, ...others.map(({ id }) => id)]), shape: a.shape };
  }

  scaled(a: NativeTensor, factor: number): NativeTensor {
    if (factor === 1) return a;
    const { binding } = this.backend;
    const scalar = this.keep(binding.createTensor([], binding.TF_FLOAT, Float32Array.of(factor)));
    return { id: this.run('Mul', [this.type], [a.id, scalar]), shape: a.shape };
  }

  reshaped(a: NativeTensor, ...shape: readonly number[]): NativeTensor {
    return {
      id: this.run('Reshape', [this.type, this.index('Tshape')], [a.id, this.integers(shape)]),
      shape,
    };
  }

  /** `rows` equal copies of a row [1, k]. */
  repeated(a: NativeTensor, rows: number): NativeTensor {
    const shape = [rows, a.shape[1]];
    return {
      id: this.run('BroadcastTo', [this.type, this.index('Tidx')], [a.id, this.integers(shape)]),
      shape,
    };
  }

  /** Rows of a matrix [n, k] from one on. At multiples of 64 bytes they are not copied. */
  rows(a: NativeTensor, from: number, count: number): NativeTensor {
    const shape = [count, a.shape[1]];
    const [begin, size] = [this.integers([from, 0]), this.integers(shape)];
    return { id: this.run('Slice', [this.type, this.index('Index')], [a.id, begin, size]), shape };
  }

  /** Side by side along the last axis. */
  joined(tensors: readonly NativeTensor[]): NativeTensor {
    const [{ shape }] = tensors;
    const { TF_ATTR_INT, TF_INT32 } = this.backend.binding;
    const axis = this.keep(this.backend.binding.createTensor([], TF_INT32, Int32Array.of(shape.length - 1)));
    const attributes = [
      { name: 'N', type: TF_ATTR_INT, value: tensors.length },
      this.type,
      this.index('Tidx'),
    ];
    const width = tensors.reduce((sum, t) => sum + (t.shape.at(-1) as number), 0);
    const id = this.run('ConcatV2', attributes, [...tensors.map((t) => t.id), axis]);
    return { id, shape: [...shape.slice(0, -1), width] };
  }

  values({ id }: NativeTensor): Float32Array {
    return this.backend.binding.tensorDataSync(id);
  }

  /** A result as a tensor of its own, which outlives the program. */
  tensor({ id, shape }: NativeTensor): tf.Tensor {
    this.made.splice(this.made.indexOf(id), 1);
    return this.backend.createOutputTensor({ id, shape, dtype: this.backend.binding.TF_FLOAT });
  }

  dispose(): void {
    for (const id of this.made.splice(0)) this.backend.binding.deleteTensor(id);
  }

  private index(name: string): object {
    const { TF_ATTR_TYPE, TF_INT32 } = this.backend.binding;
    return { name, type: TF_ATTR_TYPE, value: TF_INT32 };
  }

  private integers(values: readonly number[]): number {
    const { TF_INT32 } = this.backend.binding;
    return this.keep(this.backend.binding.createTensor([values.length], TF_INT32, Int32Array.from(values)));
  }

  private run(op: string, attributes: readonly object[], ids: readonly number[]): number {
    return this.keep(this.backend.binding.executeOp(op, attributes, ids, 1)[0].id);
  }

  private keep(id: number): number {
    this.made.push(id);
    return id;
  }
}
