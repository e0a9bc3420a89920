import type * as tf from '../tf.js';
import type { Graph } from './graph.js';

export interface Dependence {
  /** Ids of the values between a weight and an output, both ends included. */
  readonly active: ReadonlySet<number>;
  /** Ids of the values that go into a kernel on such a path, or come out of it. */
  readonly needed: ReadonlySet<number>;
}

/** Which values of a graph depend on the given variables and reach an output. */
export function dependence(graph: Graph, variables: ReadonlySet<tf.Variable>): Dependence {
  const moving = new Set<number>();
  for (const value of graph.variables)
    if (value.variable && variables.has(value.variable)) moving.add(value.id);
  for (const { inputs, outputs } of graph.nodes)
    if (Object.values(inputs).some(({ id }) => moving.has(id))) for (const { id } of outputs) moving.add(id);
  const heard = new Set(graph.outputs.map(({ id }) => id));
  const active = new Set<number>();
  const needed = new Set<number>(heard);
  for (const { id } of graph.outputs) if (moving.has(id)) active.add(id);
  for (let k = graph.nodes.length - 1; k >= 0; k--) {
    const { inputs, outputs } = graph.nodes[k];
    if (!outputs.some(({ id }) => heard.has(id))) continue;
    const onPath = outputs.some(({ id }) => moving.has(id));
    if (onPath) for (const { id } of outputs) needed.add(id);
    for (const { id } of Object.values(inputs)) {
      heard.add(id);
      if (onPath) needed.add(id);
      if (moving.has(id)) active.add(id);
    }
  }
  return { active, needed };
}
