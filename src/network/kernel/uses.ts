import type { GraphNode } from '../graph/graph.js';
import type { Layout } from '../graph/layout.js';
import { slopeOf, timesSlope } from '../primitives/elementwise.js';
import { registeredGradient } from '../primitives/generic.js';
import { inputOf, runKernel, shapeOf, sizeOf, spread } from '../primitives/primitive.js';
import { sampleOuter } from '../products.js';
import * as tf from '../tf.js';
import { patchesOf } from './convolution/patches.js';

/**
 * What one use of a weight w brings to the gradients of every sample and output:
 * `outer`: sums over positions of outer products, G_io = X_i^T D_io for w [k, m] (`flipped`: for w [m, k]);
 * `rows`: the gradients themselves, in the order of w's numbers.
 */
export type Use =
  | {
      readonly kind: 'outer';
      /** [N, S, k]; or int32 [N, S, 1], the places of unit vectors that would be too long to write out. */
      readonly inputs: tf.Tensor3D;
      /** [N, O, S, m]; or [1, O, 1, m] where it is the same for all samples, and S is 1. */
      readonly cotangents: tf.Tensor4D;
      /** The cotangent that these were made from, by which a bias recognises its product. */
      readonly source: tf.Tensor;
      readonly flipped: boolean;
    }
  | {
      readonly kind: 'rows';
      /** [N, O, p]. */
      readonly rows: tf.Tensor3D;
      /** The cotangent, where the gradients are its sums over positions; else null. */
      readonly source: tf.Tensor | null;
    };

/** What a rule must know of the values around a node. */
export interface Surroundings {
  readonly samples: number;
  readonly layout: (node: GraphNode, name: string) => Layout | null;
  readonly outLayout: (node: GraphNode) => Layout | null;
  /** Whether the node's attributes do not depend on the number of samples. */
  readonly fixedAttrs: (node: GraphNode) => boolean;
}

type Rule = (node: GraphNode, name: string, d: tf.Tensor, around: Surroundings) => Use | null;

/** Moves the samples of [...lead, ...shape] to the front: [N, ...lead, positions, behind]. */
function samplesFirst(
  t: tf.Tensor,
  lead: number,
  shape: readonly number[],
  layout: Layout,
  n: number,
): tf.Tensor {
  const { axis, outer, inner } = layout;
  const heads = t.shape.slice(0, lead);
  const before = sizeOf(shape.slice(0, axis)) * outer;
  const behind = inner * sizeOf(shape.slice(axis + 1));
  if (before === 1 && sizeOf(heads) === 1) return tf.reshape(t, [n, ...heads, 1, behind]);
  const apart = tf.reshape(t, [sizeOf(heads), before, n, behind]);
  return tf.reshape(tf.transpose(apart, [2, 0, 1, 3]), [n, ...heads, before, behind]);
}

/** Rows [N, S, k] of a value whose last axis is k and not the samples'. */
function rowsOf(t: tf.Tensor, layout: Layout, n: number): tf.Tensor3D {
  const k = t.shape[t.rank - 1];
  return tf.reshape(samplesFirst(t, 0, t.shape, layout, n), [n, -1, k]) as tf.Tensor3D;
}

/** Cotangents [O, ...shape] as [N, O, S, m], m being the last axis. */
function cotangentRows(d: tf.Tensor, shape: readonly number[], layout: Layout, n: number): tf.Tensor4D {
  const whole = samplesFirst(spread(d, shape), 1, shape, layout, n);
  return tf.reshape(whole, [n, d.shape[0], -1, shape[shape.length - 1]]) as tf.Tensor4D;
}

const transposed = (t: tf.Tensor): tf.Tensor => {
  const order = Array.from({ length: t.rank }, (_, axis) => axis);
  [order[t.rank - 2], order[t.rank - 1]] = [t.rank - 1, t.rank - 2];
  return tf.transpose(t, order);
};

const same = (a: Layout, b: Layout): boolean =>
  a.axis === b.axis && a.outer === b.outer && a.inner === b.inner;

/** The layout of a value whose last two axes change places. */
const swapped = (layout: Layout, rank: number): Layout => ({
  ...layout,
  axis: layout.axis === rank - 1 ? rank - 2 : layout.axis === rank - 2 ? rank - 1 : layout.axis,
});

/** A product of matrices with the weight on one side; samples must not be summed over. */
const product: Rule = (node, name, d, around) => {
  const other = name === 'a' ? 'b' : 'a';
  const layout = around.layout(node, other);
  const out = around.outLayout(node);
  const rank = node.outputs[0].shape.length;
  const weight = shapeOf(node, name);
  if (!layout || !out || shapeOf(node, other).length !== rank || weight.slice(0, -2).some((n) => n !== 1))
    return null;
  const { transposeA = false, transposeB = false } = node.attrs as {
    transposeA?: boolean;
    transposeB?: boolean;
  };
  // z = x w with rows of x behind one another; w x is taken as (x^T w^T)^T.
  const left = name === 'b';
  const turnInput = left ? transposeA : !transposeB;
  const value = inputOf(node, other);
  const x = turnInput ? transposed(value) : value;
  const own = turnInput ? swapped(layout, rank) : layout;
  const outShape = [...node.outputs[0].shape];
  if (!left) outShape.splice(-2, 2, outShape[rank - 1], outShape[rank - 2]);
  const outLayout = left ? out : swapped(out, rank);
  if (own.axis === rank - 1 || !same(own, outLayout)) return null;
  const n = around.samples;
  const inputs = rowsOf(x, own, n);
  const turnedD = left ? d : transposed(d);
  const shared = n > 1 && turnedD.shape[own.axis + 1] === 1 && inputs.shape[1] === 1;
  const cotangents = shared
    ? (tf.reshape(spread(turnedD, [...Array.from({ length: rank - 1 }, () => 1), outShape[rank - 1]]), [
        1,
        d.shape[0],
        1,
        -1,
      ]) as tf.Tensor4D)
    : cotangentRows(turnedD, outShape, outLayout, n);
  return { kind: 'outer', inputs, cotangents, source: d, flipped: left ? transposeB : !transposeA };
};

/** Whether the samples are the first axis and nothing else. */
const isBatch = (layout: Layout | null): layout is Layout =>
  layout !== null && layout.axis === 0 && layout.outer === 1 && layout.inner === 1;

const rowsAndColumns = (given: unknown): [number, number] => {
  const [rows, columns] = [given].flat() as number[];
  return [rows, columns ?? rows];
};

/** What every position of a convolution sees: [N, S, window channels], in the order of the filter's numbers. */
function patches(
  kernel: string,
  x: tf.Tensor,
  filter: readonly number[],
  attrs: GraphNode['attrs'],
): tf.Tensor3D {
  const { pad, strides, dilations } = attrs as Readonly<Record<string, unknown>>;
  if (kernel === 'Conv2D' && (pad === 'same' || pad === 'valid'))
    return patchesOf(x as tf.Tensor4D, {
      size: [filter[0], filter[1]],
      strides: rowsAndColumns(strides),
      dilations: rowsAndColumns(dilations ?? 1),
      padding: pad,
    });
  const k = sizeOf(filter.slice(0, -1));
  const identity = tf.reshape(tf.eye(k), [...filter.slice(0, -1), k]);
  const seen = runKernel(kernel, { x, filter: identity }, { ...attrs, dilations: attrs.dilations ?? 1 });
  return tf.reshape(seen, [x.shape[0], -1, k]) as tf.Tensor3D;
}

const channelsLast = ({ attrs }: GraphNode): boolean => !String(attrs.dataFormat ?? 'NHWC').startsWith('NC');

const convolutionFilter: Rule = (node, name, d, around) => {
  const { samples } = around;
  if (name !== 'filter' || !isBatch(around.layout(node, 'x')) || !channelsLast(node)) return null;
  const filter = shapeOf(node, 'filter');
  const x = inputOf(node, 'x');
  const out = node.outputs[0].shape;
  const flat = cotangentRows(d, out, { axis: 0, outer: 1, inner: 1 }, samples);
  if (node.kernel !== 'DepthwiseConv2dNative')
    return {
      kind: 'outer',
      inputs: patches(node.kernel, x, filter, node.attrs),
      cotangents: flat,
      source: d,
      flipped: false,
    };
  const [kh, kw, channels, multiplier] = filter;
  const seen = patches('Conv2D', x, [kh, kw, channels, 1], node.attrs);
  const positions = seen.shape[1];
  const outputs = d.shape[0];
  // [N, 1, S, window, c, 1] * [N, O, S, 1, c, multiplier], summed over positions.
  const p = tf.reshape(seen, [samples, 1, positions, kh * kw, channels]);
  const each = Array.from({ length: multiplier }, (_, q) => {
    const own = tf.reshape(flat, [samples, outputs, positions, 1, channels, multiplier]);
    const one = tf.reshape(tf.slice(own, [0, 0, 0, 0, 0, q], [-1, -1, -1, -1, -1, 1]), [
      samples,
      outputs,
      positions,
      1,
      channels,
    ]);
    return tf.sum(tf.mul(p, one), 2);
  });
  const rows = tf.reshape(tf.stack(each, 4), [samples, outputs, -1]) as tf.Tensor3D;
  return { kind: 'rows', rows, source: null };
};

/** The filter of a transposed convolution: the cotangents are the images that it sees. */
const transposedFilter: Rule = (node, name, d, around) => {
  if (name !== 'filter' || node.kernel !== 'Conv2DBackpropInput') return null;
  if (!isBatch(around.layout(node, 'dy')) || !channelsLast(node)) return null;
  const n = around.samples;
  const [outputs, ...shape] = spread(d, node.outputs[0].shape).shape;
  const { inputShape: _, ...attrs } = node.attrs;
  const filter = shapeOf(node, 'filter');
  const images = tf.reshape(spread(d, node.outputs[0].shape), [outputs * n, ...shape.slice(1)]);
  const seen = patches('Conv2D', images, filter, { dilations: [1, 1], ...attrs });
  const k = seen.shape[2];
  const each = tf.reshape(seen, [outputs, n, -1, k]);
  const dy = tf.reshape(inputOf(node, 'dy'), [n, -1, filter[3]]) as tf.Tensor3D;
  const rows = Array.from({ length: outputs }, (_unused, o) =>
    tf.reshape(sampleOuter(tf.reshape(tf.slice(each, o, 1), [n, -1, k]) as tf.Tensor3D, dy), [n, -1]),
  );
  return { kind: 'rows', rows: tf.stack(rows, 1) as tf.Tensor3D, source: null };
};

/** Numbers of unit vectors up to which they are written out. */
const writtenOut = 2 ** 22;

/** Unit vectors [N, S, k] at places [N, S, 1]. */
export const unitVectors = (places: tf.Tensor3D, k: number): tf.Tensor3D =>
  tf.reshape(tf.cast(tf.equal(places, tf.reshape(tf.range(0, k, 1, 'int32'), [1, 1, k])), 'float32'), [
    places.shape[0],
    places.shape[1],
    k,
  ]);

/** Rows of a table at places that belong to samples, as a product with unit vectors. */
const lookup: Rule = (node, name, d, around) => {
  const layout = around.layout(node, 'indices');
  const shape = shapeOf(node, 'x');
  if (name !== 'x' || !layout || node.attrs.axis !== 0 || shape.length !== 2) return null;
  const n = around.samples;
  const indices = inputOf(node, 'indices');
  const flat = samplesFirst(indices, 0, indices.shape, layout, n);
  const places = tf.cast(tf.reshape(flat, [n, -1, 1]), 'int32') as tf.Tensor3D;
  const inputs = places.size * shape[0] > writtenOut ? places : unitVectors(places, shape[0]);
  const out = around.outLayout(node);
  if (!out || !same(out, layout)) return null;
  const cotangents = cotangentRows(d, node.outputs[0].shape, out, n);
  return { kind: 'outer', inputs, cotangents, source: d, flipped: false };
};

/** An elementwise operation with a weight, or copies of one: sums over the places where it stands. */
const spreadOut: Rule = (node, name, d, around) => {
  const layout = around.outLayout(node);
  const copies = node.kernel === 'Tile' || node.kernel === 'BroadcastTo';
  const slope = copies ? 1 : slopeOf(node, name);
  if (slope === null || !layout) return null;
  const out = node.outputs[0].shape;
  const own = shapeOf(node, name);
  const n = around.samples;
  if (copies && own.some((size, axis) => size !== 1 && size !== out[axis + out.length - own.length]))
    return null;
  const whole = spread(timesSlope(d, slope), out);
  const [lead] = whole.shape;
  const { axis, outer, inner } = layout;
  // Axes of the output with the samples' taken out of theirs, and the samples in front of everything.
  const apart = [lead, ...out.slice(0, axis), outer, n, inner, ...out.slice(axis + 1)];
  const at = axis + 2;
  const order = [at, ...apart.map((_, k) => k).filter((k) => k !== at)];
  const front =
    sizeOf(apart.slice(0, at)) === 1
      ? reshapeFront(whole, apart, order)
      : tf.transpose(tf.reshape(whole, apart), order);
  const lacking = out.length - own.length;
  const summed = front.shape.flatMap((size, k) => {
    if (k < 2 || size === 1) return [];
    // Behind N and L: the axes before the samples', outer, inner, those behind.
    const place = k - 2 < axis ? k - 2 : k - 2 <= axis + 1 ? -1 : k - 3;
    return place < 0 || place < lacking || own[place - lacking] === 1 ? [k] : [];
  });
  const rows = tf.reshape(summed.length > 0 ? tf.sum(front, summed) : front, [n, lead, -1]) as tf.Tensor3D;
  return { kind: 'rows', rows, source: slope === 1 ? d : null };
};

const reshapeFront = (t: tf.Tensor, apart: readonly number[], order: readonly number[]): tf.Tensor =>
  tf.reshape(
    t,
    order.map((k) => apart[k]),
  );

const rules: Readonly<Record<string, Rule>> = {
  BatchMatMul: product,
  Conv2D: convolutionFilter,
  Conv3D: convolutionFilter,
  DepthwiseConv2dNative: convolutionFilter,
  Conv2DBackpropInput: transposedFilter,
  GatherV2: lookup,
};

/** The gradients of one use of a weight, `d` being the cotangents [O, ...] of what the node makes. */
export function useOf(node: GraphNode, name: string, d: tf.Tensor, around: Surroundings): Use {
  return (
    rules[node.kernel]?.(node, name, d, around) ??
    spreadOut(node, name, d, around) ??
    byOperation(node, name, d, around)
  );
}

/** The operation alone, once a sample and output. */
function byOperation(node: GraphNode, name: string, d: tf.Tensor, around: Surroundings): Use {
  const { samples } = around;
  const layout = around.outLayout(node) as Layout;
  const out = node.outputs[0].shape;
  const whole = spread(d, out);
  const [outputs] = whole.shape;
  const carrying = Object.keys(node.inputs).filter((key) => around.layout(node, key));
  const sliced =
    around.fixedAttrs(node) && isBatch(layout) && carrying.every((key) => isBatch(around.layout(node, key)));
  const rows: tf.Tensor[] = [];
  for (let i = 0; i < samples; i++) {
    const at = sliced ? nodeAt(node, carrying, i) : node;
    for (let o = 0; o < outputs; o++)
      rows.push(
        tf.tidy(() => {
          const one = tf.reshape(tf.slice(whole, o, 1), [...out]);
          const dy = sliced ? tf.slice(one, i, 1) : tf.mul(one, mask(out, layout, i, samples));
          return tf.reshape(registeredGradient(at, [dy], name), [-1]);
        }),
      );
  }
  return {
    kind: 'rows',
    rows: tf.reshape(tf.stack(rows), [samples, outputs, -1]) as tf.Tensor3D,
    source: null,
  };
}

/** A node as it would be on sample i alone. */
function nodeAt(node: GraphNode, carrying: readonly string[], i: number): GraphNode {
  const inputs = Object.fromEntries(
    Object.entries(node.inputs).map(([key, value]) => {
      if (!carrying.includes(key)) return [key, value];
      const tensor = tf.slice(value.tensor as tf.Tensor, i, 1);
      return [key, { ...value, tensor, shape: tensor.shape }];
    }),
  );
  const outputs = node.outputs.map((value) => {
    const tensor = value.tensor && tf.slice(value.tensor, i, 1);
    return { ...value, tensor, shape: tensor?.shape ?? [1, ...value.shape.slice(1)] };
  });
  return { ...node, inputs, outputs };
}

/** 1 where a value belongs to sample i, else 0. */
function mask(shape: readonly number[], { axis, outer, inner }: Layout, i: number, n: number): tf.Tensor {
  const along = tf.tile(
    tf.reshape(tf.tile(tf.expandDims(tf.oneHot(tf.tensor1d([i], 'int32'), n), 2), [1, 1, inner]), [-1]),
    [outer],
  );
  return tf.cast(
    tf.reshape(along, [
      ...Array.from({ length: axis }, () => 1),
      shape[axis],
      ...shape.slice(axis + 1).map(() => 1),
    ]),
    'float32',
  );
}
