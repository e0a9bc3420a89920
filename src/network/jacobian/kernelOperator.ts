import { type LanczosResult, lanczos } from '../../core/linalg/lanczos.js';
import { type Inputs, sampleCount, samplesOf } from '../inputs.js';
import type { KernelMode } from '../kernel/request.js';
import * as tf from '../tf.js';
import type { Linearisation } from './linearisation.js';
import { ModelJacobian } from './modelJacobian.js';

export interface KernelOperatorOptions {
  /** 'trace': mean over outputs, size N; 'full': size N O, row i O + o. Default 'trace'. */
  readonly mode?: KernelMode;
  /** Factor on each layer's part (unequal step sizes); 1 where absent. */
  readonly layerFactors?: Readonly<Record<string, number>>;
  /** Samples linearised together; memory grows with it. Default 1024. */
  readonly block?: number;
}

/**
 * The empirical neural tangent kernel J D J^T of a model on inputs x [N, ...], frozen at its weights of now, as an
 * operator: a product is one pass back and one forward, so kernels too large to form have eigenpairs too. The products
 * are float32. `x` must live as long as the operator.
 */
export class KernelOperator {
  /** Rows of the kernel. */
  readonly size: number;
  private readonly jacobian: ModelJacobian;
  private readonly blocks: { readonly x: Inputs; readonly rows: number; readonly at: Linearisation }[] = [];
  private readonly outputs: number;

  constructor(
    model: tf.LayersModel,
    x: Inputs,
    private readonly options: KernelOperatorOptions = {},
  ) {
    this.jacobian = new ModelJacobian(model);
    this.outputs = this.jacobian.outputs;
    const samples = sampleCount(x);
    const block = options.block ?? 1024;
    for (let i = 0; i < samples; i += block) {
      const rows = Math.min(block, samples - i);
      const part = tf.tidy(() => samplesOf(x, i, rows));
      this.blocks.push({ x: part, rows, at: this.jacobian.at(part) });
    }
    this.size = options.mode === 'full' ? samples * this.outputs : samples;
  }

  /** K u in float32 products of a vector of length `size`. */
  times(u: ArrayLike<number>): Float64Array {
    const { outputs, size } = this;
    if (u.length !== size)
      throw new RangeError(`The kernel has ${size} rows, but the vector has length ${u.length}.`);
    if (this.options.mode === 'full' || outputs === 1) return this.full(u);
    const out = new Float64Array(size);
    const one = new Float64Array(size * outputs);
    for (let o = 0; o < outputs; o++) {
      one.fill(0);
      for (let i = 0; i < size; i++) one[i * outputs + o] = u[i];
      const product = this.full(one);
      for (let i = 0; i < size; i++) out[i] += product[i * outputs + o] / outputs;
    }
    return out;
  }

  /** The k largest eigenpairs by Lanczos in float64; the default tolerance 1e-6 is what float32 products allow. */
  topEigenpairs(k: number, options: { tolerance?: number; seed?: number | string } = {}): LanczosResult {
    return lanczos((u) => this.times(u), this.size, k, {
      tolerance: options.tolerance ?? 1e-6,
      ...(options.seed === undefined ? {} : { seed: options.seed }),
    });
  }

  dispose(): void {
    for (const { x, at } of this.blocks) {
      tf.dispose(x);
      at.dispose();
    }
    this.jacobian.dispose();
  }

  /** J D J^T u for u of length N O. Scaled to unit length first: float32 has a range. */
  private full(u: ArrayLike<number>): Float64Array {
    const out = new Float64Array(u.length);
    let length = 0;
    for (let i = 0; i < u.length; i++) length += u[i] * u[i];
    length = Math.sqrt(length);
    if (length === 0) return out;
    tf.tidy(() => {
      let pulled: tf.Tensor[] | null = null;
      let from = 0;
      for (const { rows, at } of this.blocks) {
        const count = rows * this.outputs;
        const part = Float32Array.from({ length: count }, (_, i) => u[from + i] / length);
        const next = at.vjp(tf.tensor2d(part, [rows, this.outputs]));
        const sum: tf.Tensor[] | null = pulled;
        pulled = sum ? next.map((t, k) => tf.add(t, (sum as tf.Tensor[])[k])) : next;
        from += count;
      }
      const v = this.jacobian.parameters.scale(pulled ?? [], this.options.layerFactors ?? {});
      from = 0;
      for (const { rows, at } of this.blocks) {
        const values = at.jvp(v).dataSync();
        for (let i = 0; i < values.length; i++) out[from + i] = values[i] * length;
        from += rows * this.outputs;
      }
    });
    return out;
  }
}
