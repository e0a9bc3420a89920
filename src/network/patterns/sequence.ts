import type { GraphNode, Value } from '../graph/graph.js';
import { behindCopies, isPassing, type Skeleton } from '../graph/skeleton.js';

/** A walk along a network that is one sequence: every value is used by one thing only. */
export class Sequence {
  private readonly users = new Map<number, Set<GraphNode>>();
  /** Nodes on the way to an output that no step has taken yet. */
  private readonly left = new Set<GraphNode>();

  constructor(readonly skeleton: Skeleton) {
    const { nodes, outputs } = skeleton.graph;
    const heard = new Set(outputs.map(({ id }) => behindCopies(skeleton.graph.values[id]).id));
    for (let k = nodes.length - 1; k >= 0; k--) {
      const node = nodes[k];
      if (isPassing(node) || !node.outputs.some(({ id }) => heard.has(id))) continue;
      this.left.add(node);
      for (const input of Object.values(node.inputs)) {
        const { id } = behindCopies(input);
        heard.add(id);
        this.users.set(id, (this.users.get(id) ?? new Set()).add(node));
      }
    }
  }

  /** What uses a value; more than one thing where paths part. */
  usersOf(value: Value): readonly GraphNode[] {
    return [...(this.users.get(behindCopies(value).id) ?? [])];
  }

  /** The one thing that uses a value; null where there is none or more. */
  userOf(value: Value): GraphNode | null {
    const users = this.usersOf(value);
    return users.length === 1 ? users[0] : null;
  }

  /** An input of a node, behind copies. */
  input(node: GraphNode, name: string): Value | null {
    const value = node.inputs[name];
    return value ? behindCopies(value) : null;
  }

  number(value: Value | null): number | null {
    return value ? (this.skeleton.numbers.get(value.id) ?? null) : null;
  }

  take(node: GraphNode): Value {
    this.left.delete(node);
    return node.outputs[0];
  }

  /** Whether every node on the way to the outputs was taken. */
  get isWhole(): boolean {
    return this.left.size === 0;
  }

  isOutput(value: Value): boolean {
    const { outputs } = this.skeleton.graph;
    return outputs.length === 1 && behindCopies(outputs[0]).id === behindCopies(value).id;
  }
}
