import { device } from '../devices/index.js';
import type { Program } from '../graph/program.js';
import { forgetStructure, type Structure, structureOf } from '../graph/samples.js';
import { trace } from '../graph/trace.js';
import * as tf from '../tf.js';
import { type Contribution, concatenated, disposeContributions, keepContributions } from './contribution.js';
import { ChangedTrace, type ContributionRequest, contributionsOf } from './contributions.js';

export interface Contributions {
  readonly parts: readonly Contribution[];
  readonly samples: number;
  readonly outputs: number;
  dispose(): void;
}

/** Contributions of any program whose samples do not meet, a chunk of samples at a time. The caller disposes. */
export function tracedContributions(
  program: Program,
  inputs: readonly tf.Tensor[],
  structure: Structure,
  request: ContributionRequest,
): readonly Contribution[] {
  const samples = inputs[0].shape[0];
  const each = structure.valuesPerSample * (request.outputs.length + 2);
  const size = Math.max(2, Math.min(samples, Math.floor(device().passValues / each)));
  const chunks: (readonly Contribution[])[] = [];
  try {
    for (let i = 0; i < samples; i += size)
      chunks.push(chunkContributions(program, inputs, structure, request, i, Math.min(size, samples - i)));
  } catch (error) {
    chunks.forEach(disposeContributions);
    throw error;
  }
  if (chunks.length === 1) return chunks[0];
  return chunks[0].flatMap((_, k) => {
    const pieces = chunks.map((parts) => parts[k]);
    const joined = keepContributions(() => [concatenated(pieces)]);
    disposeContributions(pieces);
    return joined;
  });
}

function chunkContributions(
  program: Program,
  inputs: readonly tf.Tensor[],
  structure: Structure,
  request: ContributionRequest,
  start: number,
  count: number,
): readonly Contribution[] {
  return keepContributions(() => {
    // One sample alone could not be told from what all samples share.
    const alone = count === 1;
    const chunk = inputs.map((t) => {
      if (!alone && count === t.shape[0]) return t;
      const rows = tf.slice(t, start, count);
      return alone ? tf.concat([rows, rows], 0) : rows;
    });
    const graph = trace(program.run, chunk);
    try {
      const parts = contributionsOf(program, graph, structure, alone ? 2 : count, request);
      return alone ? parts.map(firstSample) : parts;
    } finally {
      graph.dispose();
    }
  });
}

/** A contribution of two samples without the second. */
function firstSample(part: Contribution): Contribution {
  const half = <T extends tf.Tensor>(t: T): T => tf.slice(t, 0, t.shape[0] / 2);
  if (part.kind === 'product')
    return {
      ...part,
      input: half(part.input),
      cotangent: part.per === 'shared' ? part.cotangent : half(part.cotangent),
    };
  if (part.kind === 'positions')
    return { ...part, patches: half(part.patches), cotangents: half(part.cotangents) };
  return { ...part, rows: part.rows.map(half) };
}

/** The structure of a program, and again where its trace has changed since. */
export function withStructure<T>(
  program: Program,
  inputs: readonly tf.Tensor[],
  work: (structure: Structure) => T,
): T {
  const again = (error: unknown): T => {
    if (!(error instanceof ChangedTrace)) throw error;
    forgetStructure(program);
    return work(structureOf(program, inputs));
  };
  try {
    const result = work(structureOf(program, inputs));
    return result instanceof Promise ? (result.catch(again) as T) : result;
  } catch (error) {
    return again(error);
  }
}
