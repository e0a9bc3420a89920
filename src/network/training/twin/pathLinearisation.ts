import { activations } from '../../models/activations.js';
import type { BuiltModel } from '../../models/build.js';
import { Elementwise, type ScaledDense } from '../../models/layers.js';
import * as tf from '../../tf.js';

/** Which readout weighs the displacement of the features. */
export type ReadoutTaken = 'start' | 'present';

/**
 * The linearisation of a two-layer network at its start, evaluated at the parameters that the network has reached:
 * (alpha / m) sum_j [u_j h(theta_j0, x) + w_j h'(theta_j0, x) (theta_j - theta_j0) . x]. With w = u_0 this is the
 * first-order Taylor expansion; with w = the present u it keeps the product of both displacements, as the published
 * comparisons of network and linearisation do (Fang, Dong, Zhang 2021). It is not trained: where it parts from the
 * network, the network has left the region in which it is linear.
 */
export class PathLinearisation {
  private readonly features: ScaledDense;
  private readonly readout: ScaledDense;
  private readonly phi: (typeof activations)[keyof typeof activations];
  private readonly theta0: tf.Tensor2D;
  private readonly u0: tf.Tensor2D;

  /** Keeps a copy of the present parameters as the start. Throws an Error for other than two-layer networks without biases. */
  constructor(built: BuiltModel) {
    if (!built.twoLayer) throw new Error('The linearisation along the path is that of a two-layer network.');
    this.features = built.model.getLayer(built.twoLayer.features) as ScaledDense;
    this.readout = built.model.getLayer(built.twoLayer.readout) as ScaledDense;
    if (this.features.bias)
      throw new Error('The linearisation along the path takes features without biases.');
    const between = built.model.layers.find((l): l is Elementwise => l instanceof Elementwise);
    this.phi = activations[between?.activation ?? 'identity'];
    this.theta0 = tf.clone(this.features.kernel.read()) as tf.Tensor2D;
    this.u0 = tf.clone(this.readout.kernel.read()) as tf.Tensor2D;
  }

  /** Outputs [n, k] on inputs [n, d]; the caller disposes. */
  predict(x: tf.Tensor2D, taken: ReadoutTaken): tf.Tensor2D {
    return tf.tidy(() => {
      const u = this.readout.kernel.read() as tf.Tensor2D;
      const pre = tf.matMul(x, this.theta0);
      const h = this.phi.forward(pre) as tf.Tensor2D;
      const moved = tf.matMul(x, tf.sub(this.features.kernel.read(), this.theta0) as tf.Tensor2D);
      const shift = tf.mul(this.phi.derivative(pre, h), moved) as tf.Tensor2D;
      const weights = taken === 'start' ? this.u0 : u;
      const f = tf.add(tf.matMul(h, u), tf.matMul(shift, weights)) as tf.Tensor2D;
      return tf.mul(f, this.readout.factor) as tf.Tensor2D;
    });
  }

  dispose(): void {
    tf.dispose([this.theta0, this.u0]);
  }
}
