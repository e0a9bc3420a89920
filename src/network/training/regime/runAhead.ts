import type { ForcedResponse } from '../../../core/dynamics/forcedResponse.js';
import { pulled, shareLeft } from '../../../core/dynamics/forcedResponse.js';
import { eigh } from '../../../core/linalg/eigen.js';
import type { Matrix } from '../../../core/linalg/matrix.js';
import { ModelJacobian } from '../../kernel/index.js';
import * as tf from '../../tf.js';
import { projected } from '../observe/prediction.js';
import type { KernelProbe } from '../observe/probe.js';

/** In one leap the squared residual halves, until so little of it is left that one more leap can go to the end. */
const halving = 2;
export const littleLeft = 0.01;
/**
 * Leaps after which the next ones go to the end, should the residual not fall as the kernels say; after as many again what
 * is known has to do.
 */
const mostLeaps = 16;
/** So few steps are taken one by one. */
const fewSteps = 8;
/** A gap beyond which the weights have been put where nothing can be said but "rich". */
const largestGap = 10;

export interface AheadRun {
  /** Step size of every layer relative to the base one, by name. */
  readonly factors: Readonly<Record<string, number>>;
  /** Steps that are left. */
  readonly steps: number;
  /** Share of the squared residual at which the run ends; 0 when it goes on to the last step. */
  readonly until: number;
}

export interface Ahead {
  /** Largest |f - f_lin| / |f_lin| of the whole run to be expected. */
  readonly gap: number;
  /** Kernel on the probe set at the end of the leaps. */
  readonly kernel: Matrix;
}

/**
 * Runs ahead of training in a few leaps: as long as the squared residual takes to halve under the kernel of the moment,
 * the weights go where the linearisation at the moment goes (Lee et al. 2019, section 2.2, the closed form of linearised
 * training), the kernel is measured there, and the residual is taken through the kernels between (see ForcedResponse); a
 * second product at the far end corrects the weights (Heun's rule). Few steps are taken as they are. So a run of thousands of steps is gone through
 * with a handful of kernels, on the probe inputs in the place of the training set. `kernel` is that of now, and `response`
 * stands where the run stands; both, and the weights, are left as they were.
 */
export async function runAhead(
  model: tf.LayersModel,
  probe: KernelProbe,
  response: ForcedResponse,
  kernel: Matrix,
  run: AheadRun,
): Promise<Ahead> {
  const course = response.copy();
  const walk = new Walk(model, probe, run.factors);
  let now = kernel;
  let left = run.steps;
  try {
    for (let k = 1; left > 0 && course.left > run.until && k <= 2 * mostLeaps; k++) {
      const fine = course.left > littleLeft && k < mostLeaps;
      const target = fine ? Math.max(run.until, course.left / halving) : run.until;
      const leap = leapOf(course, now, left, target);
      const single = leap.steps <= fewSteps && course.rule.momentum === 0;
      if (single) walk.steps(course, leap.steps, run.until);
      const next = single ? await probe.kernelNow() : await walk.out(leap.pull);
      if (!next.data.every(Number.isFinite)) return { gap: largestGap, kernel: now };
      if (single) {
        now = next;
        left -= leap.steps;
        continue;
      }
      const { pull, ended } = course.advance(now, next, substeps(leap.steps, 0, 2), leap.weight, run.until);
      now = next;
      left -= leap.steps;
      if (ended || left <= 0) break;
      walk.settle(pull);
    }
    return { gap: Math.min(largestGap, course.gap), kernel: now };
  } finally {
    walk.back();
  }
}

/** Ends of substeps over `steps` steps from step `from` on; each is at most 1 / `parts` of the steps before it. */
export function substeps(steps: number, from: number, parts: number): number[] {
  const out: number[] = [];
  for (let k = 0; k < steps; ) {
    k = Math.min(steps, k + Math.max(1, Math.floor((from + k) / parts)));
    out.push(k);
  }
  return out;
}

interface Leap {
  readonly steps: number;
  /** Pull on the weights under the kernel as it is now, [P, O]. */
  readonly pull: Float64Array;
  /** Share of the way of the weights that k steps go. */
  readonly weight: (k: number) => number;
}

/** The next leap under the kernel kept as it is: to where `target` of the squared residual is left, within `most` steps. */
function leapOf(course: ForcedResponse, kernel: Matrix, most: number, target: number): Leap {
  const { vectors, values } = eigh(kernel);
  const { rule, outputs: O } = course;
  const P = kernel.rows;
  const c = projected(vectors, course.residual, O);
  const energy = Float64Array.from({ length: P }, (_, k) => {
    let sum = 0;
    for (let o = 0; o < O; o++) sum += c[k * O + o] ** 2;
    return sum;
  });
  const whole = energy.reduce((a, b) => a + b, 0) || 1;
  const sum = (f: (lambda: number) => number) => values.reduce((s, v, k) => s + f(v) * energy[k], 0);
  const leftAfter = (n: number) => (course.left * sum((v) => shareLeft(rule, v, n) ** 2)) / whole;
  // Nothing at all is left only where the numbers end, and what float32 makes of the weights there is no course any more.
  const steps = target > 0 ? firstWhere((n) => leftAfter(n) <= target, most) : most;
  const way = (n: number) => Math.sqrt(sum((v) => Math.max(0, v) * pulled(rule, v, n) ** 2));
  const all = way(steps) || 1;
  const pull = new Float64Array(P * O);
  for (let k = 0; k < P; k++) {
    const weight = pulled(rule, values[k], steps);
    for (let i = 0; i < P; i++) {
      const v = weight * vectors.data[k * P + i];
      for (let o = 0; o < O; o++) pull[i * O + o] += v * c[k * O + o];
    }
  }
  return { steps, pull, weight: (n) => Math.min(1, way(n) / all) };
}

/** Least whole number from 1 to `most` where a condition holds that stays true from there on; `most` when there is none. */
function firstWhere(holds: (n: number) => boolean, most: number): number {
  if (most <= 1 || !holds(most)) return Math.max(1, most);
  let [low, high] = [0, most];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** The weights on their way, and back. */
class Walk {
  private readonly own: tf.Tensor[];
  private readonly variables: readonly tf.Variable[];
  /** Weights where the leap began, and the Jacobian there. */
  private from: tf.Tensor[] = [];
  private here: ModelJacobian;

  constructor(
    private readonly model: tf.LayersModel,
    private readonly probe: KernelProbe,
    private readonly factors: Readonly<Record<string, number>>,
  ) {
    this.here = new ModelJacobian(model);
    this.variables = this.here.parameters.variables;
    this.own = this.variables.map((v) => tf.clone(v));
  }

  /** Takes plain steps on the probe inputs, and the course with them. */
  steps(course: ForcedResponse, count: number, until: number): void {
    let outputs = this.outputs();
    for (let k = 0; k < count && course.left > until; k++) {
      const move = this.moves(course.residual.map((r) => course.rule.rate * r));
      tf.tidy(() => {
        for (const [i, variable] of this.variables.entries()) variable.assign(tf.sub(variable, move[i]));
      });
      tf.dispose(move);
      this.arrive();
      const next = this.outputs();
      course.move(next.map((f, i) => f - outputs[i]));
      outputs = next;
    }
  }

  /** Goes by -D J' pull and measures the kernel there. */
  async out(pull: Float64Array): Promise<Matrix> {
    tf.dispose(this.from);
    this.from = this.variables.map((v) => tf.clone(v));
    const move = this.moves(pull);
    this.put(this.from, move);
    tf.dispose(move);
    return this.probe.kernelNow();
  }

  /** Goes to where the corrected pull leads, by the mean of the Jacobians at both ends of the leap. */
  settle(pull: Float64Array): void {
    const near = this.moves(pull);
    this.arrive();
    const far = this.moves(pull);
    const mean = tf.tidy(() => near.map((a, k) => tf.mul(tf.add(a, far[k]), 0.5)));
    this.put(this.from, mean);
    tf.dispose([near, far, mean]);
    this.arrive();
  }

  back(): void {
    for (const [k, variable] of this.variables.entries()) variable.assign(this.own[k]);
    tf.dispose([this.own, this.from]);
    this.here.dispose();
  }

  private arrive(): void {
    this.here.dispose();
    this.here = new ModelJacobian(this.model);
  }

  private outputs(): Float32Array {
    return this.probe.predict((x) =>
      tf.tidy(() => tf.reshape(this.model.apply(x) as tf.Tensor, [this.probe.size, this.probe.outputs])),
    );
  }

  private moves(pull: Float64Array): tf.Tensor[] {
    const { probe, here } = this;
    return tf.tidy(() => {
      const at = here.at(probe.inputs);
      const moves = here.parameters.scale(
        at.vjp(tf.tensor2d(Float32Array.from(pull), [probe.size, probe.outputs])),
        this.factors,
      );
      at.dispose();
      return moves;
    });
  }

  private put(from: readonly tf.Tensor[], move: readonly tf.Tensor[]): void {
    tf.tidy(() => {
      for (const [k, variable] of this.variables.entries()) variable.assign(tf.sub(from[k], move[k]));
    });
  }
}
