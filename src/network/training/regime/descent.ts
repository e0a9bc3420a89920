import { rkcStages, type Stage, stagesFor } from '../../../core/dynamics/rkc.js';
import { matrixFrom } from '../../../core/linalg/matrix.js';
import { multiplyVector } from '../../../core/linalg/ops.js';
import type { LossName } from '../../data/spec.js';
import { empiricalKernel, KernelOperator } from '../../kernel/index.js';
import * as tf from '../../tf.js';
import { EntropyLinearisation, type LinearisedOutputs, SquaredLinearisation } from './linearised.js';
import { type Replica, replicaOf, type Weights } from './replica.js';

/** So many steps are taken as they are; each step after them is half as long as the whole way before it. */
const plainSteps = 8;
const growth = 0.5;
/** Margin for eigenvalues that grow while the network learns, and times that a step may be taken again with twice of it. */
const growing = 1.25;
const mostRetries = 5;
/** Share of the loss at which both have learnt what there is to part over, and passes after which what is known has to do. */
const learnt = 1e-3;
const mostPasses = 1500;
/** What the kernel of the sample takes, in passes. */
const kernelPasses = 8;
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
  let passes = kernelPasses + Math.min(plainSteps, steps);
  // Under cross-entropy the linearisation takes products of its own.
  const perStage = loss === 'mse' ? 1 : 1.5;
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
  const replica = replicaOf(model, x, y, run);
  const kernel = await kernelOf(model, x, y.size, run.factors);
  const network = new Descent(replica);
  try {
    const start = {
      times: kernel.times,
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
    kernel.dispose();
    network.dispose();
    replica.dispose();
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
  outputs: Float64Array = new Float64Array();
  loss = Number.NaN;
  private weights: Weights;
  private from: Weights = [];

  constructor(private readonly network: Replica) {
    this.weights = network.start.map((w) => tf.clone(w));
    this.arrive();
  }

  /** One step of size h; plain when there are no stages. */
  step(h: number, stages: readonly Stage[]): void {
    tf.dispose([...this.from]);
    const { network, weights: from } = this;
    const first = network.gradient(from);
    let [before, last]: [Weights, Weights] = [[], []];
    for (const [j, stage] of (stages.length === 0 ? plain : stages).entries()) {
      const slope = j === 0 ? [] : network.gradient(last);
      const factors = network.rates.map((rate) => -h * rate);
      const next = tf.tidy(() =>
        from.map((w, k) => {
          const start = weighted([w, stage.start], [first[k], factors[k] * stage.first]);
          return j === 0
            ? start
            : tf.add(
                tf.add(start, weighted([last[k], stage.last], [slope[k], factors[k] * stage.slope])),
                tf.mul(before[k] ?? w, stage.before),
              );
        }),
      );
      tf.dispose([...slope, ...before]);
      [before, last] = [last, next];
    }
    tf.dispose([...first, ...before]);
    [this.from, this.weights] = [from, last];
    this.arrive();
  }

  /** Back to where the last step began. */
  undo(): void {
    tf.dispose([...this.weights]);
    this.weights = this.from;
    this.from = [];
    this.arrive();
  }

  dispose(): void {
    tf.dispose([...this.weights, ...this.from]);
  }

  private arrive(): void {
    const { outputs, loss } = this.network.look(this.weights);
    this.outputs = outputs;
    this.loss = loss;
  }
}

const weighted = ([a, s]: [tf.Tensor, number], [b, t]: [tf.Tensor, number]): tf.Tensor =>
  tf.add(s === 1 ? a : tf.mul(a, s), tf.mul(b, t));

/** Sizes up to which the full kernel is a matrix, whose products take nothing; larger ones are an operator. */
const largestMatrix = 1536;

interface Kernel {
  readonly times: (u: Float64Array) => ArrayLike<number>;
  readonly dispose: () => void;
}

async function kernelOf(
  model: tf.LayersModel,
  x: tf.Tensor,
  size: number,
  layerFactors: Readonly<Record<string, number>>,
): Promise<Kernel> {
  if (size > largestMatrix) {
    const operator = new KernelOperator(model, x, { mode: 'full', layerFactors });
    return { times: (u) => operator.times(u), dispose: () => operator.dispose() };
  }
  const { data } = await empiricalKernel(model, x, { mode: 'full', layerFactors });
  const k = matrixFrom(size, size, data);
  return { times: (u) => multiplyVector(k, u), dispose: () => undefined };
}

/** A plain step is one stage. */
const plain: readonly Stage[] = [{ start: 1, first: 1, last: 0, slope: 0, before: 0 }];
