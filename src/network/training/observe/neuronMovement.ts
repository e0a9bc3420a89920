import type { BuiltModel } from '../../models/build.js';
import * as tf from '../../tf.js';

/**
 * How far the neurons of a two-layer network are from their start: mean over j of |theta_j - theta_j0| and of
 * |u_j - u_j0| (Euclidean norms). Keeps a copy of the start; dispose it when the run ends.
 */
export class NeuronMovement {
  private readonly theta: () => tf.Tensor;
  private readonly u: () => tf.Tensor;
  private readonly theta0: tf.Tensor;
  private readonly u0: tf.Tensor;

  /** Takes the present parameters as the start. Throws an Error when the model is not a two-layer network. */
  constructor(built: BuiltModel) {
    if (!built.twoLayer)
      throw new Error('Movement by neuron is that of a two-layer network; this model is not one.');
    const { features, readout } = built.twoLayer;
    const kernel = (layer: string) => built.model.getLayer(layer).weights[0];
    this.theta = () => kernel(features).read();
    this.u = () => kernel(readout).read();
    this.theta0 = tf.clone(this.theta());
    this.u0 = tf.clone(this.u());
  }

  now(): { readonly theta: number; readonly u: number } {
    const meanNorm = (now: tf.Tensor, start: tf.Tensor, axis: number) =>
      tf.tidy(() => tf.mean(tf.sqrt(tf.sum(tf.square(tf.sub(now, start)), axis))).dataSync()[0]);
    // Columns of the features' kernel [d, m] and rows of the readout's [m, k] are the neurons.
    return { theta: meanNorm(this.theta(), this.theta0, 0), u: meanNorm(this.u(), this.u0, 1) };
  }

  dispose(): void {
    tf.dispose([this.theta0, this.u0]);
  }
}
