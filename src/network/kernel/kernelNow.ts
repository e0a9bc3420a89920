import { modelProgram } from '../graph/program.js';
import { type Inputs, sampleCount } from '../inputs.js';
import { chainOfProgram } from '../patterns/denseChain.js';
import type * as tf from '../tf.js';
import { claimed } from './claims.js';
import { withStructure } from './collect.js';
import { disposeContributions } from './contribution.js';
import { denseKernel } from './dense/denseKernel.js';
import { contributionsBySamples, notesOn } from './kernel.js';
import { requireMemoryFor } from './memoryBudget.js';
import { onBackendNow } from './onBackend.js';
import type { EmpiricalKernel, KernelOptions } from './request.js';
import { mirror } from './sums.js';

/**
 * `empiricalKernel` in trace form, [N, N], at once: for places where nobody waits, such as between two steps of a program
 * that is watched. Values are read synchronously, and nothing runs on threads of ours. Throws as `empiricalKernel` does.
 */
export function kernelNow(
  model: tf.LayersModel,
  x: Inputs,
  options: Pick<KernelOptions, 'output' | 'perLayer'> = {},
): EmpiricalKernel {
  const program = modelProgram(model);
  const inputs = [x].flat();
  const n = sampleCount(x);
  return withStructure(program, inputs, (structure) => {
    const { output } = options;
    const outputs = output === undefined ? Array.from({ length: structure.outputs }, (_, o) => o) : [output];
    const direct = denseKernel(chainOfProgram(program, inputs), x, options, structure.outputs);
    if (direct) return direct;
    const request = { mode: 'trace', outputs, counted: n, all: output === undefined } as const;
    const collect = (some: Inputs) => {
      const rows = [some].flat();
      const parts =
        claimed(program, rows, request) ?? contributionsBySamples(program, rows, structure, request, 'auto');
      const samples = sampleCount(some);
      return { parts, samples, outputs: outputs.length, dispose: () => disposeContributions(parts) };
    };
    requireMemoryFor(structure.valuesPerSample, x, outputs.length, collect);
    const held = collect(x);
    const data = new Float32Array(n * n);
    const perLayer = options.perLayer
      ? Object.fromEntries(held.parts.map((part) => [part.layer, new Float32Array(n * n)]))
      : null;
    try {
      onBackendNow(held, held, 'trace', data, perLayer, options);
    } finally {
      held.dispose();
    }
    for (const each of [data, ...Object.values(perLayer ?? {})]) mirror(each, n);
    const notes = notesOn(program, structure, n * outputs.length);
    return { mode: 'trace', rows: n, cols: n, data, outputs: outputs.length, perLayer, notes };
  });
}
