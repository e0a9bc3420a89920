import type { GraphNode, Value } from '../graph/graph.js';
import type { Program } from '../graph/program.js';
import { structureOf } from '../graph/samples.js';
import { behindCopies, type Skeleton, withoutLeadingOnes } from '../graph/skeleton.js';
import type { ActivationName } from '../models/spec.js';
import type * as tf from '../tf.js';
import { activationBehind } from './activation.js';
import { type ChainLayer, denseBehind, groupsOf } from './denseChain.js';
import { Sequence } from './sequence.js';

/** How a convolution moves over its images; channels last, strides and dilations as [rows, columns]. */
export interface Window {
  readonly size: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly padding: 'same' | 'valid';
}

/** One step of a network that is a plain sequence: what it does to a batch, and what the backward pass must know. */
export type StackLayer =
  | (Omit<ChainLayer, 'activation'> & { readonly kind: 'dense' })
  | ConvLayer
  | { readonly kind: 'activation'; readonly activation: ActivationName }
  | { readonly kind: 'mean' }
  | { readonly kind: 'flatten' }
  /** An operation without weights; `linear` says that its derivative does not depend on its input. */
  | { readonly kind: 'free'; readonly node: GraphNode; readonly linear: boolean };

export interface ConvLayer {
  readonly kind: 'conv';
  /** Under which its share is told. */
  readonly name: string;
  readonly kernel: tf.Variable;
  readonly bias: tf.Variable | null;
  readonly trainable: boolean;
  readonly window: Window;
  /** [h, w, c] of the images that go in and come out. */
  readonly inShape: readonly [number, number, number];
  readonly outShape: readonly [number, number, number];
}

/** Operations on images without weights, and whether they are linear. */
const free: Readonly<Record<string, boolean>> = { MaxPool: false, Max: false, AvgPool: true, PadV2: true };

const stacks = new WeakMap<Skeleton, readonly StackLayer[] | null>();

/**
 * A sequence of convolutions (channels last, not dilated), dense layers, activations and pools on images, as it was traced,
 * or null when the program is anything else. Such a network is run forward once, however many outputs it has.
 */
export function stackOfProgram(program: Program, inputs: readonly tf.Tensor[]): readonly StackLayer[] | null {
  const { skeleton } = structureOf(program, inputs);
  if (!skeleton) return null;
  const known = stacks.get(skeleton);
  if (known !== undefined) return known;
  const stack = find(skeleton, groupsOf(program));
  stacks.set(skeleton, stack);
  return stack;
}

function find(skeleton: Skeleton, groups: ReadonlyMap<tf.Variable, string>): readonly StackLayer[] | null {
  const [x] = skeleton.graph.inputs;
  const { inputs, outputs } = skeleton.graph;
  if (inputs.length !== 1 || outputs.length !== 1 || x.shape.length !== 4 || x.dtype !== 'float32')
    return null;
  const sequence = new Sequence(skeleton);
  const stages: StackLayer[] = [];
  let value = x;
  while (!sequence.isOutput(value)) {
    const step = stepBehind(sequence, value, groups);
    if (!step) return null;
    stages.push(step.stage);
    value = step.value;
    if (step.stage.kind !== 'conv' && step.stage.kind !== 'dense') continue;
    const activation = activationBehind(sequence, value);
    if (!activation) return null;
    if (activation.name !== 'identity') stages.push({ kind: 'activation', activation: activation.name });
    value = activation.value;
  }
  const weights = stages.flatMap((stage) => ('kernel' in stage ? [stage.kernel] : []));
  const once = new Set(weights).size === weights.length;
  return once && sequence.isWhole && stages.some((stage) => stage.kind === 'conv') ? stages : null;
}

function stepBehind(
  sequence: Sequence,
  value: Value,
  groups: ReadonlyMap<tf.Variable, string>,
): { readonly stage: StackLayer; readonly value: Value } | null {
  const node = sequence.userOf(value);
  if (!node) return null;
  const rank = withoutLeadingOnes(value.shape).length;
  if (node.kernel === 'Conv2D') return convolutionBehind(sequence, node, value, groups);
  if (node.kernel === 'BatchMatMul' && rank === 2) {
    const dense = denseBehind(sequence, value, groups);
    return dense && { stage: { kind: 'dense', ...dense.layer }, value: dense.value };
  }
  if (node.kernel in free && rank === 4) {
    const axes = node.attrs.reductionIndices as number[] | undefined;
    if (axes && axes.join() !== '1,2') return null;
    return { stage: { kind: 'free', node, linear: free[node.kernel] }, value: sequence.take(node) };
  }
  if (
    node.kernel === 'Mean' &&
    rank === 4 &&
    [node.attrs.axis].flat().join() === '1,2' &&
    !node.attrs.keepDims
  )
    return { stage: { kind: 'mean' }, value: sequence.take(node) };
  const [out] = node.outputs;
  if (node.kernel === 'Reshape' && rank === 4 && out.shape.length === 2 && out.shape[0] === value.shape[0])
    return { stage: { kind: 'flatten' }, value: sequence.take(node) };
  return null;
}

const pair = (v: unknown): [number, number] => {
  const [rows, columns] = [v].flat() as number[];
  return [rows ?? 1, columns ?? rows ?? 1];
};

function convolutionBehind(
  sequence: Sequence,
  node: GraphNode,
  x: Value,
  groups: ReadonlyMap<tf.Variable, string>,
): { readonly stage: StackLayer; readonly value: Value } | null {
  const kernel = sequence.input(node, 'filter')?.variable ?? null;
  const { pad, strides, dilations, dataFormat } = node.attrs as Record<string, unknown>;
  if (!kernel || kernel.rank !== 4 || (dataFormat ?? 'NHWC') !== 'NHWC') return null;
  if (sequence.input(node, 'x')?.id !== behindCopies(x).id || pair(dilations ?? 1).some((d) => d !== 1))
    return null;
  if (pad !== 'same' && pad !== 'valid') return null;
  let value = sequence.take(node);
  const next = sequence.userOf(value);
  const bias = next?.kernel === 'Add' ? (sequence.input(next, 'b')?.variable ?? null) : null;
  if (next && bias?.rank === 1) value = sequence.take(next);
  else if (next?.kernel === 'Add') return null;
  const trainable = groups.has(kernel);
  if (bias && groups.has(bias) !== trainable) return null;
  const [kh, kw] = kernel.shape;
  const images = (v: Value): [number, number, number] => [v.shape[1], v.shape[2], v.shape[3]];
  const stage: ConvLayer = {
    kind: 'conv',
    name: groups.get(kernel) ?? kernel.name,
    kernel,
    bias,
    trainable,
    window: { size: [kh as number, kw as number], strides: pair(strides), dilations: [1, 1], padding: pad },
    inShape: images(x),
    outShape: images(value),
  };
  return { stage, value };
}
