import type * as tf from '../tf.js';
import { nativeBackend } from './raw.js';

/** A float32 matrix of a NativeProgram. */
export interface NativeMatrix {
  readonly id: number;
  readonly rows: number;
  readonly columns: number;
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

  /** The values of a tensor as a matrix, [n, k] or [k] as a row. The tensor stays its owner's. */
  of(tensor: tf.Tensor): NativeMatrix {
    const [id] = this.backend.getInputTensorIds([tensor]);
    const columns = tensor.shape[tensor.rank - 1];
    return { id, rows: tensor.size / columns, columns };
  }

  /** A or A^T times B or B^T. */
  times(a: NativeMatrix, b: NativeMatrix, turnA = false, turnB = false): NativeMatrix {
    const { TF_ATTR_BOOL } = this.backend.binding;
    const attributes = [
      { name: 'adj_x', type: TF_ATTR_BOOL, value: turnA },
      { name: 'adj_y', type: TF_ATTR_BOOL, value: turnB },
      this.type,
    ];
    const [rows, columns] = [turnA ? a.columns : a.rows, turnB ? b.rows : b.columns];
    return { id: this.run('BatchMatMulV2', attributes, [a.id, b.id]), rows, columns };
  }

  /** An operation on one matrix, or on two of which the second is as large or is one row, elementwise. */
  each(op: string, a: NativeMatrix, ...others: readonly NativeMatrix[]): NativeMatrix {
    return { ...a, id: this.run(op, [this.type], [a.id, ...others.map(({ id }) => id)]) };
  }

  scaled(a: NativeMatrix, factor: number): NativeMatrix {
    if (factor === 1) return a;
    const { TF_FLOAT } = this.backend.binding;
    const scalar = this.keep(this.backend.binding.createTensor([], TF_FLOAT, Float32Array.of(factor)));
    return { ...a, id: this.run('Mul', [this.type], [a.id, scalar]) };
  }

  /** A column [n, 1] or a row [1, n] as `rows` equal rows. */
  repeated(a: NativeMatrix, rows: number): NativeMatrix {
    const columns = a.rows * a.columns;
    const { TF_ATTR_TYPE, TF_INT32 } = this.backend.binding;
    const shape = (name: string) => ({ name, type: TF_ATTR_TYPE, value: TF_INT32 });
    const row = this.run('Reshape', [this.type, shape('Tshape')], [a.id, this.integers(1, columns)]);
    const id = this.run('BroadcastTo', [this.type, shape('Tidx')], [row, this.integers(rows, columns)]);
    return { id, rows, columns };
  }

  values({ id }: NativeMatrix): Float32Array {
    return this.backend.binding.tensorDataSync(id);
  }

  dispose(): void {
    for (const id of this.made.splice(0)) this.backend.binding.deleteTensor(id);
  }

  private integers(...values: readonly number[]): number {
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
