import type { LossName } from '../../data/spec.js';
import { type Linearisation, ModelJacobian } from '../../kernel/index.js';
import * as tf from '../../tf.js';
import { lossGradient, lossOf } from '../loop/gradient.js';
import type { Sabotage } from '../sabotage.js';
import { HeavyBall } from './heavyBall.js';

/**
 * The network replaced by its linearisation at the start, f_0 + J (theta - theta_0), trained by gradient descent in
 * parameter space on the same batches, with the same momentum (Lee et al. 2019). What moves is the displacement, by J^T of
 * the loss's gradient in the outputs, around weights frozen at the start; the model is taken in inference form. A step on
 * another batch than the last one costs a forward pass more.
 */
export class LinearisedTwin {
  private readonly jacobian: ModelJacobian;
  private readonly moves: readonly tf.Variable[];
  /** Step size of each weight relative to the base one. */
  private readonly rates: readonly number[];
  private readonly ball: HeavyBall;
  /** The linearisation on the last batch: under the full batch it is always the same. */
  private kept: { readonly x: tf.Tensor; readonly at: Linearisation } | null = null;

  /** The twin of a model as it is now. `factors`: step size of each layer relative to the base one, by name. */
  constructor(
    model: tf.LayersModel,
    private readonly loss: LossName,
    factors: Readonly<Record<string, number>>,
    sabotage?: Sabotage,
    momentum?: number,
  ) {
    this.ball = new HeavyBall(momentum);
    this.jacobian = new ModelJacobian(model);
    const { owners, variables } = this.jacobian.parameters;
    this.moves = tf.tidy(() => variables.map((v) => tf.variable(tf.zerosLike(v), false)));
    const last = owners[owners.length - 1];
    const cut = (owner: string) => sabotage === 'half-jacobian' && owner === last;
    this.rates = owners.map((owner) => (cut(owner) ? 0 : (factors[owner] ?? 1)));
  }

  /** One gradient step of the twin on a batch. With `accept` its loss is shown first; nothing moves on false. */
  step(x: tf.Tensor, y: tf.Tensor2D, learningRate: number, accept?: (loss: number) => boolean): void {
    const at = this.on(x);
    tf.tidy(() => {
      const f = tf.add(at.output, at.jvp(this.moves)) as tf.Tensor2D;
      if (accept && !accept(lossOf(f, y, this.loss).dataSync()[0])) return;
      const gradients = at.vjp(lossGradient(f, y, this.loss));
      for (const [k, gradient] of gradients.entries()) {
        const rate = learningRate * this.rates[k];
        if (rate !== 0) this.ball.move(this.moves[k], gradient, rate);
      }
    });
  }

  /** Outputs [n, O] of the linearised network; the caller disposes. */
  predict(x: tf.Tensor): tf.Tensor2D {
    const at = this.kept?.x === x ? this.kept.at : this.jacobian.at(x);
    try {
      return tf.tidy(() => tf.add(at.output, at.jvp(this.moves)) as tf.Tensor2D);
    } finally {
      if (at !== this.kept?.at) at.dispose();
    }
  }

  lossOn(x: tf.Tensor, y: tf.Tensor2D): number {
    return tf.tidy(() => lossOf(this.predict(x), y, this.loss).dataSync()[0]);
  }

  /** The displacements of all weights, in order, and their velocities where there is momentum, for checkpoints. */
  state(): Float32Array[] {
    return [...this.moves.map((v) => (v.dataSync() as Float32Array).slice()), ...this.ball.state(this.moves)];
  }

  restore(state: readonly Float32Array[]): void {
    for (const [k, move] of this.moves.entries()) {
      const values = tf.tensor(state[k], move.shape);
      move.assign(values);
      values.dispose();
    }
    this.ball.restore(this.moves, state.slice(this.moves.length));
  }

  /** Where a weight of the model would be, had the model moved as the twin has. */
  valuesOf(variable: tf.Variable): Float32Array {
    const k = this.jacobian.parameters.variables.indexOf(variable);
    if (k < 0) return variable.dataSync() as Float32Array;
    const start = this.jacobian.frozen.trainable[k].dataSync();
    return this.moves[k].dataSync().map((move, i) => start[i] + move) as Float32Array;
  }

  dispose(): void {
    this.forget();
    this.jacobian.dispose();
    this.ball.dispose();
    tf.dispose([...this.moves]);
  }

  private on(x: tf.Tensor): Linearisation {
    if (this.kept?.x === x) return this.kept.at;
    this.forget();
    const at = this.jacobian.at(x);
    this.kept = { x, at };
    return at;
  }

  private forget(): void {
    this.kept?.at.dispose();
    this.kept = null;
  }
}
