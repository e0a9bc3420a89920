import * as tf from '../tf.js';
import { expandFused, isFusedScope } from './fused.js';
import type { CustomGradient, Graph, GraphNode, Value } from './graph.js';

interface KernelCall {
  readonly kernelName?: string;
  readonly inputs: Record<string, tf.Tensor | undefined> | (tf.Tensor | undefined)[];
  readonly attrs?: Record<string, unknown>;
  readonly forwardFunc?: (backend: unknown, save: (tensors: tf.Tensor[]) => void) => tf.Tensor;
  readonly backwardsFunc?: CustomGradient['backward'];
}

/** What the tracer needs of TensorFlow.js's engine, beyond its public face. */
interface OpenEngine {
  runKernelFunc(call: KernelCall): tf.Tensor | tf.Tensor[];
  readSync(id: object): unknown;
  read(id: object): unknown;
  clone(t: tf.Tensor): tf.Tensor;
  gradients(...request: unknown[]): unknown;
  makeTensorFromTensorInfo(info: { dataId: object; shape: number[]; dtype: string }): tf.Tensor;
  readonly state: {
    gradientDepth: number;
    kernelDepth: number;
    readonly tensorInfo: { get(id: object): { readonly backend: { incRef(id: object): void } } };
  };
}

/** What a handle of an outer trace, or of one that came before, is another handle on. */
const heldFrom = new WeakMap<tf.Tensor, tf.Tensor>();

const isVariable = (t: tf.Tensor): t is tf.Variable =>
  typeof (t as unknown as { assign?: unknown }).assign === 'function';

/**
 * Records what `f` runs, at the level of TensorFlow.js's kernels, whatever layers or operations stand above. Activations
 * are kernels of their own, as under a gradient. `inputs` are the tensors that `f` is a function of; variables are found
 * where they are read. Everything else that goes in is a constant of the trace.
 */
export function trace(
  f: (inputs: readonly tf.Tensor[]) => readonly tf.Tensor[],
  inputs: readonly tf.Tensor[],
): Graph {
  const recorder = new Recorder();
  try {
    return recorder.run(f, inputs);
  } catch (error) {
    recorder.release();
    throw error;
  }
}

class Recorder {
  private readonly engine = tf.engine() as unknown as OpenEngine;
  private readonly kept: tf.Tensor[] = [];
  private readonly values: Value[] = [];
  private readonly byTensor = new Map<number, Value>();
  private readonly variables = new Map<tf.Variable, Value>();
  private readonly escapes = new Set<string>();
  private nodes: GraphNode[] = [];
  /** Names of the kernels of the present list, fused ones as they were called. */
  private kernels: string[] = [];
  /** Inside a kernel nothing is recorded; inside a scope, into its own list. */
  private insideKernel = 0;

  run(f: (inputs: readonly tf.Tensor[]) => readonly tf.Tensor[], inputs: readonly tf.Tensor[]): Graph {
    const { engine } = this;
    const { runKernelFunc, readSync, read, clone, gradients } = engine;
    const ins = inputs.map((t, i) => this.enter(t, { input: i }));
    // Tapes are off and activations still not fused: the engine asks for the depth of gradients.
    engine.state.gradientDepth++;
    engine.state.kernelDepth++;
    engine.runKernelFunc = (call) =>
      this.insideKernel > 0 ? runKernelFunc.call(engine, call) : this.record(call, runKernelFunc);
    engine.readSync = (id) => this.noteRead(() => readSync.call(engine, id));
    engine.read = (id) => this.noteRead(() => read.call(engine, id));
    engine.clone = (t) => {
      const copy = clone.call(engine, t);
      // What a tape saves inside a kernel is a copy that nobody has seen being made.
      if (this.insideKernel > 0) heldFrom.set(copy, heldFrom.get(t) ?? t);
      return copy;
    };
    engine.gradients = (...request) => this.withTape(() => gradients.apply(engine, request));
    let outputs: readonly Value[] = [];
    try {
      tf.tidy(() => {
        outputs = f(inputs).map((t) => this.valueOf(t));
      });
    } finally {
      Object.assign(engine, { runKernelFunc, readSync, read, clone, gradients });
      engine.state.gradientDepth--;
      engine.state.kernelDepth--;
    }
    return {
      nodes: this.nodes,
      values: this.values,
      inputs: ins,
      outputs,
      variables: [...this.variables.values()],
      escapes: [...this.escapes],
      dispose: () => this.release(),
    };
  }

  /** A gradient that the function takes itself needs a tape of its own; one inside it has that already. */
  private withTape<T>(work: () => T): T {
    const { state } = this.engine;
    if (state.kernelDepth === 0) return work();
    const { gradientDepth, kernelDepth } = state;
    Object.assign(state, { gradientDepth: 0, kernelDepth: 0 });
    try {
      return work();
    } finally {
      Object.assign(state, { gradientDepth, kernelDepth });
    }
  }

  release(): void {
    tf.dispose(this.kept);
    this.kept.length = 0;
  }

  private noteRead<T>(read: () => T): T {
    if (this.insideKernel === 0)
      this.escapes.add(
        'values of tensors are read while it runs (dataSync, arraySync, data), so what depends on them cannot be followed',
      );
    return read();
  }

  /** A second handle on a tensor's memory, which outlives whatever the function disposes. */
  private hold(t: tf.Tensor): tf.Tensor {
    const { dataId, shape, dtype } = t as tf.Tensor & { dataId: object };
    this.engine.state.tensorInfo.get(dataId).backend.incRef(dataId);
    const held = tf.keep(this.engine.makeTensorFromTensorInfo({ dataId, shape, dtype }));
    this.kept.push(held);
    heldFrom.set(held, heldFrom.get(t) ?? t);
    return held;
  }

  private enter(t: tf.Tensor, from: Partial<Pick<Value, 'variable' | 'input' | 'node'>>): Value {
    const value: Value = {
      id: this.values.length,
      shape: t.shape,
      dtype: t.dtype,
      tensor: this.hold(t),
      variable: from.variable ?? null,
      input: from.input ?? -1,
      node: from.node ?? null,
    };
    this.values.push(value);
    this.byTensor.set(t.id, value);
    return value;
  }

  private valueOf(t: tf.Tensor): Value {
    if (isVariable(t)) {
      const known = this.variables.get(t) ?? this.enter(t, { variable: t });
      this.variables.set(t, known);
      return known;
    }
    const known = this.byTensor.get(t.id);
    if (known) return known;
    // A trace inside this one works with handles of its own.
    const origin = heldFrom.get(t);
    if (origin && (isVariable(origin) || this.byTensor.has(origin.id))) return this.valueOf(origin);
    return this.enter(t, {});
  }

  /** A value that never existed, between the two halves of a fused kernel. */
  private virtual(shape: readonly number[], node: GraphNode): Value {
    const value: Value = {
      id: this.values.length,
      shape,
      dtype: 'float32',
      tensor: null,
      variable: null,
      input: -1,
      node,
    };
    this.values.push(value);
    return value;
  }

  private namedValues(inputs: KernelCall['inputs']): Record<string, Value> {
    const named: Record<string, Value> = {};
    for (const [name, t] of Object.entries(inputs)) if (t) named[name] = this.valueOf(t);
    return named;
  }

  private record(call: KernelCall, run: OpenEngine['runKernelFunc']): tf.Tensor | tf.Tensor[] {
    return call.kernelName === undefined ? this.recordScope(call, run) : this.recordKernel(call, run);
  }

  private recordKernel(call: KernelCall, run: OpenEngine['runKernelFunc']): tf.Tensor | tf.Tensor[] {
    // Before it runs, as a kernel may dispose what goes in.
    const inputs = this.namedValues(call.inputs);
    this.insideKernel++;
    let out: tf.Tensor | tf.Tensor[];
    try {
      out = run.call(this.engine, call);
    } finally {
      this.insideKernel--;
    }
    const kernel = call.kernelName as string;
    const attrs = { ...(call.attrs ?? {}) };
    const outs = Array.isArray(out) ? out : [out];
    this.kernels.push(kernel);
    const halves = expandFused(kernel, inputs, attrs);
    if (halves) {
      let last: Value | null = null;
      for (const half of halves) {
        const ins = Object.fromEntries(
          Object.entries(half.inputs).map(([name, value]) => [name, value ?? (last as Value)]),
        );
        const node = this.node(half.kernel, ins, false, half.attrs, null);
        last = half === halves.at(-1) ? this.enter(outs[0], { node }) : this.virtual(outs[0].shape, node);
        node.outputs.push(last);
      }
      return out;
    }
    const node = this.node(kernel, inputs, Array.isArray(call.inputs), attrs, null);
    for (const t of outs) node.outputs.push(this.enter(t, { node }));
    return out;
  }

  /**
   * A `tf.customGrad`. TensorFlow.js wraps its fused kernels in one: those are taken for what they hold. Others are one
   * node with their own gradient, as whoever wrote it wants it.
   */
  private recordScope(call: KernelCall, run: OpenEngine['runKernelFunc']): tf.Tensor | tf.Tensor[] {
    const inputs = this.namedValues(call.inputs);
    const [outer, outerKernels] = [this.nodes, this.kernels];
    const [inner, kernels]: [GraphNode[], string[]] = [[], []];
    [this.nodes, this.kernels] = [inner, kernels];
    let saved: tf.Tensor[] = [];
    const forwardFunc: KernelCall['forwardFunc'] = (backend, save) =>
      (call.forwardFunc as NonNullable<KernelCall['forwardFunc']>)(backend, (tensors) => {
        saved = tensors.map((t) => this.hold(t));
        save(tensors);
      });
    let out: tf.Tensor | tf.Tensor[];
    try {
      out = run.call(this.engine, { ...call, forwardFunc });
    } finally {
      [this.nodes, this.kernels] = [outer, outerKernels];
    }
    if (isFusedScope(kernels)) {
      this.nodes.push(...inner);
      return out;
    }
    const result = this.valueOf(Array.isArray(out) ? out[0] : out);
    const backward = call.backwardsFunc as CustomGradient['backward'];
    const node = this.node('CustomGradient', inputs, false, {}, { backward, saved, inner, result });
    node.outputs.push(this.enter(Array.isArray(out) ? out[0] : out, { node }));
    return out;
  }

  private node(
    kernel: string,
    inputs: Record<string, Value>,
    isList: boolean,
    attrs: Record<string, unknown>,
    custom: CustomGradient | null,
  ): GraphNode {
    const node: GraphNode = { kernel, inputs, isList, attrs, outputs: [], custom };
    this.nodes.push(node);
    return node;
  }
}
