import type { GraphNode, Value } from '../graph/graph.js';
import { behindCopies, numbersOf } from '../graph/skeleton.js';
import { trace } from '../graph/trace.js';
import { activations } from '../models/activations.js';
import type { ActivationName } from '../models/spec.js';
import * as tf from '../tf.js';
import type { Sequence } from './sequence.js';

/**
 * What is computed from one value to another, as text: kernels with their attributes, constants by their numbers. Null where
 * anything else goes in. `nodes` are those on the way.
 */
function expression(
  to: Value,
  from: Value,
  numbers: ReadonlyMap<number, number>,
): { readonly text: string; readonly nodes: ReadonlySet<GraphNode> } | null {
  const nodes = new Set<GraphNode>();
  const write = (value: Value): string | null => {
    const own = behindCopies(value);
    if (own.id === from.id) return 'h';
    const number = numbers.get(own.id);
    if (number !== undefined) return String(number);
    // Longer ones are no activation that we know.
    if (!own.node || nodes.size > 20) return null;
    nodes.add(own.node);
    const inputs: string[] = [];
    for (const [name, input] of Object.entries(own.node.inputs)) {
      const text = write(input);
      if (text === null) return null;
      inputs.push(`${name}: ${text}`);
    }
    const attrs = Object.keys(own.node.attrs).length > 0 ? JSON.stringify(own.node.attrs) : '';
    return `${own.node.kernel}${attrs}(${inputs.join(', ')})`;
  };
  const text = write(to);
  return text === null ? null : { text, nodes };
}

let texts: ReadonlyMap<string, ActivationName> | null = null;

/** Our activations by what TensorFlow.js runs for them, found by tracing each. */
function known(): ReadonlyMap<string, ActivationName> {
  if (texts) return texts;
  const found = new Map<string, ActivationName>();
  const x = tf.tensor2d([0.5, -0.25], [2, 1]);
  const add = (name: ActivationName, f: (h: tf.Tensor) => tf.Tensor): void => {
    const graph = trace(([h]) => [f(h)], [x]);
    const written = expression(graph.outputs[0], graph.inputs[0], numbersOf(graph));
    if (written) found.set(written.text, name);
    graph.dispose();
  };
  for (const [name, { forward }] of Object.entries(activations)) add(name as ActivationName, forward);
  // As TensorFlow.js's own layers write it.
  add('silu', (h) => tf.mul(tf.sigmoid(tf.mul(h, 1)), h));
  x.dispose();
  texts = found;
  return found;
}

export interface FoundActivation {
  readonly name: ActivationName;
  readonly value: Value;
}

/**
 * The activation between a value and the next thing that is no elementwise function of it; null where there is something
 * that is none of ours. The sequence takes its nodes.
 */
export function activationBehind(sequence: Sequence, from: Value): FoundActivation | null {
  const start = behindCopies(from);
  let end = start;
  const users = sequence.usersOf(start);
  if (users.length === 0 || users.every(isLinear)) return { name: 'identity', value: from };
  // Where paths part they come together again in the last of the nodes that use nothing else.
  const seen = new Set<GraphNode>();
  for (let next: readonly GraphNode[] = users; next.length > 0; ) {
    const inner = next.filter((node) => !isLinear(node) && !seen.has(node));
    if (inner.length === 0) break;
    for (const node of inner) seen.add(node);
    next = inner.flatMap((node) => sequence.usersOf(node.outputs[0]));
    const written = [...seen].map((node) => node.outputs[0]).find((value) => closes(sequence, value, seen));
    if (written) {
      end = written;
      const found = expression(end, start, sequence.skeleton.numbers);
      const name = found && known().get(found.text);
      if (!found || !name) return null;
      for (const node of found.nodes) sequence.take(node);
      return { name, value: end };
    }
  }
  return null;
}

/** Whether everything that was seen leads to this value, and nothing of it beyond. */
function closes(sequence: Sequence, value: Value, seen: ReadonlySet<GraphNode>): boolean {
  return [...seen].every(
    (node) =>
      node.outputs[0].id === value.id || sequence.usersOf(node.outputs[0]).every((user) => seen.has(user)),
  );
}

/** Layers, and what moves numbers about: no part of an activation. */
const linear: ReadonlySet<string> = new Set([
  ...[
    'BatchMatMul',
    'Conv2D',
    'Reshape',
    'Mean',
    'Max',
    'MaxPool',
    'AvgPool',
    'PadV2',
    'Transpose',
    'Concat',
  ],
]);
const isLinear = ({ kernel }: GraphNode): boolean => linear.has(kernel);
