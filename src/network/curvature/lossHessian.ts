import type { LossName } from '../data/spec.js';
import { pushForward } from '../derivatives/forward.js';
import { pullBack } from '../derivatives/reverse.js';
import { dependence } from '../graph/dependence.js';
import type { Graph } from '../graph/graph.js';
import { trace } from '../graph/trace.js';
import { type Inputs, sampleCount, samplesOf } from '../inputs.js';
import { Parameters } from '../jacobian/parameters.js';
import { keepSlopes } from '../primitives/elementwise.js';
import * as tf from '../tf.js';
import { lossOf } from '../training/loop/gradient.js';
import { trainingForm } from '../training/loop/trainingForm.js';

export interface HessianOptions {
  /** Preconditions: D^(1/2) H D^(1/2) with these factors on the layers (unequal step sizes); 1 where absent. */
  readonly layerFactors?: Readonly<Record<string, number>>;
  /** Samples taken together; memory grows with it. Default 1024. */
  readonly block?: number;
}

interface Block {
  readonly x: Inputs;
  readonly y: tf.Tensor2D;
  /** Part of the samples that it holds. */
  readonly share: number;
}

/** A trace of the gradient of a block's loss, with the values between weights and gradient. */
interface GradientTrace {
  readonly graph: Graph;
  readonly active: ReadonlySet<number>;
  dispose(): void;
}

/** Numbers that the traces of all blocks together may hold from one product to the next: 512 MiB. */
const heldNumbers = 2 ** 27;

/**
 * The Hessian [P, P] of the training loss in the trainable weights, as an operator at whatever weights the model has. A
 * product is exact: the gradient's own computation is traced and walked forward (forward over reverse mode, Pearlmutter
 * 1994), in float32. Kinks, as of relu and of maximum pools, count as flat. The network is taken in the form it trains in, as
 * batch normalisation has one, unless that draws random numbers (dropout); L2 terms are not part of it. `x` and `y` must live
 * as long as the operator. Throws a NoDerivative that names an operation without a gradient.
 */
export class LossHessian {
  /** Number of trainable weights, P. */
  readonly size: number;
  private readonly parameters: Parameters;
  private readonly roots: Readonly<Record<string, number>>;
  private readonly training: boolean;
  private readonly blocks: readonly Block[];
  /** Of the weights that the model had at the last product, while memory allows. */
  private traces: (GradientTrace | null)[] = [];
  private tracedAt: readonly object[] = [];

  constructor(
    private readonly model: tf.LayersModel,
    x: Inputs,
    y: tf.Tensor2D,
    private readonly loss: LossName,
    options: HessianOptions = {},
  ) {
    this.parameters = new Parameters(model);
    this.size = this.parameters.size;
    this.roots = Object.fromEntries(
      Object.entries(options.layerFactors ?? {}).map(([layer, factor]) => [layer, Math.sqrt(factor)]),
    );
    // What is drawn at random is left out: two passes would draw different masks.
    const form = trainingForm(model, x);
    this.training = form.differs && !form.random;
    const samples = sampleCount(x);
    // Statistics of a batch do not fall apart into blocks.
    this.blocks = this.cut(x, y, samples, this.training ? samples : (options.block ?? 1024));
  }

  /** H v (preconditioned where asked for) of a vector of P numbers. */
  times(v: ArrayLike<number>): Float64Array {
    if (v.length !== this.size)
      throw new RangeError(`The Hessian has ${this.size} rows, but the vector has length ${v.length}.`);
    const product = tf.tidy(() => {
      const parts = this.parameters.scale(this.parameters.split(v), this.roots);
      const moved = new Map(this.parameters.variables.map((variable, k) => [variable, parts[k]]));
      const products = this.over((b) => {
        const { graph, active } = this.traceOf(b);
        return pushForward(graph, active, moved);
      });
      return this.parameters.scale(products, this.roots);
    });
    this.releaseLarge();
    return this.taken(product);
  }

  /** Gradient of the loss, P numbers. */
  gradient(): Float64Array {
    const gradient = tf.tidy(() =>
      this.over((b) => this.traceOf(b).graph.outputs.map(({ tensor }) => tensor as tf.Tensor)),
    );
    this.releaseLarge();
    return this.taken(gradient);
  }

  dispose(): void {
    this.release();
    for (const { x, y } of this.blocks) tf.dispose([x, y].flat());
  }

  private cut(x: Inputs, y: tf.Tensor2D, samples: number, block: number): readonly Block[] {
    return Array.from({ length: Math.ceil(samples / block) }, (_, b) => {
      const rows = Math.min(block, samples - b * block);
      return {
        x: tf.tidy(() => samplesOf(x, b * block, rows)),
        y: tf.slice2d(y, [b * block, 0], [rows, y.shape[1]]),
        share: rows / samples,
      };
    });
  }

  private taken(parts: tf.Tensor[]): Float64Array {
    const numbers = this.parameters.join(parts);
    tf.dispose(parts);
    return numbers;
  }

  /** Mean over the samples of what a block says. */
  private over(work: (block: number) => readonly tf.Tensor[]): tf.Tensor[] {
    let sum: tf.Tensor[] | null = null;
    for (const [b, { share }] of this.blocks.entries()) {
      const part = work(b).map((t) => (share === 1 ? tf.clone(t) : tf.mul(t, share)));
      const before: tf.Tensor[] | null = sum;
      sum = before ? part.map((t, k) => tf.add(t, (before as tf.Tensor[])[k])) : part;
    }
    return sum ?? [];
  }

  private traceOf(block: number): GradientTrace {
    const now = this.parameters.variables.map((v) => (v as tf.Variable & { readonly dataId: object }).dataId);
    if (now.some((memory, k) => memory !== this.tracedAt[k])) this.release();
    this.tracedAt = now;
    const made = this.traces[block] ?? this.traced(this.blocks[block]);
    this.traces[block] = made;
    return made;
  }

  /** The gradients of a block's loss as a graph of their own, whose outputs they are. */
  private traced({ x, y }: Block): GradientTrace {
    const variables = this.parameters.variables;
    const of = new Set(variables);
    const loss = (inputs: readonly tf.Tensor[]): readonly tf.Tensor[] => {
      const f = this.model.apply([...inputs], { training: this.training }) as tf.Tensor | tf.Tensor[];
      return [lossOf(tf.reshape(Array.isArray(f) ? f[0] : f, y.shape), y, this.loss)];
    };
    const gradients = (inputs: readonly tf.Tensor[]): readonly tf.Tensor[] => {
      const forward = trace(loss, inputs);
      try {
        return pullBack(forward, dependence(forward, of).active, [tf.scalar(1)], variables);
      } finally {
        forward.dispose();
      }
    };
    const own = this.training ? this.parameters.freeze() : null;
    try {
      const make = () => trace(gradients, [x].flat());
      // A pass in training form moves the averages of batch normalisation: they are put back.
      const graph = own ? this.parameters.during(own, make) : make();
      const forgetSlopes = keepSlopes(graph.nodes);
      const dispose = () => {
        forgetSlopes();
        graph.dispose();
      };
      return { graph, active: dependence(graph, of).active, dispose };
    } finally {
      own?.dispose();
    }
  }

  private releaseLarge(): void {
    const numbers = this.traces.reduce(
      (sum, trace) => sum + (trace?.graph.values.reduce((n, { tensor }) => n + (tensor?.size ?? 0), 0) ?? 0),
      0,
    );
    if (numbers > heldNumbers) this.release();
  }

  private release(): void {
    for (const trace of this.traces) trace?.dispose();
    this.traces = [];
  }
}
