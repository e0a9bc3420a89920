import { KrylovCourse } from '../../../core/dynamics/krylovCourse.js';
import { type Stage, stabilisedShare, stabilisedStep, stagesFor } from '../../../core/dynamics/stabilised.js';
import { KernelOperator, ModelJacobian } from '../../kernel/index.js';
import * as tf from '../../tf.js';
import { gradientFunction } from '../loop/gradient.js';

/** So many steps are taken as they are; each step after them is half as long as the whole way before it. */
const plainSteps = 8;
const growth = 0.5;
/** Products that the linearisation is known by. */
const products = 48;
/** Room for eigenvalues that grow while the network learns. */
const room = 1.25;
/** Times that a step may be taken again with twice the room. */
const mostRetries = 5;
/** A gap beyond which nothing can be said but "rich". */
const largestGap = 10;

export interface SampleRun {
  /** Step size of every layer relative to the base one, by name. */
  readonly factors: Readonly<Record<string, number>>;
  /** Base step size; with momentum that of the flow that is 1 / (1 - momentum) times as fast. */
  readonly learningRate: number;
  readonly momentum: number;
  readonly steps: number;
  /** Share of the squared residual at which the run ends; 0 when it goes on to the last step. */
  readonly until: number;
}

/** Inputs [N, ...] and targets [N, O] of the run, and those rows among them on which the gap is taken. */
export interface Sample {
  readonly x: tf.Tensor;
  readonly y: tf.Tensor2D;
  readonly rows: readonly number[];
}

/** Largest |f - f_lin| / |f_lin| up to a step. */
export interface GapAt {
  readonly step: number;
  readonly gap: number;
}

const longStep = (t: number, steps: number): number =>
  Math.min(steps - t, Math.max(1, Math.floor(growth * t)));

/** Passes over the sample that going through a run takes, about: `stiffness` is eta lambda_max / (n O). */
export function passesAhead(stiffness: number, steps: number): number {
  let passes = products + Math.min(plainSteps, steps);
  for (let t = plainSteps; t < steps; ) {
    const h = longStep(t, steps);
    passes += stagesFor(room * stiffness * h) + 1;
    t += h;
  }
  return passes;
}

/**
 * Goes through a run ahead on a sample of its inputs: network and linearisation take the same long steps (see
 * `stabilisedStep`), so that what a long step gets wrong is wrong in both; the linearisation takes them in the Krylov
 * space of its residual. Outputs act on one another as they do in the run. `look` is called where the network has come
 * to, and the weights are put back after it.
 */
export async function descendAhead(
  model: tf.LayersModel,
  { x, y, rows }: Sample,
  run: SampleRun,
  look: () => Promise<void>,
): Promise<GapAt[]> {
  const network = new Descent(model, x, y, run.factors);
  const O = y.shape[1];
  const places = rows.flatMap((row) => Array.from({ length: O }, (_, o) => row * O + o));
  const targets = y.dataSync();
  try {
    const start = network.residual(targets);
    const whole = squared(start) || 1;
    const operator = new KernelOperator(model, x, { mode: 'full', layerFactors: run.factors });
    const linear = new KrylovCourse((u) => operator.times(u), start, Math.min(products, start.length));
    operator.dispose();
    const rate = run.learningRate / (1 - run.momentum);
    const unit = rate / y.size;
    const path: GapAt[] = [];
    let largest = 0;
    let margin = room;
    for (let t = 0; t < run.steps; ) {
      const single = run.momentum === 0 && t < plainSteps;
      const h = single ? 1 : longStep(t, run.steps);
      const before = network.left;
      let stages: Stage[] = [];
      for (let retry = 0; ; retry++) {
        stages = single ? [] : stabilisedStep(stagesFor(margin * h * unit * (linear.values[0] ?? 0)));
        network.step(rate * h, stages);
        network.residual(targets);
        if (single || network.left <= before || retry === mostRetries) break;
        margin *= 2;
        network.undo();
      }
      if (!Number.isFinite(network.left)) {
        path.push({ step: t + h, gap: largestGap });
        network.undo();
        break;
      }
      linear.take((v) => (single ? 1 - unit * v : stabilisedShare(stages, h * unit * v)));
      t += h;
      largest = Math.min(largestGap, Math.max(largest, apart(network.now, linear, places, targets)));
      path.push({ step: t, gap: largest });
      if (network.left <= run.until * whole) break;
    }
    await look();
    return path;
  } finally {
    network.back();
  }
}

function apart(
  now: Float64Array,
  linear: KrylovCourse,
  places: readonly number[],
  targets: ArrayLike<number>,
): number {
  const residual = linear.at(places);
  let [gap, size] = [0, 0];
  for (const [i, place] of places.entries()) {
    gap += (now[place] - residual[i]) ** 2;
    size += (residual[i] + targets[place]) ** 2;
  }
  return size > 0 ? Math.sqrt(gap / size) : 0;
}

function squared(x: ArrayLike<number>): number {
  let s = 0;
  for (let i = 0; i < x.length; i++) s += x[i] * x[i];
  return s;
}

/** The weights on their way down the loss of the sample, and back. */
class Descent {
  /** f - y, [N O]. */
  now = new Float64Array();
  /** Its squared length. */
  left = Number.NaN;
  private readonly variables: readonly tf.Variable[];
  private readonly own: tf.Tensor[];
  private from: tf.Tensor[] = [];
  private readonly gradients: ReturnType<typeof gradientFunction>;
  private readonly rates: readonly number[];

  constructor(
    private readonly model: tf.LayersModel,
    private readonly x: tf.Tensor,
    private readonly y: tf.Tensor2D,
    factors: Readonly<Record<string, number>>,
  ) {
    const jacobian = new ModelJacobian(model);
    const { variables, owners } = jacobian.parameters;
    jacobian.dispose();
    this.variables = variables;
    this.rates = owners.map((owner) => factors[owner] ?? 1);
    this.own = variables.map((v) => tf.clone(v));
    this.gradients = gradientFunction(model, 'mse');
  }

  /** Measures f - y where the weights are. */
  residual(targets: ArrayLike<number>): Float64Array {
    const f = tf.tidy(() => (this.model.apply(this.x) as tf.Tensor).dataSync());
    this.now = Float64Array.from(f, (v, i) => v - targets[i]);
    this.left = squared(this.now);
    return this.now;
  }

  /** One step of base size h; plain when there are no stages. */
  step(h: number, stages: readonly Stage[]): void {
    tf.dispose(this.from);
    this.from = this.variables.map((v) => tf.clone(v));
    const first = this.slope(h);
    if (stages.length === 0) {
      this.put((k) => tf.add(this.from[k], first[k]));
      tf.dispose(first);
      return;
    }
    let before: tf.Tensor[] = [];
    for (const [j, stage] of stages.entries()) {
      const last = this.variables.map((v) => tf.clone(v));
      const slope = j === 0 ? [] : this.slope(h);
      this.put((k) => {
        const start = tf.add(tf.mul(this.from[k], stage.start), tf.mul(first[k], stage.first));
        if (j === 0) return start;
        const moved = tf.add(tf.mul(last[k], stage.last), tf.mul(slope[k], stage.slope));
        return tf.add(tf.add(start, moved), tf.mul(before[k], stage.before));
      });
      tf.dispose([slope, before]);
      before = last;
    }
    tf.dispose([before, first]);
  }

  /** Back to where the last step began. */
  undo(): void {
    this.put((k) => tf.clone(this.from[k]));
  }

  back(): void {
    this.put((k) => tf.clone(this.own[k]));
    tf.dispose([this.own, this.from]);
  }

  private slope(h: number): tf.Tensor[] {
    return tf.tidy(() => {
      const { gradients } = this.gradients(this.x, this.y);
      const by = new Map(gradients.map(({ variable, gradient }) => [variable, gradient]));
      return this.variables.map((v, k) => {
        const gradient = by.get(v);
        return gradient ? tf.mul(gradient, -h * this.rates[k]) : tf.zerosLike(v);
      });
    });
  }

  private put(values: (k: number) => tf.Tensor): void {
    tf.tidy(() => {
      for (const [k, variable] of this.variables.entries()) variable.assign(values(k));
    });
  }
}
