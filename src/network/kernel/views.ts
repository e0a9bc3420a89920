import type { Graph, Value } from '../graph/graph.js';
import type { Layout } from '../graph/layout.js';
import { sizeOf } from '../primitives/primitive.js';
import type * as tf from '../tf.js';

/** A box of a variable's numbers: where it begins, and its size, along every axis. */
interface Box {
  readonly begin: readonly number[];
  readonly size: readonly number[];
}

/** Some numbers of one variable, each once, times a constant: slices, reshapes and transposes of it. */
export interface View {
  readonly variable: tf.Variable;
  readonly box: Box;
  /** Equal for views that hold the same numbers in the same order. */
  readonly key: string;
  readonly factor: number;
}

/** Kernels that keep the numbers and, but for Transpose, their order. */
const sameNumbers: ReadonlySet<string> = new Set(['Identity', 'Cast', 'Reshape', 'ExpandDims', 'Transpose']);

const whole = (shape: readonly number[]): Box => ({ begin: shape.map(() => 0), size: shape });

/**
 * What every value that all samples share, and that depends on weights, is a view of: null where it is more than that, as
 * a normalised weight is. By the value's id; values that no weight reaches are absent.
 */
export function viewsOf(
  graph: Graph,
  layouts: readonly (Layout | null)[],
  active: ReadonlySet<number>,
): ReadonlyMap<number, View | null> {
  const views = new Map<number, View | null>();
  for (const { id, variable, shape } of graph.variables)
    if (variable && active.has(id)) views.set(id, { variable, box: whole(shape), key: '', factor: 1 });
  for (const node of graph.nodes) {
    const entries = Object.entries(node.inputs);
    const sources = entries.filter(([, value]) => views.has(value.id));
    if (sources.length === 0) continue;
    for (const [k, output] of node.outputs.entries()) {
      if (layouts[output.id] || !active.has(output.id)) continue;
      const [name, value] = sources[0];
      const from = sources.length === 1 ? (views.get(value.id) ?? null) : null;
      views.set(
        output.id,
        from && viewThrough(node.kernel, node.attrs, from, value, output, k, constantOf(entries, name)),
      );
    }
  }
  return views;
}

/** The number beside the weight where it is a constant of one number; else null. */
function constantOf(entries: readonly (readonly [string, Value])[], name: string): number | null {
  const other = entries.find(([key]) => key !== name)?.[1];
  const isNumber = other && !other.node && !other.variable && other.input < 0 && sizeOf(other.shape) === 1;
  return isNumber && other.tensor ? other.tensor.dataSync()[0] : null;
}

function viewThrough(
  kernel: string,
  attrs: Readonly<Record<string, unknown>>,
  from: View,
  value: Value,
  output: Value,
  place: number,
  constant: number | null,
): View | null {
  if (sameNumbers.has(kernel))
    return kernel === 'Transpose'
      ? { ...from, key: `${from.key}[${value.shape}]T[${attrs.perm as number[]}]` }
      : from;
  if (kernel === 'Multiply' && constant !== null && sizeOf(output.shape) === sizeOf(value.shape))
    return { ...from, factor: from.factor * constant };
  // Pieces of pieces are not followed.
  const isWhole = from.key === '' && sizeOf(from.box.size) === sizeOf(from.variable.shape);
  const direct =
    value.shape.length === from.variable.shape.length &&
    value.shape.every((n, k) => n === from.variable.shape[k]);
  if (!isWhole || !direct) return null;
  const rank = value.shape.length;
  if (kernel === 'Slice')
    return { ...from, ...boxed({ begin: attrs.begin as number[], size: output.shape }) };
  if (kernel !== 'SplitV' && kernel !== 'Unpack') return null;
  const axis = ((attrs.axis as number) + rank) % rank;
  const sizes =
    kernel === 'Unpack'
      ? Array.from({ length: value.shape[axis] }, () => 1)
      : splitSizes(attrs.numOrSizeSplits as number | number[], value.shape[axis]);
  const begin = value.shape.map((_, k) =>
    k === axis ? sizes.slice(0, place).reduce((a, b) => a + b, 0) : 0,
  );
  return { ...from, ...boxed({ begin, size: value.shape.map((n, k) => (k === axis ? sizes[place] : n)) }) };
}

const boxed = (box: Box): { box: Box; key: string } => ({ box, key: `[${box.begin}]+[${box.size}]` });

function splitSizes(given: number | number[], length: number): readonly number[] {
  if (typeof given === 'number') return Array.from({ length: given }, () => length / given);
  const rest = length - given.filter((n) => n >= 0).reduce((a, b) => a + b, 0);
  return given.map((n) => (n < 0 ? rest : n));
}

/** Whether two views have no number in common. */
export const disjoint = (a: View, b: View): boolean =>
  a.box.begin.some(
    (begin, axis) =>
      begin + a.box.size[axis] <= b.box.begin[axis] || b.box.begin[axis] + b.box.size[axis] <= begin,
  );
