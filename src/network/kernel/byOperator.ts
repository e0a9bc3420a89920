import type { Program } from '../graph/program.js';
import { type Inputs, sampleCount } from '../inputs.js';
import { linearise } from '../jacobian/linearisation.js';
import * as tf from '../tf.js';
import type { EmpiricalKernel, KernelOptions } from './request.js';

/**
 * A kernel column by column, K e = J D J^T e: one pass back and one forward a sample and output of the second inputs, and
 * nothing but one Jacobian product in memory. `outputs` are the scalar outputs that are wanted.
 */
export function kernelByOperator(
  program: Program,
  x: Inputs,
  outputs: readonly number[],
  count: number,
  options: KernelOptions,
): EmpiricalKernel {
  const mode = options.mode ?? 'trace';
  const left = linearise(program, x);
  const right = options.against ? linearise(program, options.against) : left;
  const [n, m] = [sampleCount(x), sampleCount(options.against ?? x)];
  const stride = mode === 'full' ? outputs.length : 1;
  const [rows, cols] = [n * stride, m * stride];
  const groups = [...new Set(program.weights.map(({ group }) => group))];
  const data = new Float32Array(rows * cols);
  const layers = options.perLayer
    ? Object.fromEntries(groups.map((group) => [group, new Float32Array(rows * cols)]))
    : null;
  /** Adds what moves along `v` to the columns of sample j and output o. */
  const add = (target: Float32Array, v: readonly tf.Tensor[], j: number, o: number): void => {
    const moved = left.jvp(v).dataSync();
    for (let i = 0; i < n; i++)
      if (mode === 'trace') target[i * cols + j] += moved[i * count + outputs[o]] / outputs.length;
      else
        for (const [p, own] of outputs.entries())
          target[(i * stride + p) * cols + j * stride + o] = moved[i * count + own];
  };
  try {
    for (let j = 0; j < m; j++)
      for (const [o, output] of outputs.entries()) {
        options.signal?.throwIfAborted();
        tf.tidy(() => {
          const unit = new Float32Array(m * count);
          unit[j * count + output] = 1;
          const v = right.vjp(tf.tensor2d(unit, [m, count])).map((t, k) => {
            const factor = options.layerFactors?.[program.weights[k].group] ?? 1;
            return factor === 1 ? t : tf.mul(t, factor);
          });
          add(data, v, j, o);
          for (const [group, target] of Object.entries(layers ?? {}))
            add(
              target,
              v.map((t, k) => (program.weights[k].group === group ? t : tf.zerosLike(t))),
              j,
              o,
            );
        });
      }
  } finally {
    left.dispose();
    if (right !== left) right.dispose();
  }
  const symmetric = right === left;
  if (symmetric) for (const each of [data, ...Object.values(layers ?? {})]) symmetrise(each, cols);
  return { mode, rows, cols, data, outputs: outputs.length, perLayer: layers, notes: [] };
}

/** The mean of a square matrix and its transpose: float32 products leave them apart in the last digit. */
function symmetrise(target: Float32Array, n: number): void {
  for (let i = 0; i < n; i++)
    for (let j = 0; j < i; j++) {
      const mean = (target[i * n + j] + target[j * n + i]) / 2;
      target[i * n + j] = mean;
      target[j * n + i] = mean;
    }
}
