import { descentShare, momentumShare } from '../../../core/dynamics/squaredLoss.js';
import { eigh } from '../../../core/linalg/eigen.js';
import { type Matrix, matrixFrom } from '../../../core/linalg/matrix.js';
import type { Dataset } from '../../data/index.js';
import { empiricalKernel } from '../../kernel/index.js';
import type * as tf from '../../tf.js';
import { tensorsOf } from '../loop/batches.js';
import type { TrainingForm } from '../loop/trainingForm.js';
import type { ExperimentDefinition } from '../spec.js';

/** Training sets up to here are predicted from their whole kernel; larger ones from the probe inputs. */
const mostInputs = 1024;

/** The run at its start: the kernel's modes on `n` inputs, and the residual f_0 - y in them. */
export interface PredictionStart {
  /** Rows are eigenvectors, [n, n]. */
  readonly vectors: Matrix;
  readonly values: Float64Array;
  /** v_k . (f_0 - y)_o, [n, O] row-major. */
  readonly coefficients: Float64Array;
  readonly outputs: number;
  /** Places of the probe inputs among the n, [P], and the modes of the probe kernel, [P, P]. */
  readonly probeRows: ArrayLike<number>;
  readonly probeVectors: Matrix;
  /** eta / (n O). */
  readonly rate: number;
  readonly loss: number;
}

/** What a kernel that stays as it is at the start predicts for full-batch descent under squared loss (Jacot et al. 2018). */
export interface KernelPrediction {
  /** Norm over outputs of the residual left in every mode of the probe kernel after `step` steps, [P]. */
  residual(step: number): Float64Array;
  /** f_lin - y on the probe inputs after `step` steps, [P, O]. */
  onProbe(step: number): Float64Array;
  /** Training loss: the start's, times the share of squared residual left. */
  loss(step: number): { readonly predictedLoss?: number };
}

type Rule = Pick<ExperimentDefinition, 'loss' | 'optimizer' | 'batch' | 'noise' | 'regularization'>;

/**
 * Whether theory predicts such a run: full-batch descent under squared loss without noise, L2 (a layer's own included) or
 * Adam.
 */
export const isPredicted = (
  { loss, optimizer, batch, noise, regularization }: Rule,
  form?: TrainingForm,
): boolean =>
  loss === 'mse' &&
  batch === 'full' &&
  !noise &&
  !regularization &&
  !form?.penalised.length &&
  optimizer.kind !== 'adam';

/** The modes of the whole training set's kernel, or null when the set is too large for that. */
export async function wholeStart(
  model: tf.LayersModel,
  data: Dataset,
  layerFactors: Readonly<Record<string, number>>,
  predict: (x: tf.Tensor) => tf.Tensor2D,
): Promise<Pick<PredictionStart, 'vectors' | 'values' | 'coefficients' | 'outputs'> | null> {
  const n = data.train.size;
  if (n > mostInputs) return null;
  const { x, y } = tensorsOf(data.train, data);
  const f = predict(x);
  const residual = Float64Array.from(f.dataSync());
  const targets = y.dataSync();
  for (let i = 0; i < residual.length; i++) residual[i] -= targets[i];
  const kernel = await empiricalKernel(model, x, { layerFactors });
  for (const tensor of [x, y, f]) tensor.dispose();
  const { vectors, values } = eigh(matrixFrom(n, n, kernel.data));
  return { vectors, values, coefficients: projected(vectors, residual, data.outputs), outputs: data.outputs };
}

/** V r for r [n, O]. */
export function projected(vectors: Matrix, r: ArrayLike<number>, outputs: number): Float64Array {
  const n = vectors.cols;
  const out = new Float64Array(vectors.rows * outputs);
  for (let k = 0; k < vectors.rows; k++)
    for (let i = 0; i < n; i++) {
      const v = vectors.data[k * n + i];
      for (let o = 0; o < outputs; o++) out[k * outputs + o] += v * r[i * outputs + o];
    }
  return out;
}

export function predictionOf(
  optimizer: ExperimentDefinition['optimizer'],
  start: PredictionStart,
): KernelPrediction {
  const { vectors, values, coefficients, outputs, probeRows, probeVectors, rate } = start;
  const momentum = optimizer.kind === 'momentum' ? (optimizer.momentum ?? 0.9) : 0;
  const n = values.length;
  const share = (lambda: number, step: number) =>
    momentum === 0 ? descentShare(lambda, rate, step) : momentumShare(lambda, rate, momentum, step);
  const shares = (step: number) => values.map((lambda) => share(lambda, step));
  const all = coefficients.reduce((sum, c) => sum + c * c, 0);
  const P = probeRows.length;
  const onProbe = (step: number): Float64Array => {
    const left = shares(step);
    const out = new Float64Array(P * outputs);
    for (let k = 0; k < n; k++)
      for (let p = 0; p < P; p++) {
        const v = vectors.data[k * n + probeRows[p]] * left[k];
        for (let o = 0; o < outputs; o++) out[p * outputs + o] += v * coefficients[k * outputs + o];
      }
    return out;
  };
  return {
    onProbe,
    residual: (step) => {
      const modes = projected(probeVectors, onProbe(step), outputs);
      return Float64Array.from({ length: P }, (_, k) =>
        Math.hypot(...modes.subarray(k * outputs, (k + 1) * outputs)),
      );
    },
    loss: (step) => {
      if (all === 0) return {};
      const left = shares(step);
      let sum = 0;
      for (let k = 0; k < n; k++)
        for (let o = 0; o < outputs; o++) sum += (left[k] * coefficients[k * outputs + o]) ** 2;
      return { predictedLoss: (start.loss * sum) / all };
    },
  };
}
