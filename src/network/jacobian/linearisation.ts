import type * as tf from '../tf.js';

/** How a product was computed. */
export type ProductMethod = 'exact' | 'central differences';

/**
 * The Jacobian J [n O, P] of a model's outputs on some inputs, at the weights the model had when it was linearised, as
 * what it does to vectors. Lists of tensors stand for vectors over parameters.
 */
export interface Linearisation {
  readonly method: ProductMethod;
  /** Outputs f [n, O]. Not to be disposed. */
  readonly output: tf.Tensor2D;
  /** J v, [n, O]; the caller disposes. */
  jvp(v: readonly tf.Tensor[]): tf.Tensor2D;
  /** J^T u for u [n, O], one tensor a weight; the caller disposes. */
  vjp(u: tf.Tensor2D): tf.Tensor[];
  dispose(): void;
}
