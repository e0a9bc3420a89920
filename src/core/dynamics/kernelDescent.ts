import { type Matrix, matrix } from '../linalg/matrix.js';
import { crossEntropy, softmax } from './crossEntropy.js';
import type { Outputs } from './squaredLoss.js';

export type DescentLoss = 'mse' | 'crossEntropy';

export interface KernelDescentSetup {
  /**
   * Kernel between all inputs (training inputs first, then M others) and the N training inputs: [N + M, N], the same for
   * every output and none between outputs, or in full [(N + M) O, N O], row i O + o.
   */
  readonly kernel: Matrix;
  /** Outputs at the start, [N + M, O]. */
  readonly start: Matrix;
  /** Targets of the training inputs, [N, O]. */
  readonly targets: Matrix;
  readonly loss: DescentLoss;
  /** Heavy-ball momentum. Default 0. */
  readonly momentum?: number;
}

/**
 * Gradient descent of a linearised network in function space: f <- f - eta K g with g the loss's gradient in the
 * outputs of the batch, (f - y) / (n O) under sum |f - y|^2 / (2 n O) and (softmax(f) - y) / n under cross-entropy. What
 * descent in the parameters of f_0 + J (theta - theta_0) does to the outputs when K = J J^T (Lee et al. 2019), in
 * float64. Throws a RangeError when the shapes do not fit.
 */
export class KernelDescent {
  private readonly f: Matrix;
  /** Momentum buffer, pushed forward to the outputs. */
  private readonly velocity: Float64Array;
  private readonly full: boolean;

  constructor(private readonly setup: KernelDescentSetup) {
    const { kernel, start, targets } = setup;
    const [rows, O, n] = [start.rows, start.cols, targets.rows];
    this.full = O > 1 && kernel.cols === n * O;
    const stride = this.full ? O : 1;
    if (kernel.rows !== rows * stride || kernel.cols !== n * stride || targets.cols !== O || rows < n)
      throw new RangeError(
        `The kernel has ${kernel.rows} x ${kernel.cols} entries; ${rows} inputs with ${O} outputs, of which ${n} are ` +
          `training inputs, need ${rows} x ${n}, or ${rows * O} x ${n * O} in full, and targets of ${n} x ${O}.`,
      );
    this.f = matrix(rows, O, start.data.slice());
    this.velocity = new Float64Array(rows * O);
  }

  /** One step on a batch of training inputs (all of them when absent), the same ones the parameters would see. */
  step(learningRate: number, batch?: ArrayLike<number>): void {
    const { kernel, targets, loss, momentum = 0 } = this.setup;
    const O = targets.cols;
    const rows = batch ? Array.from(batch) : Array.from({ length: targets.rows }, (_, i) => i);
    const gradient = this.gradient(rows, loss);
    for (let v = 0; v < this.velocity.length; v++) this.velocity[v] *= momentum;
    for (let i = 0; i < this.f.rows; i++)
      for (let o = 0; o < O; o++) {
        let sum = 0;
        if (this.full) {
          const row = (i * O + o) * kernel.cols;
          for (const [b, j] of rows.entries())
            for (let p = 0; p < O; p++) sum += kernel.data[row + j * O + p] * gradient[b * O + p];
        } else
          for (const [b, j] of rows.entries()) sum += kernel.data[i * kernel.cols + j] * gradient[b * O + o];
        this.velocity[i * O + o] += sum;
      }
    for (let v = 0; v < this.velocity.length; v++) this.f.data[v] -= learningRate * this.velocity[v];
  }

  /** Outputs now: a copy. */
  outputs(): Outputs {
    const { targets } = this.setup;
    const split = targets.rows * targets.cols;
    return {
      train: matrix(targets.rows, targets.cols, this.f.data.slice(0, split)),
      test: matrix(this.f.rows - targets.rows, targets.cols, this.f.data.slice(split)),
    };
  }

  /** Loss on all training inputs. */
  loss(): number {
    const { targets, loss } = this.setup;
    const { train } = this.outputs();
    if (loss === 'crossEntropy') return crossEntropy(train, targets);
    const sum = train.data.reduce((total, v, k) => total + (v - targets.data[k]) ** 2, 0);
    return sum / (2 * train.data.length);
  }

  /** d loss / d f of the batch, [n O] row by row. */
  private gradient(rows: readonly number[], loss: DescentLoss): Float64Array {
    const { targets } = this.setup;
    const O = targets.cols;
    const f = matrix(rows.length, O);
    for (const [b, j] of rows.entries()) f.data.set(this.f.data.subarray(j * O, (j + 1) * O), b * O);
    const values = loss === 'mse' ? f.data : softmax(f).data;
    const share = 1 / (loss === 'mse' ? rows.length * O : rows.length);
    return values.map((v, k) => share * (v - targets.data[rows[Math.floor(k / O)] * O + (k % O)]));
  }
}
