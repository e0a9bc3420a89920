import { pushForward } from '../derivatives/forward.js';
import { pullBack } from '../derivatives/reverse.js';
import { dependence } from '../graph/dependence.js';
import type { Program } from '../graph/program.js';
import { trace } from '../graph/trace.js';
import { type Inputs, sampleCount } from '../inputs.js';
import { flatOutputs } from '../outputs.js';
import { keepSlopes } from '../primitives/elementwise.js';
import * as tf from '../tf.js';

/**
 * The Jacobian J [n O, P] of a program's outputs on some inputs, at the weights it had when it was linearised, as what it
 * does to vectors. Lists of tensors stand for vectors over the weights.
 */
export interface Linearisation {
  /** Outputs f [n, O]. Not to be disposed. */
  readonly output: tf.Tensor2D;
  /** J v, [n, O]; the caller disposes. */
  jvp(v: readonly tf.Tensor[]): tf.Tensor2D;
  /** J^T u for u [n, O], one tensor a weight; the caller disposes. */
  vjp(u: tf.Tensor2D): tf.Tensor[];
  dispose(): void;
}

/**
 * Linearises a program by one trace, which holds every intermediate result until it is disposed: J v is one walk forward
 * over it (forward mode), J^T u one back (reverse mode). Both are exact. The weights may move on meanwhile.
 */
export function linearise(program: Program, x: Inputs): Linearisation {
  const n = sampleCount(x);
  const variables = program.weights.map(({ variable }) => variable);
  const graph = trace(program.run, [x].flat());
  const { active } = dependence(graph, new Set(variables));
  const forgetSlopes = keepSlopes(graph.nodes);
  const output = tf.tidy(() =>
    tf.clone(
      flatOutputs(
        graph.outputs.map(({ tensor }) => tensor as tf.Tensor),
        n,
      ),
    ),
  );
  return {
    output,
    jvp: (v) =>
      tf.tidy(() => {
        const moved = new Map(variables.map((variable, k) => [variable, v[k]]));
        return flatOutputs(pushForward(graph, active, moved), n);
      }),
    vjp: (u) =>
      tf.tidy(() => {
        let from = 0;
        const parts = graph.outputs.map(({ shape }) => {
          const width = shape.reduce((a, b) => a * b, 1) / n;
          const own = graph.outputs.length === 1 ? u : tf.slice2d(u, [0, from], [n, width]);
          from += width;
          return tf.reshape(own, [...shape]);
        });
        return pullBack(graph, active, parts, variables);
      }),
    dispose: () => {
      output.dispose();
      forgetSlopes();
      graph.dispose();
    },
  };
}
