import type { GraphNode } from '../graph/graph.js';
import * as tf from '../tf.js';

/**
 * What is known of a TensorFlow.js kernel beside how to run it. A kernel without an entry, or without a rule, goes the
 * generic way (`generic.ts`).
 */
export interface Primitive {
  readonly kernels: readonly string[];
  /**
   * Cotangents [L, ...in] of the input `name`, from those [L, ...out] of the outputs (null where none arrives). An axis
   * behind L may have length 1: then all along it are equal.
   */
  readonly pull?: (d: readonly (tf.Tensor | null)[], node: GraphNode, name: string) => tf.Tensor;
  /** Tangents of the outputs from those of some inputs; absent ones are zero. */
  readonly push?: (tangents: Tangents, node: GraphNode) => readonly tf.Tensor[];
}

export type Tangents = Readonly<Record<string, tf.Tensor | undefined>>;

/** The tensor of an input. Throws an Error for one that never existed (inside a fused kernel). */
export function inputOf(node: GraphNode, name: string): tf.Tensor {
  const { tensor } = node.inputs[name];
  if (!tensor) throw new Error(`The input ${name} of ${node.kernel} was not kept.`);
  return tensor;
}

export const outputOf = (node: GraphNode): tf.Tensor => node.outputs[0].tensor as tf.Tensor;

export const shapeOf = (node: GraphNode, name: string): readonly number[] => node.inputs[name].shape;

/** Runs a kernel of the present backend. */
export const runKernel = (
  kernel: string,
  inputs: Readonly<Record<string, tf.Tensor>> | readonly tf.Tensor[],
  attrs: Readonly<Record<string, unknown>> = {},
): tf.Tensor =>
  tf
    .engine()
    .runKernel(kernel, inputs as tf.NamedTensorMap, attrs as unknown as tf.NamedAttrMap) as tf.Tensor;

/** All inputs of a node as a kernel takes them, some replaced. */
export function inputsOf(
  node: GraphNode,
  replaced: Readonly<Record<string, tf.Tensor>> = {},
): Record<string, tf.Tensor> | tf.Tensor[] {
  const named = Object.fromEntries(
    Object.keys(node.inputs).map((name) => [name, replaced[name] ?? inputOf(node, name)]),
  );
  return node.isList ? Object.keys(node.inputs).map((name) => named[name]) : named;
}

/** Runs a node's kernel on its own inputs, some replaced. */
export function rerun(node: GraphNode, replaced: Readonly<Record<string, tf.Tensor>> = {}): tf.Tensor[] {
  return [runKernel(node.kernel, inputsOf(node, replaced), node.attrs)].flat();
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/** Cotangents [L, ...] in full: no axis left at length 1 for `shape`. */
export function spread(d: tf.Tensor, shape: readonly number[]): tf.Tensor {
  const whole = [d.shape[0], ...shape];
  return whole.every((n, axis) => n === d.shape[axis]) ? d : tf.broadcastTo(d, whole);
}

/** Sums [L, ...out] over the axes along which an input of shape `to` was repeated. */
export function sumTo(d: tf.Tensor, out: readonly number[], to: readonly number[]): tf.Tensor {
  const lead = out.length - to.length;
  const axes: number[] = [];
  let equal = 1;
  for (const [i, n] of out.entries()) {
    const own = i < lead ? 1 : to[i - lead];
    if (own !== 1 || n === 1) continue;
    if (d.shape[i + 1] === 1) equal *= n;
    else axes.push(i + 1);
  }
  let sum = axes.length > 0 ? tf.sum(d, axes, true) : d;
  if (equal !== 1) sum = tf.mul(sum, equal);
  return lead === 0 ? sum : tf.reshape(sum, [sum.shape[0], ...sum.shape.slice(1 + lead)]);
}

/** As `to`, with the axes of length 1 that stand for equal numbers kept short where the shapes allow. */
export function reshaped(d: tf.Tensor, from: readonly number[], to: readonly number[]): tf.Tensor {
  const [lead, ...own] = d.shape;
  const target: number[] = [];
  const full = (): tf.Tensor => tf.reshape(spread(d, from), [lead, ...to]);
  let [i, j] = [0, 0];
  while (i < from.length || j < to.length) {
    // The next group of axes that hold the same numbers on both sides.
    const [i0, j0] = [i, j];
    let [a, b] = [1, 1];
    do {
      if (a <= b && i < from.length) a *= from[i++];
      else if (j < to.length) b *= to[j++];
      else if (i < from.length) a *= from[i++];
      else return full();
    } while (a !== b || (a === 1 && i < from.length && j < to.length && from[i] === 1 && to[j] === 1));
    const group = from.slice(i0, i).map((n, k) => [n, own[i0 + k]] as const);
    const short = group.some(([n, is]) => n !== 1 && is === 1);
    if (short && group.some(([n, is]) => n !== 1 && is !== 1)) return full();
    target.push(...to.slice(j0, j).map((n) => (short ? 1 : n)));
  }
  return tf.reshape(d, [lead, ...target]);
}

/** Tangents through kernels that are linear in each of their inputs on its own. */
export const multilinear = (tangents: Tangents, node: GraphNode): readonly tf.Tensor[] => {
  const parts = Object.entries(tangents).flatMap(([name, t]) => (t ? [rerun(node, { [name]: t })] : []));
  return parts[0].map((_, k) => addAll(parts.map((part) => part[k])));
};

export const addAll = (tensors: readonly tf.Tensor[]): tf.Tensor =>
  tensors.reduce((sum, t) => tf.add(sum, t));

/** A non-negative axis. */
export const axisOf = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);
