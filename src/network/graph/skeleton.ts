import type { Graph, GraphNode, Value } from './graph.js';
import type { Layout } from './layout.js';

/** A traced graph without its tensors: what patterns are looked for in. Shapes are those of a trace of three samples. */
export interface Skeleton {
  readonly graph: Graph;
  readonly layouts: readonly (Layout | null)[];
  /** Constants of one number, by the value's id. */
  readonly numbers: ReadonlyMap<number, number>;
}

/** Constants of one number, read while the trace still holds its tensors. */
export function numbersOf({ values }: Graph): ReadonlyMap<number, number> {
  const found = new Map<number, number>();
  for (const { id, node, variable, input, tensor, shape } of values)
    if (!node && !variable && input < 0 && tensor && shape.every((n) => n === 1) && tensor.dtype !== 'string')
      found.set(id, tensor.dataSync()[0]);
  return found;
}

/** Kernels that hand a value on as it is. */
const passing: ReadonlySet<string> = new Set(['Identity', 'Cast', 'Reshape', 'ExpandDims']);

/** A shape without the axes of length 1 that TensorFlow.js puts before matrices. */
export const withoutLeadingOnes = (shape: readonly number[]): readonly number[] =>
  shape.slice(
    Math.max(
      0,
      shape.findIndex((n) => n !== 1),
    ),
  );

export function isPassing({ kernel, inputs, outputs }: GraphNode): boolean {
  if (!passing.has(kernel)) return false;
  const [input] = Object.values(inputs);
  const [own, other] = [input.shape, outputs[0].shape].map(withoutLeadingOnes);
  return own.join() === other.join() && input.dtype === outputs[0].dtype;
}

/** The value behind copies that change nothing. */
export function behindCopies(value: Value): Value {
  let own = value;
  while (own.node && isPassing(own.node)) own = Object.values(own.node.inputs)[0];
  return own;
}
