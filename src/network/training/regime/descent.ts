import { rkcStages, type Stage, stagesFor } from '../../../core/dynamics/rkc.js';
import type { LossName } from '../../data/spec.js';
import { type FrozenWeights, Parameters } from '../../jacobian/parameters.js';
import { KernelOperator } from '../../kernel/index.js';
import * as tf from '../../tf.js';
import { type GradientFunction, gradientFunction, lossOf } from '../loop/gradient.js';
import {
  EntropyLinearisation,
  type LinearisedOutputs,
  productsOf,
  SquaredLinearisation,
} from './linearised.js';

/** So many steps are taken as they are; each step after them is half as long as the whole way before it. */
const plainSteps = 8;
const growth = 0.5;
/** Margin for eigenvalues that grow while the network learns, and times that a step may be taken again with twice of it. */
const growing = 1.25;
const mostRetries = 5;
/** Share of the loss at which both have learnt what there is to part over, and passes after which what is known has to do. */
const learnt = 1e-3;
const mostPasses = 1500;
/** A gap beyond which nothing can be said but "rich". */
const largestGap = 10;

export interface ForeseenRun {
  readonly loss: LossName;
  /** Step size of every layer relative to the base one, by name. */
  readonly factors: Readonly<Record<string, number>>;
  /** Base step size; with momentum that of the flow that is 1 / (1 - momentum) times as fast. */
  readonly learningRate: number;
  readonly momentum: number;
  readonly steps: number;
  /** Share of the loss at which the run ends; 0 when it goes on to the last step. */
  readonly until: number;
}

/** Inputs [n, ...] and targets [n, O] of the run, and those rows among them on which the gap is taken. */
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

/** Passes over the sample that going through a run takes, about: `stiffness` is the base step size over half the stable one. */
export function passesAhead(stiffness: number, steps: number, loss: LossName = 'mse'): number {
  // A product of the kernel is a pass back and one forward.
  let passes = 2 * productsOf(loss) + Math.min(plainSteps, steps);
  const perStage = loss === 'mse' ? 1 : 3;
  for (let t = plainSteps; t < steps; ) {
    const h = longStep(t, steps);
    passes += perStage * stagesFor(growing * stiffness * h) + 1;
    if (passes >= mostPasses) return mostPasses;
    t += h;
  }
  return passes;
}

/**
 * Goes through a run ahead on a sample of its inputs: network and linearisation take the same long steps, stable as those of
 * training (Runge-Kutta-Chebyshev), so that what a long step gets wrong is wrong in both. Outputs act on one another as
 * they do in the run. The weights that move are a copy: the model has its own whenever anyone else has a turn. Taken in
 * inference form, as the kernel is. `rest` is awaited between steps.
 */
export async function descendAhead(
  model: tf.LayersModel,
  { x, y, rows }: Sample,
  run: ForeseenRun,
  rest: () => Promise<void> = async () => undefined,
): Promise<GapAt[]> {
  const O = y.shape[1];
  const places = rows.flatMap((row) => Array.from({ length: O }, (_, o) => row * O + o));
  const network = new Descent(model, x, y, run);
  const operator = new KernelOperator(model, x, { mode: 'full', layerFactors: run.factors });
  try {
    const start = {
      times: (u: Float64Array) => operator.times(u),
      outputs: network.outputs,
      targets: y.dataSync(),
    };
    const linear: LinearisedOutputs =
      run.loss === 'mse' ? new SquaredLinearisation(start) : new EntropyLinearisation(start, O);
    const rate = run.learningRate / (1 - run.momentum);
    const initial = network.loss || 1;
    const path: GapAt[] = [];
    let largest = 0;
    let margin = growing;
    let passes = 0;
    for (let t = 0; t < run.steps; ) {
      const single = run.momentum === 0 && t < plainSteps;
      const steps = single ? 1 : longStep(t, run.steps);
      const h = rate * steps;
      const before = network.loss;
      let stages: Stage[] = [];
      for (let retry = 0; ; retry++) {
        stages = single ? [] : rkcStages(stagesFor(margin * h * linear.top));
        network.step(h, stages);
        passes += Math.max(1, stages.length);
        if (single || network.loss <= before || retry === mostRetries) break;
        margin *= 2;
        network.undo();
      }
      t += steps;
      if (!Number.isFinite(network.loss)) {
        path.push({ step: t, gap: largestGap });
        break;
      }
      linear.take(h, stages);
      largest = Math.min(largestGap, Math.max(largest, apart(network.outputs, linear.at(places), places)));
      path.push({ step: t, gap: largest });
      if (network.loss <= Math.max(learnt, run.until) * initial || passes >= mostPasses) break;
      await rest();
    }
    return path;
  } finally {
    operator.dispose();
    network.dispose();
  }
}

function apart(outputs: Float64Array, linear: Float64Array, places: readonly number[]): number {
  let [gap, size] = [0, 0];
  for (const [i, place] of places.entries()) {
    gap += (outputs[place] - linear[i]) ** 2;
    size += linear[i] ** 2;
  }
  return size > 0 ? Math.sqrt(gap / size) : 0;
}

/** A copy of the weights on its way down the loss of the sample. */
class Descent {
  /** f, [n O], and its loss. */
  outputs = new Float64Array();
  loss = Number.NaN;
  private readonly parameters: Parameters;
  private readonly frozen: FrozenWeights;
  private readonly gradients: GradientFunction;
  private readonly rates: readonly number[];
  private weights: readonly tf.Tensor[];
  private from: readonly tf.Tensor[] = [];

  constructor(
    private readonly model: tf.LayersModel,
    private readonly x: tf.Tensor,
    private readonly y: tf.Tensor2D,
    private readonly run: Pick<ForeseenRun, 'loss' | 'factors'>,
  ) {
    this.parameters = new Parameters(model);
    this.frozen = this.parameters.freeze();
    this.rates = this.parameters.owners.map((owner) => run.factors[owner] ?? 1);
    this.weights = this.frozen.trainable.map((w) => tf.clone(w));
    this.gradients = gradientFunction(model, run.loss, { form: 'inference' });
    this.look();
  }

  /** One step of size h; plain when there are no stages. */
  step(h: number, stages: readonly Stage[]): void {
    const from = this.weights;
    const first = this.slope(from, h);
    if (stages.length === 0) this.weights = tf.tidy(() => from.map((w, k) => tf.add(w, first[k])));
    else this.weights = this.through(stages, from, first, h);
    tf.dispose([...this.from, ...first]);
    this.from = from;
    this.look();
  }

  /** Back to where the last step began. */
  undo(): void {
    tf.dispose([...this.weights]);
    this.weights = this.from;
    this.from = [];
    this.look();
  }

  dispose(): void {
    tf.dispose([...this.weights, ...this.from]);
    this.frozen.dispose();
  }

  private through(
    stages: readonly Stage[],
    from: readonly tf.Tensor[],
    first: readonly tf.Tensor[],
    h: number,
  ): readonly tf.Tensor[] {
    let [before, last]: (readonly tf.Tensor[])[] = [[], []];
    for (const [j, stage] of stages.entries()) {
      const slope = j === 0 ? [] : this.slope(last, h);
      const next = tf.tidy(() =>
        from.map((w, k) => {
          const start = tf.add(tf.mul(w, stage.start), tf.mul(first[k], stage.first));
          if (j === 0) return start;
          const moved = tf.add(tf.mul(last[k], stage.last), tf.mul(slope[k], stage.slope));
          const back = j === 1 ? from[k] : before[k];
          return tf.add(tf.add(start, moved), tf.mul(back, stage.before));
        }),
      );
      tf.dispose([...slope, ...before]);
      [before, last] = [last, next];
    }
    tf.dispose([...before]);
    return last;
  }

  /** -h times the gradient at some weights, with the layers' own factors. */
  private slope(at: readonly tf.Tensor[], h: number): tf.Tensor[] {
    const { parameters, frozen, rates } = this;
    return tf.tidy(() =>
      parameters.during({ trainable: at, others: frozen.others }, () => {
        const { gradients } = this.gradients(this.x, this.y);
        const by = new Map(gradients.map(({ variable, gradient }) => [variable, gradient]));
        return parameters.variables.map((v, k) => {
          const gradient = by.get(v);
          return gradient ? tf.mul(gradient, -h * rates[k]) : tf.zerosLike(v);
        });
      }),
    );
  }

  private look(): void {
    const { parameters, frozen, weights } = this;
    tf.tidy(() => {
      const f = parameters.during({ trainable: weights, others: frozen.others }, () =>
        tf.reshape(this.model.apply(this.x) as tf.Tensor, this.y.shape),
      );
      this.outputs = Float64Array.from(f.dataSync());
      this.loss = lossOf(f, this.y, this.run.loss).dataSync()[0];
    });
  }
}
