import type { Inputs } from '../inputs.js';
import { sampleCount } from '../inputs.js';
import { flatOutputs } from '../outputs.js';
import * as tf from '../tf.js';
import type { Linearisation, ProductMethod } from './linearisation.js';
import { type FrozenWeights, normOf, type Parameters } from './parameters.js';

/**
 * Length of a displacement of central differences relative to that of the weights: the cube root of float32's precision,
 * where rounding (eps |f| / h) and the third derivative (h^2) cost the same. Errors are about 1e-4 of |J v|.
 */
const relativeStep = 6e-3;

/** Step h that moves the weights by `relativeStep` of their length along v; 0 for v = 0. */
export function differenceStep(
  weights: readonly tf.Tensor[],
  v: readonly tf.Tensor[],
  relative = relativeStep,
): number {
  const length = normOf(v);
  return length === 0 ? 0 : (relative * Math.max(normOf(weights), 1e-3)) / length;
}

/** Outputs [n, O] of the model as it is, in inference form. */
export function outputsOf(model: tf.LayersModel, x: Inputs): tf.Tensor2D {
  const y = model.apply(x, { training: false }) as tf.Tensor | tf.Tensor[];
  return flatOutputs(y, sampleCount(x));
}

/** J^T u of the model as it is, by one backward pass. Inside `tf.tidy`. */
function pullBack(model: tf.LayersModel, parameters: Parameters, x: Inputs, u: tf.Tensor2D): tf.Tensor[] {
  const { grads } = tf.variableGrads(
    () => tf.sum(tf.mul(outputsOf(model, x), u)) as tf.Scalar,
    [...parameters.variables],
  );
  return parameters.variables.map((v) => grads[v.name] ?? tf.zerosLike(v));
}

/**
 * J v of the model as it is by two backward passes: u -> <J^T u, v> is linear with gradient J v (Townsend 2017). Throws
 * where a backward kernel has no derivative.
 */
function pushForward(
  model: tf.LayersModel,
  parameters: Parameters,
  x: Inputs,
  v: readonly tf.Tensor[],
  outputs: number,
): tf.Tensor2D {
  const along = tf.grad((u) => {
    const pulled = pullBack(model, parameters, x, u as tf.Tensor2D);
    return tf.addN(pulled.map((part, k) => tf.sum(tf.mul(part, v[k]))));
  });
  return along(tf.zeros([sampleCount(x), outputs])) as tf.Tensor2D;
}

/** (f(theta + h v) - f(theta - h v)) / 2 h in float32. */
function difference(
  model: tf.LayersModel,
  parameters: Parameters,
  x: Inputs,
  v: readonly tf.Tensor[],
  weights: FrozenWeights,
): tf.Tensor2D {
  const h = differenceStep(weights.trainable, v);
  const moved = (step: number): tf.Tensor2D => {
    const trainable = weights.trainable.map((w, k) => tf.add(w, tf.mul(v[k], step)));
    return parameters.during({ trainable, others: weights.others }, () => outputsOf(model, x));
  };
  if (h === 0) return tf.zerosLike(moved(0));
  return tf.div(tf.sub(moved(h), moved(-h)), 2 * h);
}

/** J v and J^T u of any layers model at the weights given, in inference form. `x` must live as long as the result. */
export function lineariseModel(
  model: tf.LayersModel,
  parameters: Parameters,
  x: Inputs,
  weights: FrozenWeights,
  method: ProductMethod,
): Linearisation {
  const at = <T>(work: () => T): T => parameters.during(weights, work);
  const output = tf.tidy(() => at(() => outputsOf(model, x)));
  return {
    method,
    output,
    jvp: (v) =>
      tf.tidy(() =>
        method === 'exact'
          ? at(() => pushForward(model, parameters, x, v, output.shape[1]))
          : difference(model, parameters, x, v, weights),
      ),
    vjp: (u) => tf.tidy(() => at(() => pullBack(model, parameters, x, u))),
    dispose: () => output.dispose(),
  };
}
