import { InputError } from '../../../core/errors.js';
import type * as tf from '../../tf.js';
import type { KernelProbe } from '../observe/probe.js';
import type { ExperimentDefinition } from '../spec.js';

type Rule = Pick<ExperimentDefinition, 'loss' | 'optimizer'>;

/** Step size of Adam on 'auto': its author's default. */
const adamStep = 1e-3;

/**
 * Largest stable base step by the kernel as it is now, 2 (1 + momentum) n O / lambda_max of the full kernel weighted by
 * the layers' step factors, estimated on P probes with n -> P; under cross-entropy without O and with the Hessian of the
 * loss in the outputs around the kernel.
 */
export async function largestStep(
  probe: KernelProbe,
  { loss, optimizer }: Rule,
  predict: (x: tf.Tensor) => tf.Tensor2D,
): Promise<number> {
  const top = await probe.stabilityEigenvalue(loss, probe.predict(predict));
  const samples = probe.size * (loss === 'mse' ? probe.outputs : 1);
  const momentum = optimizer.kind === 'momentum' ? (optimizer.momentum ?? 0.9) : 0;
  return (2 * (1 + momentum) * samples) / top;
}

/** The step size that 'auto' stands for, and a sentence that says so. Throws an InputError when the kernel gives none. */
export function chosenStep(
  { optimizer }: Rule,
  maxStep: number,
  probes: number,
): { readonly rate: number; readonly note: string } {
  if (optimizer.kind === 'adam')
    return { rate: adamStep, note: `Step size ${adamStep}: the kernel does not bound the steps of Adam.` };
  if (!Number.isFinite(maxStep) || maxStep <= 0)
    throw new InputError(
      `optimizer.learningRate is 'auto', but the kernel at the start gives no step size (largest stable step ${maxStep}). Give a number.`,
      { field: 'optimizer.learningRate' },
    );
  const rate = maxStep / 2;
  return {
    rate,
    note: `Step size ${Number(rate.toPrecision(4))}: half the largest stable one, by the kernel at the start on ${probes} inputs.`,
  };
}
