import type { GraphNode } from '../graph/graph.js';
import type * as tf from '../tf.js';
import { averagePool } from './averagePool.js';
import { filterGradient, linearInCotangent } from './backwardKernels.js';
import { comparisons } from './comparisons.js';
import { convolution, convolutionInput } from './convolution.js';
import { einsum } from './einsum.js';
import { elementwise } from './elementwise.js';
import { genericPull, pushByPull } from './generic.js';
import { localResponse } from './localResponse.js';
import { matMul } from './matMul.js';
import { maxPool } from './maxPool.js';
import { add, concat, gather, pack, pad, slice, split, tile, unpack } from './pieces.js';
import type { Primitive, Tangents } from './primitive.js';
import { rearrangement } from './rearrange.js';
import { extremum, mean, softmax, sum } from './reduce.js';
import { cumulativeSum, reshape, reverse, transpose } from './reshape.js';
import { resize } from './resize.js';

const all: readonly Primitive[] = [
  elementwise,
  ...[reshape, transpose, reverse, cumulativeSum],
  ...[slice, pad, concat, pack, unpack, split, tile, gather, add],
  ...[sum, mean, extremum, softmax],
  ...[matMul, einsum],
  ...[convolution, convolutionInput, averagePool, maxPool, resize, rearrangement, localResponse],
  ...[filterGradient, linearInCotangent],
];

const byKernel = new Map(all.flatMap((primitive) => primitive.kernels.map((kernel) => [kernel, primitive])));

/** Cotangents [L, ...in] of an input of a node from those of its outputs. */
export function pull(d: readonly (tf.Tensor | null)[], node: GraphNode, name: string): tf.Tensor {
  return (byKernel.get(node.kernel)?.pull ?? genericPull)(d, node, name);
}

/** Tangents of a node's outputs from those of some of its inputs. */
export function push(tangents: Tangents, node: GraphNode): readonly tf.Tensor[] {
  const own = byKernel.get(node.kernel);
  return own?.push?.(tangents, node) ?? pushByPull(tangents, node, own?.pull ?? genericPull);
}

/** Kernels whose outputs stay as they are when their inputs move a little. */
const flat: ReadonlySet<string> = new Set([
  ...comparisons,
  'LogicalNot',
  ...[
    'ArgMax',
    'ArgMin',
    'OneHot',
    'Step',
    'Sign',
    'Floor',
    'Ceil',
    'Round',
    'FloorDiv',
    'IsNan',
    'IsInf',
    'IsFinite',
  ],
  ...['ZerosLike', 'OnesLike', 'Fill', 'Range', 'All', 'Any'],
]);
export const isFlat = (kernel: string): boolean => flat.has(kernel);

/** Kernels with a rule of ours. */
export const knownKernels: ReadonlySet<string> = new Set(byKernel.keys());
