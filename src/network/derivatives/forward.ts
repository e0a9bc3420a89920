import type { Graph } from '../graph/graph.js';
import { isFlat, push } from '../primitives/index.js';
import * as tf from '../tf.js';

/**
 * J v: how the outputs of a graph move when its variables move by v (forward mode), with zeros for outputs that do not.
 * Kinks count as TensorFlow.js's own gradients count them. The caller tidies. Throws a NoDerivative that names an operation
 * without a gradient.
 */
export function pushForward(
  graph: Graph,
  active: ReadonlySet<number>,
  v: ReadonlyMap<tf.Variable, tf.Tensor>,
): tf.Tensor[] {
  const tangents = new Map<number, tf.Tensor>();
  for (const { id, variable } of graph.variables) {
    const own = variable && v.get(variable);
    if (own) tangents.set(id, own);
  }
  for (const node of graph.nodes) {
    if (isFlat(node.kernel) || !node.outputs.some(({ id }) => active.has(id))) continue;
    const moving = Object.entries(node.inputs).flatMap(([name, { id }]) => {
      const own = tangents.get(id);
      return own ? [[name, own] as const] : [];
    });
    if (moving.length === 0) continue;
    const out = push(Object.fromEntries(moving), node);
    for (const [k, { id }] of node.outputs.entries()) tangents.set(id, out[k]);
  }
  return graph.outputs.map(({ id, shape }) => tangents.get(id) ?? tf.zeros([...shape]));
}
