import { Random } from '../../core/random.js';
import type { LossName } from '../data/spec.js';
import { type Inputs, sampleCount, samplesOf } from '../inputs.js';
import { differenceStep } from '../jacobian/genericLinearisation.js';
import type { ProductMethod } from '../jacobian/linearisation.js';
import { normOf, Parameters } from '../jacobian/parameters.js';
import { registerSecondGradients } from '../jacobian/secondGradients.js';
import * as tf from '../tf.js';
import { lossOf } from '../training/loop/gradient.js';
import { twiceDifferentiable } from './proven.js';

export interface HessianOptions {
  /** Preconditions: D^(1/2) H D^(1/2) with these factors on the layers (unequal step sizes); 1 where absent. */
  readonly layerFactors?: Readonly<Record<string, number>>;
  /** Samples taken together; memory grows with it. Default 1024. */
  readonly block?: number;
  /** Forbids exact products. */
  readonly method?: 'central differences';
}

interface Block {
  readonly x: Inputs;
  readonly y: tf.Tensor2D;
  /** Part of the samples that it holds. */
  readonly share: number;
}

/** Steps of central differences against which the exact product is tried, and the relative gap under which it is believed. */
const trials = [
  { step: 6e-3, tolerance: 0.02 },
  { step: 1e-3, tolerance: 0.1 },
] as const;
/** Samples of a trial: few, so that hardly any crosses a kink on the way. */
const trialSamples = 4;

/**
 * `lossOf` in operations that can be differentiated twice: TensorFlow.js keeps the value of log-softmax without its
 * history, so its second derivatives are silently wrong.
 */
function smoothLoss(f: tf.Tensor2D, y: tf.Tensor2D, loss: LossName): tf.Scalar {
  if (loss === 'mse') return lossOf(f, y, loss);
  const partition = tf.mul(tf.sum(y, 1), tf.logSumExp(f, 1));
  return tf.div(tf.sub(tf.sum(partition), tf.sum(tf.mul(y, f))), f.shape[0]) as tf.Scalar;
}

/**
 * The Hessian [P, P] of the training loss in the trainable weights, as an operator at whatever weights the model has.
 * Products are gradients of gradients where TensorFlow.js has them (unless all layers are known, checked once against
 * central differences), and central differences of the gradient elsewhere; both are float32. Kinks, as of relu, count as flat. Networks with batch
 * normalisation use the batch's statistics as training does, others the inference form; L2 terms are not part of it.
 * `x` and `y` must live as long as the operator.
 */
export class LossHessian {
  /** Number of trainable weights, P. */
  readonly size: number;
  readonly method: ProductMethod;
  private readonly parameters: Parameters;
  private readonly roots: Readonly<Record<string, number>>;
  private readonly training: boolean;
  private blocks: readonly Block[] = [];

  constructor(
    private readonly model: tf.LayersModel,
    x: Inputs,
    y: tf.Tensor2D,
    private readonly loss: LossName,
    options: HessianOptions = {},
  ) {
    registerSecondGradients();
    this.parameters = new Parameters(model);
    this.size = this.parameters.size;
    this.roots = Object.fromEntries(
      Object.entries(options.layerFactors ?? {}).map(([layer, factor]) => [layer, Math.sqrt(factor)]),
    );
    const kinds = model.layers.map((layer) => layer.getClassName());
    // Dropout is off: two passes would draw different masks.
    this.training = kinds.includes('BatchNormalization') && !kinds.some((kind) => /Dropout|Noise/.test(kind));
    const samples = sampleCount(x);
    this.method = options.method ?? this.trial(x, y, Math.min(samples, trialSamples));
    // Statistics of a batch do not fall apart into blocks.
    this.blocks = this.cut(x, y, samples, this.training ? samples : (options.block ?? 1024));
  }

  /** H v (preconditioned where asked for) of a vector of P numbers. */
  times(v: ArrayLike<number>): Float64Array {
    if (v.length !== this.size)
      throw new RangeError(`The Hessian has ${this.size} rows, but the vector has length ${v.length}.`);
    const product = tf.tidy(() => {
      const parts = this.parameters.scale(this.parameters.split(v), this.roots);
      const products = this.method === 'exact' ? this.exact(parts) : this.difference(parts);
      return this.parameters.scale(products, this.roots);
    });
    return this.taken(product);
  }

  /** Gradient of the loss, P numbers. */
  gradient(): Float64Array {
    return this.taken(tf.tidy(() => this.kept(() => this.gradients())));
  }

  dispose(): void {
    for (const { x, y } of this.blocks) tf.dispose([x, y].flat());
    this.blocks = [];
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

  /** Runs `work` and puts back what a training-form pass changes. */
  private kept<T>(work: () => T): T {
    if (!this.training) return work();
    const own = this.parameters.freeze();
    try {
      return this.parameters.during(own, work);
    } finally {
      own.dispose();
    }
  }

  private blockGradients(block: number): tf.Tensor[] {
    const { x, y } = this.blocks[block];
    const { variables } = this.parameters;
    const { grads } = tf.variableGrads(() => {
      const f = this.model.apply(x, { training: this.training }) as tf.Tensor | tf.Tensor[];
      return smoothLoss(tf.reshape(Array.isArray(f) ? f[0] : f, y.shape), y, this.loss);
    }, [...variables]);
    return variables.map((v) => grads[v.name] ?? tf.zerosLike(v));
  }

  /** Mean over the samples of what a block says. */
  private over(work: (block: number) => readonly tf.Tensor[]): tf.Tensor[] {
    let sum: tf.Tensor[] | null = null;
    for (const [b, { share }] of this.blocks.entries()) {
      const part = work(b).map((t) => (share === 1 ? t : tf.mul(t, share)));
      const before: tf.Tensor[] | null = sum;
      sum = before ? part.map((t, k) => tf.add(t, (before as tf.Tensor[])[k])) : part;
    }
    return sum ?? [];
  }

  private gradients(): tf.Tensor[] {
    return this.over((b) => this.blockGradients(b));
  }

  /** Gradient of <gradient, v>. Throws where a backward kernel has no derivative. */
  private exact(v: readonly tf.Tensor[]): tf.Tensor[] {
    const { variables } = this.parameters;
    return this.kept(() =>
      this.over((b) => {
        const { grads } = tf.variableGrads(() => {
          const inner = this.blockGradients(b).map((g, k) => tf.sum(tf.mul(g, v[k])));
          return tf.addN(inner) as tf.Scalar;
        }, [...variables]);
        return variables.map((w) => grads[w.name] ?? tf.zerosLike(w));
      }),
    );
  }

  private difference(v: readonly tf.Tensor[], relative?: number): tf.Tensor[] {
    const own = this.parameters.freeze();
    try {
      const h = differenceStep(own.trainable, v, relative);
      if (h === 0) return v.map((t) => tf.zerosLike(t));
      const at = (step: number) => {
        const trainable = own.trainable.map((w, k) => tf.add(w, tf.mul(v[k], step)));
        return this.parameters.during({ ...own, trainable }, () => this.gradients());
      };
      const [up, down] = [at(h), at(-h)];
      return up.map((g, k) => tf.div(tf.sub(g, down[k]), 2 * h));
    } finally {
      own.dispose();
    }
  }

  /** Gradients of gradients may throw, or silently lose a path where a backward pass was cut from its history. */
  private trial(x: Inputs, y: tf.Tensor2D, samples: number): ProductMethod {
    this.blocks = this.cut(x, y, samples, samples);
    const random = new Random('hessian');
    const agrees = ({ step, tolerance }: (typeof trials)[number]): boolean =>
      tf.tidy(() => {
        const v = this.parameters.split(random.normals(this.size));
        const exact = this.exact(v);
        const rough = this.difference(v, step);
        return normOf(exact.map((t, k) => tf.sub(t, rough[k]))) <= tolerance * (normOf(rough) || 1);
      });
    try {
      const known = twiceDifferentiable(this.model);
      // Known layers still throw where a kernel lacks a derivative under the settings they were given.
      if (known) tf.tidy(() => void this.exact(this.parameters.split(random.normals(this.size))));
      return known || trials.some(agrees) ? 'exact' : 'central differences';
    } catch {
      return 'central differences';
    } finally {
      this.dispose();
    }
  }
}
