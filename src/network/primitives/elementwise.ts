import type { GraphNode } from '../graph/graph.js';
import * as tf from '../tf.js';
import { registeredGradient } from './generic.js';
import { addAll, inputOf, outputOf, type Primitive, shapeOf, sumTo, type Tangents } from './primitive.js';

/** The derivative of every number of the output in the one of an input that it is made from; broadcasts to the output. */
export type Slope = (node: GraphNode) => tf.Tensor | number;

/** Kernels of one input whose registered gradient is a product with the slope. */
const unary = [
  ...[
    'Abs',
    'Acos',
    'Acosh',
    'Asin',
    'Asinh',
    'Atan',
    'Atanh',
    'Ceil',
    'ClipByValue',
    'Cos',
    'Cosh',
    'Elu',
    'Erf',
  ],
  ...[
    'Exp',
    'Expm1',
    'Floor',
    'LeakyRelu',
    'Log',
    'Log1p',
    'Reciprocal',
    'Relu',
    'Relu6',
    'Round',
    'Rsqrt',
    'Selu',
  ],
  ...['Sigmoid', 'Sign', 'Sin', 'Sinh', 'Softplus', 'Sqrt', 'Square', 'Step', 'Tan', 'Tanh'],
];

const x: Slope = (node) => registeredGradient(node, [tf.onesLike(outputOf(node))], 'x');
const of =
  (name: string): Slope =>
  (node) =>
    inputOf(node, name);
const chosen =
  (test: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): Slope =>
  (node) =>
    tf.cast(test(inputOf(node, 'a'), inputOf(node, 'b')), 'float32');

/** (x - mean) / sqrt(variance + epsilon), and what stands before it. */
const inverseDeviation = (node: GraphNode): tf.Tensor =>
  tf.rsqrt(tf.add(inputOf(node, 'variance'), node.attrs.varianceEpsilon as number));
const gain = (node: GraphNode): tf.Tensor => {
  const inverse = inverseDeviation(node);
  return node.inputs.scale ? tf.mul(inputOf(node, 'scale'), inverse) : inverse;
};
const centred = (node: GraphNode): tf.Tensor => tf.sub(inputOf(node, 'x'), inputOf(node, 'mean'));

/** Slopes of elementwise kernels, by kernel and input. The elu of TensorFlow.js and its kin come from the registry. */
const slopes: Readonly<Record<string, Readonly<Record<string, Slope>>>> = {
  ...Object.fromEntries(unary.map((kernel) => [kernel, { x }])),
  Identity: { x: () => 1 },
  Cast: { x: () => 1 },
  Neg: { x: () => -1 },
  Add: { a: () => 1, b: () => 1 },
  AddV2: { a: () => 1, b: () => 1 },
  Sub: { a: () => 1, b: () => -1 },
  Multiply: { a: of('b'), b: of('a') },
  RealDiv: {
    a: (node) => tf.reciprocal(inputOf(node, 'b')),
    b: (node) => tf.neg(tf.div(outputOf(node), inputOf(node, 'b'))),
  },
  SquaredDifference: {
    a: (node) => tf.mul(2, tf.sub(inputOf(node, 'a'), inputOf(node, 'b'))),
    b: (node) => tf.mul(2, tf.sub(inputOf(node, 'b'), inputOf(node, 'a'))),
  },
  Maximum: { a: chosen(tf.greaterEqual), b: chosen(tf.less) },
  Minimum: { a: chosen(tf.lessEqual), b: chosen(tf.greater) },
  Pow: {
    a: (node) => {
      const [a, b] = [inputOf(node, 'a'), tf.cast(inputOf(node, 'b'), 'float32')];
      return tf.mul(b, tf.pow(a, tf.sub(b, 1)));
    },
    b: (node) => {
      const a = inputOf(node, 'a');
      return tf.mul(
        outputOf(node),
        tf.where(tf.greater(a, 0), tf.log(tf.maximum(a, 1e-38)), tf.zerosLike(a)),
      );
    },
  },
  Atan2: {
    a: (node) => tf.div(inputOf(node, 'b'), radius(node)),
    b: (node) => tf.neg(tf.div(inputOf(node, 'a'), radius(node))),
  },
  Select: {
    t: (node) => condition(node),
    e: (node) => tf.sub(1, condition(node)),
  },
  Prelu: {
    x: (node) => {
      const input = inputOf(node, 'x');
      return tf.where(
        tf.greater(input, 0),
        tf.onesLike(input),
        tf.mul(tf.onesLike(input), inputOf(node, 'alpha')),
      );
    },
    alpha: (node) => tf.minimum(inputOf(node, 'x'), 0),
  },
  FusedBatchNorm: {
    x: gain,
    mean: (node) => tf.neg(gain(node)),
    variance: (node) => {
      const inverse = inverseDeviation(node);
      return tf.mul(tf.mul(-0.5, tf.mul(gain(node), centred(node))), tf.square(inverse));
    },
    scale: (node) => tf.mul(centred(node), inverseDeviation(node)),
    offset: () => 1,
  },
};

const radius = (node: GraphNode): tf.Tensor =>
  tf.add(tf.square(inputOf(node, 'a')), tf.square(inputOf(node, 'b')));

/** The condition as numbers; one of rank 1 chooses whole rows. */
function condition(node: GraphNode): tf.Tensor {
  const chosenOnes = tf.cast(inputOf(node, 'condition'), 'float32');
  const rank = node.outputs[0].shape.length;
  return chosenOnes.rank === 1 && rank > 1
    ? tf.reshape(chosenOnes, [chosenOnes.size, ...Array.from({ length: rank - 1 }, () => 1)])
    : chosenOnes;
}

/** The slope of an elementwise kernel in an input, or null for other kernels and inputs. */
export function slopeOf(node: GraphNode, name: string): tf.Tensor | number | null {
  const known = node.slopes?.get(name);
  if (known !== undefined) return known;
  const slope = slopes[node.kernel]?.[name]?.(node) ?? null;
  if (slope === null || !node.slopes) return slope;
  // A slope may be another value of the graph itself, whose handle is not ours to keep.
  const kept = typeof slope === 'number' ? slope : tf.keep(tf.clone(slope));
  node.slopes.set(name, kept);
  return kept;
}

/** Makes a graph's nodes remember their slopes until the result is called: for graphs that are walked many times. */
export function keepSlopes(nodes: readonly GraphNode[]): () => void {
  for (const node of nodes) if (node.kernel in slopes) node.slopes = new Map();
  return () => {
    for (const node of nodes) {
      for (const slope of node.slopes?.values() ?? []) if (typeof slope !== 'number') slope.dispose();
      node.slopes = undefined;
    }
  };
}

/** Cotangents or tangents [..., ...out] times a slope. */
export function timesSlope(d: tf.Tensor, slope: tf.Tensor | number): tf.Tensor {
  if (slope === 1) return d;
  if (slope === -1) return tf.neg(d);
  return tf.mul(d, slope);
}

export const elementwise: Primitive = {
  kernels: Object.keys(slopes),
  pull: ([d], node, name) => {
    const slope = slopeOf(node, name);
    if (slope === null) throw new Error(`The operation ${node.kernel} has no derivative in ${name}.`);
    return sumTo(timesSlope(d as tf.Tensor, slope), node.outputs[0].shape, shapeOf(node, name));
  },
  push: (tangents: Tangents, node) => {
    const { shape } = node.outputs[0];
    const parts = Object.entries(tangents).flatMap(([name, t]) => {
      const slope = t ? slopeOf(node, name) : null;
      return t && slope !== null ? [timesSlope(t, slope)] : [];
    });
    const sum = addAll(parts);
    return [sum.shape.length === shape.length ? spreadOne(sum, shape) : tf.broadcastTo(sum, [...shape])];
  },
};

const spreadOne = (t: tf.Tensor, shape: readonly number[]): tf.Tensor =>
  t.shape.every((n, axis) => n === shape[axis]) ? t : tf.broadcastTo(t, [...shape]);
