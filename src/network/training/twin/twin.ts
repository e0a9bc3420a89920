import type { LossName } from '../../data/spec.js';
import { activations } from '../../models/activations.js';
import { type ChainLayer, chainOf } from '../../patterns/denseChain.js';
import { timesTransposed, transposedTimes } from '../../products.js';
import * as tf from '../../tf.js';
import { lossOf } from '../loop/gradient.js';
import type { Sabotage } from '../sabotage.js';
import { HeavyBall } from './heavyBall.js';

interface TwinLayer extends ChainLayer {
  /** Weights at the start, and the displacement that is trained. */
  readonly kernel0: tf.Tensor2D;
  readonly bias0: tf.Tensor | null;
  readonly kernelMove: tf.Variable;
  readonly biasMove: tf.Variable | null;
}

const zeros = (like: tf.Tensor): tf.Variable => tf.tidy(() => tf.variable(tf.zerosLike(like), false));

/** Base network at the start on some inputs: layer inputs, derivatives of the activations, outputs. */
interface Base {
  readonly inputs: readonly tf.Tensor2D[];
  readonly slopes: readonly (tf.Tensor2D | null)[];
  readonly output: tf.Tensor2D;
}

/**
 * The network replaced by its linearisation at the start, f_0 + J (theta - theta_0), trained by gradient descent, with
 * the same momentum, in parameter space on the same batches (Lee et al. 2019). For chains of dense layers.
 */
export class LinearisedTwin {
  /** Exact and in the form that is trained: nothing to say. */
  readonly note: string | null = null;
  private readonly layers: readonly TwinLayer[];
  private readonly ball: HeavyBall;
  private kept: {
    readonly x: tf.Tensor2D;
    readonly base: Base;
    readonly own: readonly tf.Tensor[];
  } | null = null;

  private constructor(
    chain: readonly ChainLayer[],
    private readonly loss: LossName,
    private readonly factors: Readonly<Record<string, number>>,
    private readonly sabotage?: Sabotage,
    momentum?: number,
  ) {
    this.ball = new HeavyBall(momentum);
    this.layers = chain.map((layer) => {
      const kernel0 = tf.clone(layer.kernel) as tf.Tensor2D;
      const bias0 = layer.bias ? tf.clone(layer.bias) : null;
      return {
        ...layer,
        kernel0,
        bias0,
        kernelMove: zeros(kernel0),
        biasMove: bias0 ? zeros(bias0) : null,
      };
    });
  }

  /** The twin of a model as it is now, or null when the model is not a chain of dense layers. */
  static of(
    model: tf.LayersModel,
    loss: LossName,
    factors: Readonly<Record<string, number>>,
    sabotage?: Sabotage,
    momentum?: number,
  ): LinearisedTwin | null {
    const chain = chainOf(model);
    return chain ? new LinearisedTwin(chain, loss, factors, sabotage, momentum) : null;
  }

  /** One gradient step of the twin on a batch. With `accept` its loss is shown first; nothing moves on false. */
  step(x: tf.Tensor, y: tf.Tensor2D, learningRate: number, accept?: (loss: number) => boolean): void {
    tf.tidy(() => {
      const base = this.baseOf(x as tf.Tensor2D);
      const f = this.linear(base);
      if (accept && !accept(lossOf(f, y, this.loss).dataSync()[0])) return;
      const n = f.shape[0];
      let d = (
        this.loss === 'mse' ? tf.div(tf.sub(f, y), f.size) : tf.div(tf.sub(tf.softmax(f), y), n)
      ) as tf.Tensor2D;
      for (let l = this.layers.length - 1; l >= 0; l--) {
        const layer = this.layers[l];
        const slope = base.slopes[l];
        if (slope) d = tf.mul(d, slope);
        const scaled = (layer.scale === 1 ? d : tf.mul(d, layer.scale)) as tf.Tensor2D;
        const rate = learningRate * (this.factors[layer.name] ?? 1);
        const cut = this.sabotage === 'half-jacobian' && l === this.layers.length - 1;
        if (layer.trainable && rate !== 0 && !cut) {
          this.ball.move(layer.kernelMove, transposedTimes(base.inputs[l], scaled), rate);
          if (layer.biasMove) this.ball.move(layer.biasMove, tf.sum(d, 0), rate * layer.biasScale);
        }
        if (l > 0) d = timesTransposed(scaled, layer.kernel0);
      }
    });
  }

  /** Outputs [n, O] of the linearised network; the caller disposes. */
  predict(x: tf.Tensor): tf.Tensor2D {
    return tf.tidy(() => this.linear(this.base(x as tf.Tensor2D)));
  }

  lossOn(x: tf.Tensor, y: tf.Tensor2D): number {
    return tf.tidy(() => lossOf(this.predict(x), y, this.loss).dataSync()[0]);
  }

  /** The displacements of all weights, in order, and their velocities where there is momentum, for checkpoints. */
  state(): Float32Array[] {
    const moves = this.moves();
    return [...moves.map((v) => (v.dataSync() as Float32Array).slice()), ...this.ball.state(moves)];
  }

  restore(state: readonly Float32Array[]): void {
    const moves = this.moves();
    for (const [i, move] of moves.entries()) {
      const values = tf.tensor(state[i], move.shape);
      move.assign(values);
      values.dispose();
    }
    this.ball.restore(moves, state.slice(moves.length));
  }

  /** Where a weight of the model would be, had the model moved as the twin has. */
  valuesOf(variable: tf.Variable): Float32Array {
    for (const { kernel, bias, kernel0, bias0, kernelMove, biasMove } of this.layers) {
      const [start, move] = kernel === variable ? [kernel0, kernelMove] : [bias0, biasMove];
      if (!start || !move || (start === bias0 && bias !== variable)) continue;
      return tf.tidy(() =>
        tf
          .add(start, move as tf.Tensor)
          .dataSync()
          .slice(),
      ) as Float32Array;
    }
    return variable.dataSync() as Float32Array;
  }

  private moves(): tf.Variable[] {
    return this.layers.flatMap(({ kernelMove, biasMove }) =>
      biasMove ? [kernelMove, biasMove] : [kernelMove],
    );
  }

  dispose(): void {
    this.forget();
    this.ball.dispose();
    for (const layer of this.layers) {
      layer.kernel0.dispose();
      layer.bias0?.dispose();
      layer.kernelMove.dispose();
      layer.biasMove?.dispose();
    }
  }

  /** The frozen network on a batch, kept until another batch comes: under the full batch it is always the same. */
  private baseOf(x: tf.Tensor2D): Base {
    if (this.kept?.x !== x) {
      this.forget();
      const base = this.base(x);
      // The first layer's input is the batch itself, which is not ours.
      const own = [...base.inputs.slice(1), ...base.slopes, base.output].filter((t) => t !== null);
      for (const tensor of own) tf.keep(tensor);
      this.kept = { x, base, own };
    }
    return this.kept.base;
  }

  private forget(): void {
    if (this.kept) tf.dispose([...this.kept.own]);
    this.kept = null;
  }

  private base(x: tf.Tensor2D): Base {
    const inputs: tf.Tensor2D[] = [];
    const slopes: (tf.Tensor2D | null)[] = [];
    let a = x;
    for (const { kernel0, bias0, scale, biasScale, activation } of this.layers) {
      inputs.push(a);
      let h = tf.matMul(a, kernel0) as tf.Tensor2D;
      if (scale !== 1) h = tf.mul(h, scale);
      if (bias0) h = tf.add(h, tf.mul(bias0, biasScale));
      if (activation === 'identity') {
        slopes.push(null);
        a = h;
      } else {
        a = activations[activation].forward(h) as tf.Tensor2D;
        slopes.push(activations[activation].derivative(h, a) as tf.Tensor2D);
      }
    }
    return { inputs, slopes, output: a };
  }

  /** f_0 + J (theta - theta_0), by pushing the displacement forward through the frozen network. */
  private linear(base: Base): tf.Tensor2D {
    let moved: tf.Tensor2D | null = null;
    for (const [l, layer] of this.layers.entries()) {
      let h = tf.matMul(base.inputs[l], layer.kernelMove as unknown as tf.Tensor2D) as tf.Tensor2D;
      if (moved) h = tf.add(h, tf.matMul(moved, layer.kernel0));
      if (layer.scale !== 1) h = tf.mul(h, layer.scale);
      if (layer.biasMove) h = tf.add(h, tf.mul(layer.biasMove, layer.biasScale));
      const slope = base.slopes[l];
      moved = slope ? tf.mul(h, slope) : h;
    }
    return tf.add(base.output, moved as tf.Tensor2D);
  }
}
