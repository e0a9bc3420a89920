import { eigenvalues, eigh, spectral } from '../../../core/linalg/eigen.js';
import { type Matrix, matrix, matrixFrom } from '../../../core/linalg/matrix.js';
import { noiseFloor } from '../../../core/linalg/spectrum.js';
import { inverseFormFromSpectrum, relativeDrift, targetAlignment } from '../../../core/measures/kernel.js';
import type { Dataset } from '../../data/index.js';
import type { LossName } from '../../data/spec.js';
import { empiricalKernel } from '../../kernel/index.js';
import type * as tf from '../../tf.js';
import { probeRows, tensorsOf } from '../loop/batches.js';
import { type PredictionStart, projected } from './prediction.js';

/** Ridge of C(y) relative to the mean of the kernel's diagonal: float32 kernels have noise of this size. */
const costRidge = 1e-6;
/** Eigenvectors of the kernel that are kept at every measurement. */
const keptVectors = 8;
/** Largest full kernel (P O) whose top eigenvalue is taken for the step bound. */
const largestFull = 1536;

export interface KernelMeasurement {
  readonly kernel: Float32Array;
  /** The same in float64. */
  readonly kernelMatrix: Matrix;
  readonly eigenvalues: Float64Array;
  /** [k, P]: rows are the top modes. */
  readonly eigenvectors: Matrix;
  /** Share of label energy of each mode. */
  readonly energy: Float64Array;
  readonly noiseFloor: number;
  readonly drift: number;
  /** |f_0 - y| / |y| */
  readonly startResidual: number;
  readonly alignment: number;
  /** C(y) = tr(K) / n * y' K^-1 y / |y|^2 with a small stated ridge. */
  readonly cost: number;
  /** Share of each layer in the trace, by name. */
  readonly layerShare: Readonly<Record<string, number>>;
  /** |v_k(0) . (f - y)| of each mode of the initial kernel, outputs joined by their norm. */
  readonly residual: Float64Array;
}

/** The kernel on a fixed set of training inputs: spectrum, label energy, drift, and what is left to learn per mode. */
export class KernelProbe {
  readonly rows: Uint32Array;
  readonly size: number;
  private readonly x: tf.Tensor;
  private readonly y: Matrix;
  private initial: {
    readonly kernel: Matrix;
    readonly vectors: Matrix;
    readonly values: Float64Array;
    /** |f_0 - y| / |y| */
    readonly residual: number;
  } | null = null;

  constructor(
    private readonly model: tf.LayersModel,
    data: Dataset,
    size: number,
    private readonly factors: Readonly<Record<string, number>>,
  ) {
    this.rows = probeRows(data, size);
    this.size = this.rows.length;
    const { x, y } = tensorsOf(data.train, data, this.rows);
    this.x = x;
    this.y = matrixFrom(this.size, data.outputs, y.dataSync());
    y.dispose();
  }

  get outputs(): number {
    return this.y.cols;
  }

  /** The probe inputs, [P, ...]. Not to be disposed. */
  get inputs(): tf.Tensor {
    return this.x;
  }

  /** Entry of the targets [P, O]. */
  targetAt(index: number): number {
    return this.y.data[index];
  }

  /** The kernel at the weights of the moment, [P, P], and nothing else. */
  async kernelNow(): Promise<Matrix> {
    const { data } = await empiricalKernel(this.model, this.x, { layerFactors: this.factors });
    return matrixFrom(this.size, this.size, data);
  }

  /** Outputs on the probe inputs, [P, O]. */
  predict(predict: (x: tf.Tensor) => tf.Tensor2D): Float32Array {
    const f = predict(this.x);
    const values = f.dataSync() as Float32Array;
    f.dispose();
    return values;
  }

  /** Measures the kernel; the first call fixes the start that drift and modes refer to. */
  async measure(outputs: Float32Array): Promise<KernelMeasurement> {
    const { data: kernel, perLayer } = await empiricalKernel(this.model, this.x, {
      perLayer: true,
      layerFactors: this.factors,
    });
    const k = matrixFrom(this.size, this.size, kernel);
    const pass = spectral(k, this.y, { topVectors: Math.min(keptVectors, this.size) });
    const total = this.y.data.reduce((sum, v) => sum + v * v, 0) || 1;
    const energy = new Float64Array(this.size);
    for (let i = 0; i < this.size; i++)
      for (let o = 0; o < this.outputs; o++) energy[i] += pass.energy.data[i * this.outputs + o] / total;
    this.initial ??= {
      kernel: k,
      vectors: eigh(k).vectors,
      values: pass.values,
      residual: this.relativeResidual(outputs),
    };
    const trace = (values: Float32Array) => {
      let sum = 0;
      for (let i = 0; i < this.size; i++) sum += values[i * this.size + i];
      return sum;
    };
    const all = trace(kernel) || 1;
    return {
      kernel,
      kernelMatrix: k,
      eigenvalues: pass.values,
      eigenvectors: pass.vectors,
      energy,
      noiseFloor: noiseFloor(pass.values),
      drift: relativeDrift(k, this.initial.kernel),
      startResidual: this.initial.residual,
      alignment: targetAlignment(k, this.y),
      cost: this.costOf(pass.values, pass.energy, all, total),
      layerShare: Object.fromEntries(
        Object.entries(perLayer ?? {}).map(([name, part]) => [name, trace(part) / all]),
      ),
      residual: this.project(outputs),
    };
  }

  /**
   * C(y) from the spectrum: unlike a factorisation it never fails on kernels that are singular in float32, whose
   * smallest eigenvalues come out below zero.
   */
  private costOf(values: Float64Array, energy: Matrix, wholeTrace: number, wholeEnergy: number): number {
    const mean = wholeTrace / this.size;
    const kept = values.map((v) => Math.max(0, v));
    return (mean * inverseFormFromSpectrum(kept, energy, costRidge * mean)) / wholeEnergy;
  }

  /** |f - y| / |y| on the probe inputs. */
  private relativeResidual(outputs: Float32Array): number {
    let left = 0;
    let whole = 0;
    for (const [i, y] of this.y.data.entries()) {
      left += (outputs[i] - y) ** 2;
      whole += y ** 2;
    }
    return Math.sqrt(left / (whole || 1));
  }

  /** Rows are the modes of the initial kernel, [P, P]. Only after the first measurement. */
  get initialVectors(): Matrix {
    if (!this.initial) throw new Error('The kernel at the start has not been measured.');
    return this.initial.vectors;
  }

  /** The start of a prediction in which the probe inputs stand for the training set; `targets` [P, O] default to the data's. */
  predictionStart(
    outputs: Float32Array,
    targets: ArrayLike<number> = this.y.data,
  ): Pick<PredictionStart, 'vectors' | 'values' | 'coefficients' | 'outputs'> {
    const residual = Float64Array.from(outputs, (f, i) => f - targets[i]);
    return {
      vectors: this.initialVectors,
      values: this.initial?.values ?? new Float64Array(0),
      coefficients: projected(this.initialVectors, residual, this.outputs),
      outputs: this.outputs,
    };
  }

  /** Norm over outputs of v_k(0) . (f - y). */
  private project(outputs: Float32Array): Float64Array {
    if (!this.initial) return new Float64Array(this.size);
    const O = this.outputs;
    const modes = this.predictionStart(outputs).coefficients;
    return Float64Array.from({ length: this.size }, (_, k) =>
      Math.hypot(...modes.subarray(k * O, (k + 1) * O)),
    );
  }

  /**
   * Top eigenvalue of the full kernel [P O, P O] that decides stability; under cross-entropy that of B' K B, where B B'
   * is the Hessian of the loss in the outputs (the same eigenvalues as H^(1/2) K H^(1/2)). For large P O it is bounded
   * by the trace kernel's: O times its top eigenvalue.
   */
  async stabilityEigenvalue(loss: LossName, outputs: Float32Array): Promise<number> {
    const O = this.outputs;
    const n = this.size * O;
    if (n > largestFull) {
      const { data } = await empiricalKernel(this.model, this.x, { layerFactors: this.factors });
      return eigenvalues(matrixFrom(this.size, this.size, data))[0];
    }
    const { data } = await empiricalKernel(this.model, this.x, { mode: 'full', layerFactors: this.factors });
    const k = matrixFrom(n, n, data);
    return eigenvalues(loss === 'mse' ? k : this.weightByHessian(k, outputs))[0];
  }

  /** B' K B with B = diag(sqrt p) - p sqrt(p)' in every sample's block. */
  private weightByHessian(k: Matrix, outputs: Float32Array): Matrix {
    const O = this.outputs;
    const n = k.rows;
    const blocks: Float64Array[] = [];
    for (let i = 0; i < this.size; i++) {
      const logits = Array.from(outputs.subarray(i * O, (i + 1) * O));
      const top = Math.max(...logits);
      const e = logits.map((v) => Math.exp(v - top));
      const sum = e.reduce((a, b) => a + b, 0);
      const p = e.map((v) => v / sum);
      blocks.push(
        Float64Array.from({ length: O * O }, (_, q) => {
          const [a, b] = [Math.floor(q / O), q % O];
          return (a === b ? Math.sqrt(p[a]) : 0) - p[a] * Math.sqrt(p[b]);
        }),
      );
    }
    const half = matrix(n, n);
    for (let r = 0; r < n; r++)
      for (let j = 0; j < this.size; j++)
        for (let b = 0; b < O; b++) {
          let sum = 0;
          for (let a = 0; a < O; a++) sum += k.data[r * n + j * O + a] * blocks[j][a * O + b];
          half.data[r * n + j * O + b] = sum;
        }
    const out = matrix(n, n);
    for (let i = 0; i < this.size; i++)
      for (let b = 0; b < O; b++)
        for (let c = 0; c < n; c++) {
          let sum = 0;
          for (let a = 0; a < O; a++) sum += blocks[i][a * O + b] * half.data[(i * O + a) * n + c];
          out.data[(i * O + b) * n + c] = sum;
        }
    return out;
  }

  dispose(): void {
    this.x.dispose();
  }
}
