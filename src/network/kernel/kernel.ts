import { FailureError, InputError } from '../../core/errors.js';
import { isOutOfMemory } from '../backends/memory.js';
import { device } from '../devices/index.js';
import type { GraphNode } from '../graph/graph.js';
import { functionProgram, modelProgram, type Program } from '../graph/program.js';
import type { Structure } from '../graph/samples.js';
import { behindCopies } from '../graph/skeleton.js';
import { type Inputs, sampleCount } from '../inputs.js';
import { flatOutputs } from '../outputs.js';
import { chainOfProgram } from '../patterns/denseChain.js';
import * as tf from '../tf.js';
import { kernelByOperator } from './byOperator.js';
import { claimed, type KernelRequest } from './claims.js';
import { type Contributions, tracedContributions, withStructure } from './collect.js';
import { type Contribution, disposeContributions, keepContributions } from './contribution.js';
import { denseKernel } from './dense/denseKernel.js';
import { explicitContributions } from './explicit.js';
import { outOfMemory, requireMemory, requireMemoryFor } from './memoryBudget.js';
import { onBackend } from './onBackend.js';
import { onThreads } from './onThreads.js';
import type { EmpiricalKernel, KernelImplementation, KernelMode, KernelOptions } from './request.js';
import { mirror } from './sums.js';

/** A function of inputs [n, ...] whose samples do not meet, over variables that it reads. */
export type TensorFunction = (x: tf.Tensor | tf.Tensor[]) => tf.Tensor | tf.Tensor[];

/**
 * Empirical neural tangent kernel of any layers model, or of any function over variables, by structured derivatives
 * (Novak, Sohl-Dickstein and Schoenholz 2022): K[i, j] = (1 / O) sum_o <d f_o(x_i) / d theta, d f_o(x_j) / d theta> over
 * the weights that train, f being `model.output` with its final activation in inference form. `x` is [N, ...] (an array for
 * several inputs). Exactly symmetric when `against` is absent. It is taken from a trace of the kernels that TensorFlow.js
 * runs, so every layer and operation counts as it is computed; notes say what could not be taken apart and costs one
 * backward pass a sample and output. Memory beyond the result: the layers' inputs and cotangents and one block.
 *
 * Throws an InputError for an output that the model does not have, and a FailureError where memory is short (with the size
 * that fits), where samples depend on each other, where two runs differ, and where an operation has no gradient.
 */
export function empiricalKernel(
  model: tf.LayersModel,
  x: Inputs,
  options?: KernelOptions,
): Promise<EmpiricalKernel>;
export function empiricalKernel(
  f: TensorFunction,
  variables: readonly tf.Variable[],
  x: Inputs,
  options?: KernelOptions,
): Promise<EmpiricalKernel>;
export async function empiricalKernel(
  network: tf.LayersModel | TensorFunction,
  ...rest: readonly unknown[]
): Promise<EmpiricalKernel> {
  if (typeof network === 'function') {
    const [variables, x, options] = rest as [readonly tf.Variable[], Inputs, KernelOptions?];
    return kernelOf(functionProgram(network, variables), x, options ?? {});
  }
  const [x, options] = rest as [Inputs, KernelOptions?];
  return kernelOf(modelProgram(network), x, options ?? {});
}

async function kernelOf(program: Program, x: Inputs, options: KernelOptions): Promise<EmpiricalKernel> {
  const mode = options.mode ?? 'trace';
  const inputs = [x].flat();
  return withStructure(program, inputs, async (structure) => {
    const count = structure.outputs;
    const { output } = options;
    if (output !== undefined && !(Number.isInteger(output) && output >= 0 && output < count))
      throw new InputError(`Output ${output} was asked for, but the model has outputs 0 to ${count - 1}.`, {
        field: 'output',
      });
    const outputs = output === undefined ? Array.from({ length: count }, (_, o) => o) : [output];
    const { implementation = 'auto' } = options;
    if (implementation === 'operator') return kernelByOperator(program, x, outputs, count, options);
    const direct =
      implementation !== 'jacobian' &&
      program.settings !== null &&
      denseKernel(chainOfProgram(program, inputs), x, options, count);
    if (direct) return direct;
    const { against } = options;
    const counted = Math.max(sampleCount(x), against ? sampleCount(against) : 0);
    const request = { mode, outputs, counted, all: output === undefined };
    const collect = (some: Inputs): Contributions => {
      const parts =
        (implementation === 'jacobian' ? null : claimed(program, [some].flat(), request)) ??
        contributionsBySamples(program, [some].flat(), structure, request, implementation);
      return {
        parts,
        samples: sampleCount(some),
        outputs: outputs.length,
        dispose: () => disposeContributions(parts),
      };
    };
    requireMemoryFor(structure.valuesPerSample, x, outputs.length, collect);
    const notes = notesOn(program, structure, counted * outputs.length);
    const held: Contributions[] = [];
    let failed: unknown;
    try {
      const left = collect(x);
      held.push(left);
      const right = against ? collect(against) : left;
      if (right !== left) held.push(right);
      return await assemble(left, right, mode, notes, options);
    } catch (error) {
      failed = error;
    } finally {
      for (const each of held) each.dispose();
    }
    throw isOutOfMemory(failed) ? outOfMemory(x, collect) : failed;
  });
}

/** From the trace; or, where samples cannot be told apart in it, one by one. */
export function contributionsBySamples(
  program: Program,
  inputs: readonly tf.Tensor[],
  structure: Structure,
  request: KernelRequest,
  implementation: KernelImplementation,
): readonly Contribution[] {
  const { problem } = structure;
  if (!problem && implementation !== 'jacobian')
    return tracedContributions(program, inputs, structure, request);
  if (problem && implementation === 'structured')
    throw new FailureError(
      `The kernel cannot be taken from its layers: ${problem.reason}. The implementation 'jacobian' takes gradients one sample and output at a time.`,
    );
  if (problem?.kind === 'random')
    throw new FailureError(
      `The model has no kernel: ${problem.reason}, so that it is not one function of its inputs. Layers that draw random numbers or keep a state must not do so in inference form.`,
    );
  if (problem) requireIndependentSamples(program, inputs, problem.reason);
  return keepContributions(() => explicitContributions(program, inputs, request.outputs, request.mode));
}

/** Throws a FailureError where the outputs on a few samples depend on which others stand beside them. */
function requireIndependentSamples(program: Program, inputs: readonly tf.Tensor[], reason: string): void {
  const n = Math.min(3, inputs[0].shape[0]);
  const apart = tf.tidy(() => {
    const some = inputs.map((t) => tf.slice(t, 0, n));
    const flat = (y: readonly tf.Tensor[], rows: number): tf.Tensor2D => flatOutputs([...y], rows);
    const together = flat(program.run(some), n);
    const alone = Array.from({ length: n }, (_, i) =>
      flat(program.run(some.map((t) => tf.slice(t, i, 1))), 1),
    );
    if (alone.some((row) => row.size * n !== together.size)) return Number.POSITIVE_INFINITY;
    const scale = tf.max(tf.abs(together)).dataSync()[0];
    return tf.max(tf.abs(tf.sub(together, tf.concat(alone, 0)))).dataSync()[0] / (scale || 1);
  });
  if (!(apart <= 1e-4))
    throw new FailureError(
      `The model has no kernel: its outputs for one sample depend on the others of the batch (${reason}). Use the inference form, as batch normalisation has one, or take such operations out.`,
    );
}

/** A normalisation by statistics that are kept in variables. */
const isInferenceNormalisation = ({ kernel, inputs }: GraphNode): boolean =>
  kernel === 'FusedBatchNorm' && behindCopies(inputs.mean).variable !== null;

export function notesOn(
  program: Program,
  { problem, skeleton }: Structure,
  passes: number,
): readonly string[] {
  const notes: string[] = [];
  if (problem)
    notes.push(
      `Samples could not be told apart in what runs (${problem.reason}): gradients are taken one sample and output at a time, ${passes} backward passes.`,
    );
  if (skeleton?.graph.nodes.some(isInferenceNormalisation))
    notes.push(
      'Batch normalisation is taken in its inference form (moving statistics); in training form samples interact and there is no kernel.',
    );
  if (program.weights.length === 0) notes.push('No weight of the model trains, so the kernel is zero.');
  return notes;
}

async function assemble(
  left: Contributions,
  right: Contributions,
  mode: KernelMode,
  notes: readonly string[],
  options: KernelOptions,
): Promise<EmpiricalKernel> {
  const stride = mode === 'full' ? left.outputs : 1;
  const rows = left.samples * stride;
  const cols = right.samples * stride;
  requireMemory(rows, cols, 1 + (options.perLayer ? left.parts.length : 0));
  const data = new Float32Array(rows * cols);
  const layers = options.perLayer
    ? Object.fromEntries(left.parts.map((p) => [p.layer, new Float32Array(rows * cols)]))
    : null;
  const symmetric = left === right;
  const pool = mode === 'trace' ? device().threads() : null;
  if (pool) await onThreads(pool, left, right, data, layers, options);
  else await onBackend(left, right, mode, data, layers, options);
  if (symmetric) for (const target of [data, ...Object.values(layers ?? {})]) mirror(target, cols);
  return { mode, rows, cols, data, outputs: left.outputs, perLayer: layers, notes };
}
