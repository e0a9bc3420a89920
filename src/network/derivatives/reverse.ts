import type { Graph, GraphNode, Value } from '../graph/graph.js';
import { pull } from '../primitives/index.js';
import * as tf from '../tf.js';

/** Cotangents [L, ...] by the id of the value they belong to. Several that arrive at one value add up. */
export class Cotangents {
  private readonly byValue = new Map<number, tf.Tensor>();

  get(id: number): tf.Tensor | null {
    return this.byValue.get(id) ?? null;
  }

  add(id: number, d: tf.Tensor): void {
    const old = this.byValue.get(id);
    this.byValue.set(id, old ? tf.add(old, d) : d);
  }
}

/** What a walk does with a cotangent that goes into a value: true where it has taken it, false to pull it through. */
export type Visit = (
  node: GraphNode,
  name: string,
  value: Value,
  d: readonly (tf.Tensor | null)[],
) => boolean;

/**
 * Walks a graph from its outputs back and pulls cotangents through every node on the way to the `active` values (reverse
 * mode). Nodes that `skip` names are passed over. The caller tidies.
 */
export function walkBack(
  graph: Graph,
  active: ReadonlySet<number>,
  cotangents: Cotangents,
  visit: Visit = () => false,
  skip: (node: GraphNode) => boolean = () => false,
): void {
  for (let k = graph.nodes.length - 1; k >= 0; k--) {
    const node = graph.nodes[k];
    if (skip(node)) continue;
    const d = node.outputs.map(({ id }) => cotangents.get(id));
    if (d.every((own) => own === null)) continue;
    for (const [name, value] of Object.entries(node.inputs))
      if (active.has(value.id) && !visit(node, name, value, d)) cotangents.add(value.id, pull(d, node, name));
  }
}

/**
 * J^T u: gradients of sum <u_k, f_k> in the given variables, u_k having the shape of output k. Zeros for variables that no
 * output depends on. The caller tidies. Throws a NoDerivative that names an operation without a gradient.
 */
export function pullBack(
  graph: Graph,
  active: ReadonlySet<number>,
  u: readonly (tf.Tensor | null)[],
  variables: readonly tf.Variable[],
): tf.Tensor[] {
  const cotangents = new Cotangents();
  for (const [k, { id }] of graph.outputs.entries()) {
    const own = u[k];
    if (own && active.has(id)) cotangents.add(id, tf.expandDims(own, 0));
  }
  walkBack(graph, active, cotangents);
  const read = new Map(graph.variables.map((value) => [value.variable, value]));
  return variables.map((variable) => {
    const value = read.get(variable);
    const d = value && cotangents.get(value.id);
    if (!d) return tf.zeros(variable.shape);
    // Axes along which all numbers are equal may have been left short.
    return tf.broadcastTo(tf.squeeze(d, [0]), variable.shape);
  });
}
