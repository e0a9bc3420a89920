import type { BuiltModel } from '../../models/build.js';
import * as tf from '../../tf.js';
import { gradientFunction } from './gradient.js';
import { stepFactors } from './rates.js';
import type { StepDefinition } from './stepper.js';

/**
 * Moves a model along the gradient flow dw/dt = -factor dL/dw on a fixed batch for `time` (in units where a step of
 * descent takes its step size; the factors are those of `stepFactors`), by the classical Runge-Kutta method of order 4
 * with `steps` equal steps. What descent with small steps tends to, without descent. Inputs x [n, ...], targets y [n, O].
 */
export function gradientFlow(
  built: BuiltModel,
  definition: Pick<StepDefinition, 'loss' | 'optimizer'>,
  x: tf.Tensor,
  y: tf.Tensor2D,
  time: number,
  steps: number,
): void {
  const gradients = gradientFunction(built.model, definition.loss);
  const factors = stepFactors(built, definition);
  const h = time / steps;
  /** dw/dt of every trainable weight where the model is now, in a fixed order. */
  const slopes = (): tf.Tensor[] =>
    gradients(x, y).gradients.map(({ layer, gradient }) => tf.mul(gradient, -(factors[layer] ?? 1)));
  const variables = tf.tidy(() => gradients(x, y).gradients.map(({ variable }) => variable));
  const move = (from: readonly tf.Tensor[], along: readonly tf.Tensor[], by: number): void => {
    for (const [i, variable] of variables.entries())
      variable.assign(tf.add(from[i], tf.mul(along[i], by)) as tf.Tensor);
  };
  for (let step = 0; step < steps; step++)
    tf.tidy(() => {
      const start = variables.map((variable) => tf.clone(variable));
      const first = slopes();
      move(start, first, h / 2);
      const second = slopes();
      move(start, second, h / 2);
      const third = slopes();
      move(start, third, h);
      const fourth = slopes();
      const all = first.map((slope, i) =>
        tf.addN([slope, tf.mul(second[i], 2), tf.mul(third[i], 2), fourth[i]]),
      );
      move(start, all, h / 6);
    });
}
