import { Random } from '../../core/random.js';
import * as tf from '../tf.js';
import { dependence } from './dependence.js';
import type { Graph, Value } from './graph.js';
import { isLeading, type Layout } from './layout.js';
import type { Program } from './program.js';
import { numbersOf, type Skeleton } from './skeleton.js';
import { trace } from './trace.js';

/** Where the samples are in every value of a program's trace. It holds for any number of samples. */
export interface Structure {
  /** By a value's id; null for values that all samples share. */
  readonly layouts: readonly (Layout | null)[];
  /** Scalar outputs of a sample, all outputs of the program side by side. */
  readonly outputs: number;
  /** Numbers a sample has in all values together. */
  readonly valuesPerSample: number;
  /** By a node's index: whether its attributes stay the same for another number of samples. */
  readonly fixedAttrs: readonly boolean[];
  /** The kernels in order, by which another trace is recognised as the same. */
  readonly signature: string;
  /** The trace without its tensors; null where samples cannot be told apart. */
  readonly skeleton: Skeleton | null;
  /** Why samples cannot be told apart in this trace; null where they can. */
  readonly problem: Problem | null;
}

export interface Problem {
  /** random: two runs differ; read: values were read; varying: other kernels for other samples; meet: samples meet. */
  readonly kind: 'random' | 'read' | 'varying' | 'meet';
  /** A clause that names what was found, without a full stop. */
  readonly reason: string;
}

interface Known {
  readonly settings: string | null;
  readonly structure: Structure;
}

const known = new WeakMap<object, Map<string, Known>>();

const shapeKey = (inputs: readonly tf.Tensor[], program: Program): string =>
  `${inputs.map((t) => `${t.dtype}[${t.shape.slice(1).join()}]`).join(' ')} ${program.weights.map(({ variable }) => variable.id).join()}`;

/** The structure of a program's trace, found once for inputs of the same shape: few samples are run a few times. */
export function structureOf(program: Program, inputs: readonly tf.Tensor[]): Structure {
  const structures = known.get(program.identity) ?? new Map<string, Known>();
  known.set(program.identity, structures);
  const key = shapeKey(inputs, program);
  const old = structures.get(key);
  if (old && old.settings === program.settings) return old.structure;
  const structure = findStructure(program, inputs);
  structures.set(key, { settings: program.settings, structure });
  return structure;
}

/** Forgets what is known of a program, as when its trace turned out to have changed. */
export const forgetStructure = (program: Program): void => void known.delete(program.identity);

export const signatureOf = ({ nodes, values }: Graph): string =>
  `${values.length}:${nodes.map(({ kernel }) => kernel).join()}`;

/** Samples in a trace that others are compared with. */
const count = 3;
/** The sample that each of those changes: not always the same, as an order turned over keeps the middle one. */
const changed = [1, 2] as const;

function findStructure(program: Program, inputs: readonly tf.Tensor[]): Structure {
  const graphs: Graph[] = [];
  const run = (x: readonly tf.Tensor[]): Graph => {
    const graph = trace(program.run, x);
    graphs.push(graph);
    return graph;
  };
  try {
    const found: Structure[] = [];
    tf.tidy(() => {
      found.push(find());
    });
    return found[0];
  } finally {
    for (const graph of graphs) graph.dispose();
  }

  function find(): Structure {
    const [two, three, ...others] = probes(inputs);
    const small = run(two);
    const base = run(three);
    const problem = (kind: Problem['kind'], reason: string): Structure => ({
      layouts: [],
      outputs: outputsOf(base),
      valuesPerSample: 0,
      fixedAttrs: [],
      signature: signatureOf(base),
      skeleton: null,
      problem: { kind, reason },
    });
    if (base.escapes.length > 0) return problem('read', base.escapes[0]);
    if (signatureOf(small) !== signatureOf(base))
      return problem('varying', 'other operations run for another number of samples');
    const moved: Moved[] = [];
    for (const [k, x] of others.entries()) {
      const graph = attempt(() => run(x));
      if (!graph) continue;
      if (signatureOf(graph) !== signatureOf(base))
        return problem('varying', 'other operations run for other values of the inputs');
      moved.push({ graph, changed: changed[k] });
    }
    return compare(program, small, base, moved, problem);
  }
}

/** The trace again, with one of the samples changed. */
interface Moved {
  readonly graph: Graph;
  readonly changed: number;
}

function compare(
  program: Program,
  small: Graph,
  base: Graph,
  moved: readonly Moved[],
  problem: (kind: Problem['kind'], reason: string) => Structure,
): Structure {
  const { needed } = dependence(base, new Set(program.weights.map((w) => w.variable)));
  if (base.values.some((value) => isDrawn(value) && moved.some((m) => differ(value, m.graph))))
    return problem('random', 'two runs draw different random numbers');
  const layouts: (Layout | null)[] = [];
  let valuesPerSample = 0;
  for (const value of base.values) {
    const from = small.values[value.id].shape;
    const candidates = layoutsBetween(from, value.shape);
    valuesPerSample += Math.max(0, sizeOf(value.shape) - sizeOf(from));
    if (!needed.has(value.id)) {
      layouts.push(candidates?.[0] ?? null);
      continue;
    }
    if (!candidates)
      return problem('meet', `${kernelOf(value)} makes values [${value.shape.join()}] of ${count} samples`);
    const own = moved.map(({ graph }) => changes(value, graph.values[value.id]));
    const possible =
      candidates.length === 0
        ? own.every((places) => places.length === 0) && [null]
        : candidates.filter((layout) => {
            const sample = sampleAt(value.shape, layout);
            return own.every((places, k) => places.every((at) => sample(at) === moved[k].changed));
          });
    if (!possible || possible.length === 0)
      return problem('meet', `${kernelOf(value)} mixes samples (values of shape [${value.shape.join()}])`);
    layouts.push(possible[0]);
  }
  if (base.outputs.some((value) => !isLeading(layouts[value.id])))
    return problem('meet', 'an output does not have the samples along its first axis');
  return {
    layouts,
    outputs: outputsOf(base),
    valuesPerSample,
    fixedAttrs: base.nodes.map(
      (node, k) => JSON.stringify(node.attrs) === JSON.stringify(small.nodes[k].attrs),
    ),
    signature: signatureOf(base),
    skeleton: { graph: base, layouts, numbers: numbersOf(base) },
    problem: null,
  };
}

/** The sample that a place in the memory of a value of a trace of three belongs to. */
function sampleAt(shape: readonly number[], { axis, inner }: Layout): (place: number) => number {
  const behind = inner * sizeOf(shape.slice(axis + 1));
  return (place) => Math.floor(place / behind) % count;
}
const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);
const outputsOf = ({ outputs }: Graph): number =>
  outputs.reduce((sum, { shape }) => sum + sizeOf(shape) / count, 0);
/** Whether a value comes from nowhere in the trace: a constant, or random numbers. */
const isDrawn = ({ node, variable, input }: Value): boolean => !node && !variable && input < 0;
const differ = (value: Value, graph: Graph): boolean => changes(value, graph.values[value.id]).length > 0;
const kernelOf = ({ node }: Value): string => (node ? `the operation ${node.kernel}` : 'a constant');

/**
 * Where samples may lie, from a value's shapes for 2 and for 3 of them: none ([]) where the shapes are the same, null
 * where they do not grow with the samples along one axis.
 */
function layoutsBetween(two: readonly number[], three: readonly number[]): readonly Layout[] | null {
  if (two.length !== three.length) return null;
  const axes = three.flatMap((size, axis) => (size === two[axis] ? [] : [axis]));
  if (axes.length === 0) return [];
  const [axis] = axes;
  const each = three[axis] / count;
  if (axes.length > 1 || !Number.isInteger(each) || two[axis] !== each * (count - 1)) return null;
  const found: Layout[] = [];
  for (let inner = each; inner >= 1; inner--)
    if (each % inner === 0) found.push({ axis, outer: each / inner, inner });
  return found;
}

/** Places at which two values of the same shape differ. */
function changes(a: Value, b: Value): readonly number[] {
  if (!a.tensor || !b.tensor || a.dtype === 'string' || a.tensor.size !== b.tensor.size) return [];
  const [x, y] = [a.tensor.dataSync(), b.tensor.dataSync()];
  const places: number[] = [];
  for (let i = 0; i < x.length; i++) if (!Object.is(x[i] + 0, y[i] + 0)) places.push(i);
  return places;
}

function attempt<T>(work: () => T): T | null {
  try {
    return work();
  } catch {
    return null;
  }
}

/**
 * Two and three of the samples, and the three again with one replaced: the middle one by another, and the last one by a
 * large one, which a maximum over samples would follow.
 */
function probes(inputs: readonly tf.Tensor[]): readonly (readonly tf.Tensor[])[] {
  const random = new Random('samples');
  const rows = (t: tf.Tensor, places: readonly number[]): tf.Tensor =>
    tf.gather(t, tf.tensor1d([...places], 'int32'), 0);
  const n = inputs[0].shape[0];
  const base = [0, 1, 2].map((i) => i % n);
  const three = inputs.map((t) => rows(t, base));
  const whole = inputs.map((t) => t.dtype !== 'float32' || isWhole(t));
  const replaced = (at: number, make: (t: tf.Tensor, i: number) => tf.Tensor): tf.Tensor[] =>
    three.map((t, i) => {
      const other = tf.cast(make(rows(t, [at]), i), t.dtype);
      return tf.concat(
        base.map((_, k) => (k === at ? other : rows(t, [k]))),
        0,
      );
    });
  const noise = (t: tf.Tensor): tf.Tensor => tf.tensor(Float32Array.from(random.normals(t.size)), t.shape);
  const another = replaced(changed[0], (t, i) => {
    // Whole numbers may be places in a table: they stay among those that were seen.
    if (whole[i]) return n > 3 ? rows(inputs[i], [n - 1]) : tf.reverse(t, t.rank - 1);
    return tf.add(t, noise(t));
  });
  const large = replaced(changed[1], (t, i) =>
    whole[i] ? tf.zerosLike(t) : tf.add(tf.mul(t, -4), tf.mul(noise(t), 3)),
  );
  return [inputs.map((t) => rows(t, base.slice(0, 2))), three, another, large];
}

function isWhole(t: tf.Tensor): boolean {
  return tf.tidy(() => tf.all(tf.equal(tf.floor(t), t)).dataSync()[0]) === 1;
}
