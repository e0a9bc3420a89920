import { momentumShare } from '../../../core/dynamics/squaredLoss.js';
import { relativeDrift } from '../../../core/measures/kernel.js';
import { say } from '../../../core/say.js';
import type { Regime } from '../../../protocol/records.js';
import type { Dataset } from '../../data/index.js';
import { ModelJacobian } from '../../kernel/index.js';
import * as tf from '../../tf.js';
import { trainingForm } from '../loop/trainingForm.js';
import type { KernelMeasurement, KernelProbe } from '../observe/probe.js';
import type { ExperimentDefinition } from '../spec.js';
import { relativeGap } from './gaps.js';
import { gapBars, regimeOfGap } from './regime.js';
import { followsKernel, RegimeWatch } from './regimeWatch.js';

/**
 * Of the one leap to the end (cross-entropy, Adam, steps above the stable one): lazy below this gap, rich above this
 * drift. Trained, the network corrects itself on the way and ends at about a third of the gap of that leap, so the first
 * bar is three times that of a finished run; drift comes out as forecast.
 */
const leapBars = { gap: 0.15, drift: 0.5 } as const;
/** Probability of its class that a sample is taken to reach under cross-entropy. */
const reached = 0.9;

export interface RegimeForecast {
  readonly regime: Regime;
  readonly reasons: readonly string[];
  /** Relative kernel drift |K(theta_1) - K(theta_0)| / |K(theta_0)| on the probe set. */
  readonly drift: number;
  /** |f - f_lin| / |f_lin| on the probe set, the largest on the way. */
  readonly gap: number;
  /** How many times as far as lazy training it goes; 1 at the bar. */
  readonly beyondLazy: number;
}

export interface ForecastRun
  extends Pick<ExperimentDefinition, 'loss' | 'optimizer' | 'steps' | 'stop' | 'noise' | 'regularization'> {
  /** Base step size, and the largest stable one. */
  readonly learningRate: number;
  readonly maxStep?: number;
  /** Step size of every layer relative to the base one, by name. */
  readonly factors: Readonly<Record<string, number>>;
  /** The training set, of which the probe inputs may be a part; absent where they stand for it. */
  readonly dataset?: Dataset;
  /** The network is trained in its tangent space: it is its linearisation. */
  readonly tangent?: boolean;
}

const short = (v: number): string => String(Number(v.toPrecision(2)));

/**
 * Regime before training. Under squared loss the run is gone through ahead (see `runAhead`), as the verdict of the run
 * itself will be (see RegimeWatch). Else in one leap. `start` is the first measurement of `probe`, `outputs` are f_0
 * [P, O]. Leaves the weights as they were.
 */
export async function regimeForecast(
  model: tf.LayersModel,
  probe: KernelProbe,
  start: KernelMeasurement,
  outputs: Float32Array,
  run: ForecastRun,
): Promise<RegimeForecast> {
  if (run.tangent)
    return {
      regime: 'lazy',
      gap: 0,
      drift: 0,
      beyondLazy: 0,
      reasons: ['The network is trained in the tangent space of its start: it is its linearisation.'],
    };
  if (
    followsKernel(run, trainingForm(model, probe.inputs)) &&
    !(run.learningRate > (run.maxStep ?? Number.POSITIVE_INFINITY))
  )
    return byRunningAhead(model, probe, start, outputs, run);
  return byOneLeap(model, probe, start, outputs, run);
}

async function byRunningAhead(
  model: tf.LayersModel,
  probe: KernelProbe,
  start: KernelMeasurement,
  outputs: Float32Array,
  run: ForecastRun,
): Promise<RegimeForecast> {
  const { factors, learningRate } = run;
  let initialLoss = 0;
  for (const [i, f] of outputs.entries()) initialLoss += (f - probe.targetAt(i)) ** 2 / (2 * outputs.length);
  const watch = new RegimeWatch({
    model,
    probe,
    definition: run,
    factors,
    learningRate,
    initialLoss,
    whole: probe.outputs === 1 && probe.size === run.dataset?.train.size,
    data: run.dataset ?? null,
  });
  watch.follow(0, start.kernelMatrix, outputs);
  await watch.lookAhead();
  const { expected: gap, kernelAhead } = watch;
  const drift = kernelAhead ? relativeDrift(kernelAhead, start.kernelMatrix) : 0;
  const { lazy, rich } = gapBars;
  return {
    regime: regimeOfGap(gap),
    gap,
    drift,
    beyondLazy: gap / lazy,
    reasons: [
      `Gone through ahead in a few leaps, the run parts the network from its linearisation by up to ${capped(gap)} %; up to ${100 * lazy} % is lazy, from ${100 * rich} % on rich.`,
      `At its end the network’s kernel has drifted by ${capped(drift)} %.`,
    ],
  };
}

/**
 * One leap to the end: the weights are put where the linearised network would end, theta_1 = theta_0 + D J' U with
 * U = g(K) (y - f_0) from the modes of the kernel on the probe set (Lee et al. 2019, section 2.2: the closed form of
 * linearised training), and network and kernel are taken there. If the network is its linearisation even there, training
 * stays lazy (Chizat, Oyallon and Bach 2019, theorem 2.2: what must be small is the change of the differential over the
 * way that the linearised model goes). Under cross-entropy the linearised network is taken to where every sample has
 * probability .9.
 */
async function byOneLeap(
  model: tf.LayersModel,
  probe: KernelProbe,
  start: KernelMeasurement,
  outputs: Float32Array,
  run: ForecastRun,
): Promise<RegimeForecast> {
  const jacobian = new ModelJacobian(model);
  const { parameters } = jacobian;
  const own = parameters.freeze();
  try {
    const pull = pullOf(probe, outputs, run, start.noiseFloor);
    const linearised = tf.tidy(() => {
      const at = jacobian.at(probe.inputs);
      const back = at.vjp(tf.tensor2d(Float32Array.from(pull), [probe.size, probe.outputs]));
      const move = parameters.scale(back, run.factors);
      const f = tf.add(at.output, at.jvp(move)).dataSync() as Float32Array;
      at.dispose();
      for (const [k, variable] of parameters.variables.entries()) variable.assign(tf.add(variable, move[k]));
      return f;
    });
    const reachedOutputs = probe.predict((x) => tf.tidy(() => twoDimensional(model.apply(x) as tf.Tensor)));
    const gap = relativeGap(reachedOutputs, linearised);
    const drift = relativeDrift(await probe.kernelNow(), start.kernelMatrix);
    return verdict(gap, drift, run);
  } finally {
    for (const [k, value] of own.trainable.entries()) parameters.variables[k].assign(value);
    own.dispose();
    jacobian.dispose();
  }
}

const twoDimensional = (f: tf.Tensor): tf.Tensor2D =>
  tf.reshape(f, [f.shape[0], f.size / f.shape[0]]) as tf.Tensor2D;

/** U [P, O]: what J' turns into the way of the linearised network, sum_k v_k (1 - share_k) / lambda_k v_k . (y - f_0). */
function pullOf(probe: KernelProbe, outputs: Float32Array, run: ForecastRun, floor: number): Float64Array {
  const { vectors, values, coefficients } = probe.predictionStart(outputs, targetsOf(probe, outputs, run));
  const O = probe.outputs;
  const share = shareLeft(run, probe.size, O);
  const pull = new Float64Array(probe.size * O);
  for (let k = 0; k < values.length; k++) {
    // Modes below the noise are not learnt, and their eigenvalues are no numbers to divide by.
    const lambda = Math.max(values[k], floor);
    const weight = (share(lambda) - 1) / lambda;
    for (let i = 0; i < probe.size; i++) {
      const v = vectors.data[k * probe.size + i];
      for (let o = 0; o < O; o++) pull[i * O + o] += v * weight * coefficients[k * O + o];
    }
  }
  return pull;
}

/** Share of a mode's residual that is left at the end of the run. */
function shareLeft(run: ForecastRun, samples: number, O: number): (lambda: number) => number {
  const { optimizer, steps, learningRate } = run;
  // Adam's steps do not follow the kernel: it is taken to learn everything.
  if (optimizer.kind === 'adam' || !Number.isFinite(learningRate)) return () => 0;
  // Under cross-entropy the loss's curvature in an output is p (1 - p), at the start about 1 / O.
  const rate = (learningRate / samples) * (run.loss === 'mse' ? 1 / O : (1 - 1 / O) / O);
  const momentum = optimizer.kind === 'momentum' ? (optimizer.momentum ?? 0.9) : 0;
  return (lambda) => {
    const left = momentum > 0 ? momentumShare(lambda, rate, momentum, steps) : (1 - rate * lambda) ** steps;
    // Above the stable step the linearised network diverges; the network, if it does not, learns the mode.
    return Math.abs(left) <= 1 ? left : 0;
  };
}

/** Targets of the outputs: the data's, or under cross-entropy logits at which every class has its probability. */
function targetsOf(
  probe: KernelProbe,
  outputs: Float32Array,
  run: ForecastRun,
): ArrayLike<number> | undefined {
  if (run.loss === 'mse') return undefined;
  const O = probe.outputs;
  const height = Math.log((reached / (1 - reached)) * Math.max(1, O - 1));
  return Float64Array.from(outputs, (_, i) => {
    const row = outputs.subarray(Math.floor(i / O) * O, Math.floor(i / O) * O + O);
    const mean = row.reduce((a, b) => a + b, 0) / O;
    return mean + height * (probe.targetAt(i) - 1 / O);
  });
}

const capped = (v: number) => (v > 3 ? say`more than 300` : short(100 * v));

function verdict(gap: number, drift: number, run: ForecastRun): RegimeForecast {
  const { gap: lazyGap, drift: richDrift } = leapBars;
  const regime: Regime = drift >= richDrift ? 'rich' : gap <= lazyGap ? 'lazy' : 'in between';
  const where =
    run.loss === 'mse'
      ? say`where its linearisation ends after ${run.steps} steps`
      : say`where its linearisation gives every sample a probability of 90 %`;
  return {
    regime,
    gap,
    drift,
    beyondLazy: Math.max(gap / lazyGap, drift / richDrift),
    reasons: [
      `Put ${where}, the network’s kernel has drifted by ${capped(drift)} %; from ${100 * richDrift} % on training is rich.`,
      `There the network differs from its linearisation by ${capped(gap)} %; up to ${100 * lazyGap} % training stays lazy.`,
    ],
  };
}
