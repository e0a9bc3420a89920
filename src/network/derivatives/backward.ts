import { dependence } from '../graph/dependence.js';
import type { Graph, GraphNode, Value } from '../graph/graph.js';
import type { Structure } from '../graph/samples.js';
import { sizeOf } from '../primitives/primitive.js';
import * as tf from '../tf.js';
import { Cotangents, walkBack } from './reverse.js';

/** A weight, or something computed from weights alone, meeting samples in an operation. */
export interface WeightUse {
  readonly node: GraphNode;
  readonly name: string;
  readonly value: Value;
  /** Cotangents [O, ...] of what the node makes; axes of length 1 stand for equal numbers. */
  readonly cotangents: tf.Tensor;
}

export interface Backward {
  readonly uses: readonly WeightUse[];
  /** Ids of the values between a weight and an output. */
  readonly active: ReadonlySet<number>;
}

/** Unit cotangents [O, 1, ...] of one of the program's outputs, of which the chosen scalars are `own`. */
function unitRows(value: Value, samples: number, from: number, chosen: readonly number[]): tf.Tensor {
  const units = sizeOf(value.shape) / samples;
  const places = tf.tensor2d(
    chosen.map((o) => o - from),
    [chosen.length, 1],
  );
  const rows = tf.equal(places, tf.reshape(tf.range(0, units), [1, units]));
  const inner = value.shape[0] / samples;
  const rest = value.shape.slice(1);
  const d = tf.reshape(tf.cast(rows, 'float32'), [chosen.length, 1, inner, ...rest]);
  if (inner === 1) return tf.reshape(d, [chosen.length, 1, ...rest]);
  const whole = tf.broadcastTo(d, [chosen.length, samples, inner, ...rest]);
  return tf.reshape(whole, [chosen.length, ...value.shape]);
}

/**
 * One backward pass for all of the chosen scalar outputs together: the cotangents d f_o(x_i) / d z wherever a weight meets
 * samples. Because samples do not meet, the gradient of sum_i f_o(x_i) in z holds every sample's own (Novak,
 * Sohl-Dickstein and Schoenholz 2022). The caller tidies. Throws a NoDerivative that names an operation without a gradient.
 */
export function cotangentsOfUses(
  graph: Graph,
  { layouts }: Structure,
  weights: ReadonlySet<tf.Variable>,
  samples: number,
  chosen: readonly number[],
): Backward {
  const { active } = dependence(graph, weights);
  const cotangents = new Cotangents();
  let from = 0;
  for (const value of graph.outputs) {
    if (active.has(value.id)) cotangents.add(value.id, unitRows(value, samples, from, chosen));
    from += sizeOf(value.shape) / samples;
  }
  const uses: WeightUse[] = [];
  walkBack(graph, active, cotangents, (node, name, value, d) => {
    if (layouts[value.id]) return false;
    uses.push({ node, name, value, cotangents: d[0] as tf.Tensor });
    return true;
  });
  return { uses, active };
}
