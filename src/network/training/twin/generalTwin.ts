import { say } from '../../../core/say.js';
import type { LossName } from '../../data/spec.js';
import { ModelJacobian } from '../../kernel/index.js';
import * as tf from '../../tf.js';
import { lossGradient, lossOf } from '../loop/gradient.js';
import type { TrainingForm } from '../loop/trainingForm.js';
import type { Sabotage } from '../sabotage.js';
import type { ExperimentDefinition } from '../spec.js';
import { HeavyBall } from './heavyBall.js';
import { LinearisedTwin } from './twin.js';

/** What of a run's training its twin leaves out, in a sentence; null when it takes every step as the network does. */
export function leftOutOf(
  definition: Pick<ExperimentDefinition, 'optimizer' | 'regularization' | 'noise'>,
  form?: TrainingForm,
): string | null {
  const { optimizer, regularization, noise } = definition;
  const missing: string[] = [];
  if (optimizer.kind === 'adam') missing.push(say`the scaling of Adam`);
  if (Object.values(regularization ?? {}).some((lambda) => Number(lambda) > 0)) missing.push(say`L2`);
  if (noise && noise.temperature > 0) missing.push(say`noise`);
  if (form?.penalised.length) missing.push(say`the regularisers of ${form.penalised.join(', ')}`);
  const notes: string[] = [];
  if (form?.differs)
    notes.push(
      'The linearised twin is that of the inference form: batch normalisation by the statistics of the start, no dropout. The network is trained in another form, so they differ from the first step on.',
    );
  if (missing.length > 0) notes.push(leftOut(missing));
  return notes.length > 0 ? notes.join(' ') : null;
}

const leftOut = (missing: readonly string[]): string =>
  `The linearised twin takes plain steps of the gradient, without ${missing.join(', ')}: its gap holds their effect too.`;

/** A network replaced by its linearisation at the start, trained on the same batches. */
export type Twin = Pick<
  LinearisedTwin,
  'step' | 'predict' | 'lossOn' | 'state' | 'restore' | 'valuesOf' | 'dispose'
>;

/**
 * The linearised twin f_0 + J (theta - theta_0) of any layers model: what moves is the displacement, by J^T of the
 * loss's gradient in the outputs, around weights frozen at the start. Models other than chains are taken in inference
 * form. A step costs three forward and four backward passes.
 */
export class GeneralTwin implements Twin {
  private readonly jacobian: ModelJacobian;
  private readonly moves: readonly tf.Variable[];
  /** Step size of each weight relative to the base one. */
  private readonly rates: readonly number[];
  private readonly ball: HeavyBall;

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

  /** Exact: nothing to say. */
  readonly note: string | null = null;

  /** One gradient step of the twin on a batch. With `accept` its loss is shown first; nothing moves on false. */
  step(x: tf.Tensor, y: tf.Tensor2D, learningRate: number, accept?: (loss: number) => boolean): void {
    tf.tidy(() => {
      const at = this.jacobian.at(x);
      try {
        const f = tf.add(at.output, at.jvp(this.moves)) as tf.Tensor2D;
        if (accept && !accept(lossOf(f, y, this.loss).dataSync()[0])) return;
        const gradients = at.vjp(lossGradient(f, y, this.loss));
        for (const [k, gradient] of gradients.entries()) {
          const rate = learningRate * this.rates[k];
          if (rate !== 0) this.ball.move(this.moves[k], gradient, rate);
        }
      } finally {
        at.dispose();
      }
    });
  }

  /** Outputs [n, O] of the linearised network; the caller disposes. */
  predict(x: tf.Tensor): tf.Tensor2D {
    return tf.tidy(() => {
      const at = this.jacobian.at(x);
      const f = tf.add(at.output, at.jvp(this.moves)) as tf.Tensor2D;
      at.dispose();
      return f;
    });
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
    this.jacobian.dispose();
    this.ball.dispose();
    tf.dispose([...this.moves]);
  }
}

/** The twin of a model as it is now: written out for chains of dense layers, by Jacobian products for all others. */
export function twinOf(
  model: tf.LayersModel,
  loss: LossName,
  factors: Readonly<Record<string, number>>,
  sabotage?: Sabotage,
  momentum?: number,
): LinearisedTwin | GeneralTwin {
  return (
    LinearisedTwin.of(model, loss, factors, sabotage, momentum) ??
    new GeneralTwin(model, loss, factors, sabotage, momentum)
  );
}
