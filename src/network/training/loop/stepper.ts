import { Random } from '../../../core/random.js';
import type { BuiltModel } from '../../models/build.js';
import * as tf from '../../tf.js';
import type { Sabotage } from '../sabotage.js';
import type { ExperimentDefinition } from '../spec.js';
import { gradientFunction, type LossAndGradients, lossOf } from './gradient.js';
import { stepFactors } from './rates.js';

export type StepDefinition = Pick<
  ExperimentDefinition,
  'loss' | 'optimizer' | 'regularization' | 'noise' | 'seed'
>;

/** Momentum buffers of one weight. */
interface Slot {
  readonly first: tf.Variable;
  readonly second: tf.Variable | null;
}

/**
 * Takes training steps on a model: gradient descent, heavy-ball momentum or Adam, with L2 and Langevin noise. The base
 * step size is `learningRate`; each layer's own is that times its factor (see `stepFactors`).
 */
export class Stepper {
  readonly factors: Readonly<Record<string, number>>;
  /** Steps taken. */
  count = 0;
  private readonly gradients: ReturnType<typeof gradientFunction>;
  /** By place in `trainableWeights`: names differ between two copies of a model in one process. */
  private readonly slots = new Map<number, Slot>();
  private readonly noise: Random;
  private drawn: { readonly step: number; readonly random: Random } | null = null;
  private readonly width: number;

  constructor(
    readonly built: BuiltModel,
    private readonly definition: StepDefinition,
    public learningRate: number,
    private readonly sabotage?: Sabotage,
  ) {
    this.factors = stepFactors(built, definition, sabotage);
    // By the step's number, so that a resumed run draws the same masks.
    this.gradients = gradientFunction(built.model, sabotage === 'wrong-loss' ? 'mse' : definition.loss, {
      random: () => this.masks(),
    });
    this.noise = new Random(definition.seed).fork('noise');
    this.width = built.twoLayer?.width ?? 1;
  }

  /**
   * One step on a batch; returns the loss before it (a scalar tensor that the caller reads and disposes). With `accept`
   * the loss is shown first, and nothing moves when it answers false.
   */
  step(x: tf.Tensor | tf.Tensor[], y: tf.Tensor, accept?: (loss: number) => boolean): tf.Scalar {
    let taken = true;
    const loss = tf.tidy(() => {
      const { loss: value, gradients } = this.gradients(x, y);
      taken = accept === undefined || accept(value.dataSync()[0]);
      if (taken) this.apply(gradients);
      return tf.keep(value);
    });
    if (taken) this.count++;
    return loss;
  }

  private apply(gradients: LossAndGradients['gradients']): void {
    for (const { layer, variable, gradient } of gradients) {
      const factor = this.factors[layer] ?? 1;
      if (factor === 0) continue;
      this.update(variable, this.regularized(layer, variable, gradient), factor * this.learningRate, layer);
    }
  }

  /** Loss on a batch, without a step. */
  loss(x: tf.Tensor | tf.Tensor[], y: tf.Tensor): number {
    return tf.tidy(
      () =>
        lossOf(
          tf.reshape(this.built.model.apply(x) as tf.Tensor, y.shape),
          y,
          this.definition.loss,
        ).dataSync()[0],
    );
  }

  /** Outputs [n, O]; the caller disposes. */
  predict(x: tf.Tensor | tf.Tensor[]): tf.Tensor2D {
    return tf.tidy(() => {
      const f = this.built.model.apply(x) as tf.Tensor;
      return tf.reshape(f, [f.shape[0] as number, -1]) as tf.Tensor2D;
    });
  }

  /** Everything beside the weights that the next step depends on, for checkpoints. */
  state(): {
    count: number;
    noise: ReturnType<Random['state']>;
    slots: Record<number, { first: Float32Array; second: Float32Array | null }>;
  } {
    const slots = [...this.slots].map(([name, { first, second }]) => [
      name,
      { first: first.dataSync() as Float32Array, second: (second?.dataSync() as Float32Array) ?? null },
    ]);
    return { count: this.count, noise: this.noise.state(), slots: Object.fromEntries(slots) };
  }

  restore(state: ReturnType<Stepper['state']>): void {
    this.count = state.count;
    this.noise.restore(state.noise);
    for (const [i, weight] of this.built.model.trainableWeights.entries()) {
      const variable = weight.read() as tf.Variable;
      const saved = state.slots[i];
      if (!saved) continue;
      const make = (values: Float32Array) =>
        tf.tidy(() => tf.variable(tf.tensor(values, variable.shape), false));
      this.slots.set(i, {
        first: make(saved.first),
        second: saved.second ? make(saved.second) : null,
      });
    }
  }

  dispose(): void {
    for (const { first, second } of this.slots.values()) {
      first.dispose();
      second?.dispose();
    }
    this.slots.clear();
  }

  /** Adds the L2 term; a two-layer network's is divided by the width, so that each neuron feels lambda in mean-field time. */
  private regularized(layer: string, variable: tf.Variable, gradient: tf.Tensor): tf.Tensor {
    const l2 = this.definition.regularization;
    if (!l2 || this.sabotage === 'drop-l2') return gradient;
    const lambda = (l2.all ?? 0) + ((this.isReadout(layer) ? l2.readout : l2.features) ?? 0);
    return lambda === 0 ? gradient : tf.add(gradient, tf.mul(variable, lambda / this.width));
  }

  /** The next number that seeds dropout and noise of the model's layers in the step that is being taken. */
  private masks(): number {
    if (this.drawn?.step !== this.count)
      this.drawn = { step: this.count, random: new Random(`${this.definition.seed}/masks/${this.count}`) };
    return this.drawn.random.uniform();
  }

  private isReadout(layer: string): boolean {
    return (
      layer ===
      (this.built.twoLayer?.readout ?? this.built.model.layers[this.built.model.layers.length - 1].name)
    );
  }

  private update(variable: tf.Variable, gradient: tf.Tensor, rate: number, layer: string): void {
    const { optimizer, noise } = this.definition;
    let next: tf.Tensor;
    if (optimizer.kind === 'sgd') next = tf.sub(variable, tf.mul(gradient, rate));
    else if (optimizer.kind === 'momentum') {
      const slot = this.slot(variable, false);
      slot.first.assign(tf.add(tf.mul(slot.first, optimizer.momentum ?? 0.9), gradient));
      next = tf.sub(variable, tf.mul(slot.first, rate));
    } else next = this.adam(variable, gradient, rate);
    const on = noise?.on ?? 'all';
    const hit = on === 'all' || (on === 'readout') === this.isReadout(layer);
    if (noise && noise.temperature > 0 && hit && this.sabotage !== 'drop-noise') {
      const deviation = Math.sqrt(2 * noise.temperature * this.learningRate);
      // A typed array copies a typed array many times faster than `from` walks it.
      const noises = new Float32Array(this.noise.normals(variable.size, deviation));
      next = tf.add(next, tf.tensor(noises, variable.shape));
    }
    variable.assign(next);
  }

  /** Kingma and Ba 2015, with bias correction. */
  private adam(variable: tf.Variable, gradient: tf.Tensor, rate: number): tf.Tensor {
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = this.definition.optimizer;
    const { first, second } = this.slot(variable, true);
    first.assign(tf.add(tf.mul(first, beta1), tf.mul(gradient, 1 - beta1)));
    second?.assign(tf.add(tf.mul(second, beta2), tf.mul(tf.square(gradient), 1 - beta2)));
    const t = this.count + 1;
    const m = tf.div(first, 1 - beta1 ** t);
    const v = tf.div(second as tf.Variable, 1 - beta2 ** t);
    return tf.sub(variable, tf.mul(tf.div(m, tf.add(tf.sqrt(v), epsilon)), rate));
  }

  private slot(variable: tf.Variable, two: boolean): Slot {
    const name = this.built.model.trainableWeights.findIndex((w) => w.read() === variable);
    let slot = this.slots.get(name);
    if (!slot) {
      const zeros = () => tf.variable(tf.zerosLike(variable), false);
      slot = { first: zeros(), second: two ? zeros() : null };
      this.slots.set(name, slot);
    }
    return slot;
  }
}
