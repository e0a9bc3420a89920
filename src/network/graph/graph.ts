import type * as tf from '../tf.js';

/** A tensor of a traced function: where it comes from and what it was. */
export interface Value {
  readonly id: number;
  readonly shape: readonly number[];
  readonly dtype: tf.DataType;
  /** What ran; null for an intermediate result of a fused kernel, which never existed. */
  readonly tensor: tf.Tensor | null;
  /** The variable that was read; null for anything else. */
  readonly variable: tf.Variable | null;
  /** Place among the function's inputs; -1 for anything else. */
  readonly input: number;
  /** The node that made it; null for variables, inputs and constants. */
  readonly node: GraphNode | null;
}

/** Gradient function of a `tf.customGrad` scope, with the tensors that it saved. */
export interface CustomGradient {
  readonly backward: (dy: tf.Tensor, saved: tf.Tensor[]) => Record<string, () => tf.Tensor>;
  readonly saved: readonly tf.Tensor[];
  /** What ran inside, and what came of it. */
  readonly inner: readonly GraphNode[];
  readonly result: Value;
}

/** One kernel that TensorFlow.js ran, or one `tf.customGrad` scope (kernel `CustomGradient`). */
export interface GraphNode {
  readonly kernel: string;
  /** By TensorFlow.js's names; "0", "1", ... for kernels that take a list. */
  readonly inputs: Readonly<Record<string, Value>>;
  readonly isList: boolean;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly outputs: Value[];
  readonly custom: CustomGradient | null;
  /** Slopes by input, kept where the same graph is walked many times; see `keepSlopes`. */
  slopes?: Map<string, tf.Tensor | number>;
}

/** A function of tensors as the kernels that TensorFlow.js ran for it, in order. Holds tensors: dispose it. */
export interface Graph {
  readonly nodes: readonly GraphNode[];
  /** Every value, by its id. Two traces of the same kernels have the same values in the same places. */
  readonly values: readonly Value[];
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** Every variable that was read, in the order of first use. */
  readonly variables: readonly Value[];
  /** What the trace could not follow, as sentences; empty where the graph is all there is. */
  readonly escapes: readonly string[];
  dispose(): void;
}
