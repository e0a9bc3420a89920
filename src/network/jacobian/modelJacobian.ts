import { Random } from '../../core/random.js';
import { type Inputs, sampleCount, samplesOf } from '../inputs.js';
import { type ChainLayer, chainOf } from '../kernel/dense/denseChain.js';
import { outputCount } from '../outputs.js';
import * as tf from '../tf.js';
import { lineariseChain } from './chainLinearisation.js';
import { lineariseModel } from './genericLinearisation.js';
import type { Linearisation, ProductMethod } from './linearisation.js';
import { type FrozenWeights, inner, normOf, Parameters } from './parameters.js';
import { registerSecondGradients } from './secondGradients.js';

/** Largest |<J v, u> - <v, J^T u>| relative to |J v| |u| under which J v by two backward passes is believed. */
const adjointTolerance = 1e-3;

export interface JacobianOptions {
  /** Forbids exact products, to compare with them. */
  readonly method?: 'central differences';
}

/**
 * The Jacobian of a model's outputs in its trainable weights, frozen at the weights of the moment it is made, as an
 * operator: J v and J^T u on any inputs, without forming it. Chains of dense layers are linearised by hand; for other
 * models J^T u is one backward pass and J v is two (TensorFlow.js has no forward mode), or central differences where a
 * layer cannot be differentiated twice. Other models are taken in inference form.
 */
export class ModelJacobian {
  readonly parameters: Parameters;
  readonly outputs: number;
  readonly frozen: FrozenWeights;
  private readonly chain: readonly ChainLayer[] | null;
  private known: ProductMethod | null = null;

  constructor(
    private readonly model: tf.LayersModel,
    options: JacobianOptions = {},
  ) {
    registerSecondGradients();
    this.parameters = new Parameters(model);
    this.outputs = outputCount(model);
    this.frozen = this.parameters.freeze();
    this.chain = options.method ? null : chainOf(model);
    this.known = this.chain ? 'exact' : (options.method ?? null);
  }

  /** How J v is computed; known from the first linearisation on, which tries. */
  get method(): ProductMethod | null {
    return this.known;
  }

  /** The Jacobian on some inputs [n, ...], which must live as long as the result; the caller disposes the result. */
  at(x: Inputs): Linearisation {
    const { chain, parameters, frozen, model } = this;
    if (chain) {
      const input = (Array.isArray(x) ? x[0] : x) as tf.Tensor2D;
      return parameters.during(frozen, () => lineariseChain(chain, parameters, input));
    }
    this.known ??= this.trial(x);
    return lineariseModel(model, parameters, x, frozen, this.known);
  }

  dispose(): void {
    this.frozen.dispose();
  }

  /** Whether two backward passes give J v: they may throw, or lose a path where a gradient was cut from its history. */
  private trial(x: Inputs): ProductMethod {
    return tf.tidy(() => {
      const few = samplesOf(x, 0, Math.min(2, sampleCount(x)));
      const exact = lineariseModel(this.model, this.parameters, few, this.frozen, 'exact');
      const random = new Random('adjoint');
      const v = this.parameters.split(random.normals(this.parameters.size));
      const u = tf.tensor2d(Float32Array.from(random.normals(exact.output.size)), exact.output.shape);
      try {
        const pushed = exact.jvp(v);
        const pulled = exact.vjp(u);
        const error = Math.abs(inner([pushed], [u]) - inner(v, pulled));
        const scale = normOf([pushed]) * normOf([u]);
        // A product that is all zeros proves nothing unless the adjoint is zero too.
        return error <= adjointTolerance * scale ? 'exact' : 'central differences';
      } catch {
        return 'central differences';
      }
    });
  }
}
