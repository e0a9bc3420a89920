import { gapBars, regimeOfGap } from '../../../core/measures/regimeBars.js';
import { say } from '../../../core/say.js';
import type { Regime } from '../../../protocol/records.js';
import type { Dataset } from '../../data/index.js';
import type * as tf from '../../tf.js';
import { trainingForm } from '../loop/trainingForm.js';
import type { KernelMeasurement, KernelProbe } from '../observe/probe.js';
import type { ExperimentDefinition } from '../spec.js';
import { isForeseen, RegimeWatch } from './regimeWatch.js';

export interface RegimeForecast {
  readonly regime: Regime;
  readonly reasons: readonly string[];
  /** |f - f_lin| / |f_lin| on the probe set, the largest on the way. */
  readonly gap: number;
  /** How many times as far as lazy training it goes; 1 at the bar. */
  readonly beyondLazy: number;
}

export interface ForecastRun
  extends Pick<
    ExperimentDefinition,
    'loss' | 'optimizer' | 'steps' | 'stop' | 'noise' | 'regularization' | 'batch'
  > {
  /** Base step size, and the largest stable one. */
  readonly learningRate: number;
  readonly maxStep?: number;
  /** Step size of every layer relative to the base one, by name. */
  readonly factors: Readonly<Record<string, number>>;
  readonly data: Dataset;
  /** The probe inputs stand for the training set, so that less is computed. */
  readonly probesOnly?: boolean;
  /** The network is trained in its tangent space: it is its linearisation. */
  readonly tangent?: boolean;
}

/** Share of the loss at which a run counts as learnt whose optimiser no linearisation follows. */
const learnt = 0.01;

const short = (v: number): string => String(Number(v.toPrecision(2)));
const capped = (v: number) => (v > 3 ? say`more than 300` : short(100 * v));

/**
 * Regime before training, by descent ahead on a copy of the weights, as the verdict of the run itself will be (see
 * RegimeWatch). What the descent leaves out of the run is said. `start` is the first measurement of `probe`, `outputs` are
 * f_0 [P, O].
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
      beyondLazy: 0,
      reasons: ['The network is trained in the tangent space of its start: it is its linearisation.'],
    };
  const { data, factors, loss, batch, optimizer, maxStep = Number.POSITIVE_INFINITY } = run;
  const adam = optimizer.kind === 'adam';
  const learningRate = adam ? maxStep / 2 : Math.min(run.learningRate, maxStep / 2);
  if (!(learningRate > 0 && Number.isFinite(learningRate)))
    return {
      regime: 'undetermined',
      gap: Number.NaN,
      beyondLazy: Number.NaN,
      reasons: ['The kernel gives no stable step size, so nothing says how far the network would go.'],
    };
  const watch = new RegimeWatch({
    model,
    probe,
    definition: adam
      ? { ...run, optimizer: { kind: 'sgd', learningRate }, stop: { lossFraction: learnt } }
      : run,
    factors,
    learningRate,
    initialLoss: initialLoss(probe, outputs, loss),
    whole: false,
    atAnyPrice: true,
    data,
    batch: batch === 'full' ? data.train.size : batch,
    ...(run.probesOnly ? { probesOnly: true } : {}),
  });
  watch.follow(0, start.kernelMatrix, outputs);
  await watch.lookAhead();
  const gap = watch.expected ?? watch.gap;
  const { lazy, rich } = gapBars;
  return {
    regime: regimeOfGap(gap),
    gap,
    beyondLazy: gap / lazy,
    reasons: [
      `Simulated before training, the network departs from its linearisation by up to ${capped(gap)} %; up to ${100 * lazy} % counts as lazy, ${100 * rich} % or more as rich.`,
      ...(isForeseen(run, trainingForm(model, probe.inputs))
        ? []
        : ['The simulation is plain gradient descent, without Adam’s scaling, L2 and noise.']),
      ...(run.learningRate > maxStep && !adam
        ? ['The step size is above the stable one; the simulation takes half the stable one.']
        : []),
    ],
  };
}

function initialLoss(probe: KernelProbe, outputs: Float32Array, loss: ForecastRun['loss']): number {
  let sum = 0;
  if (loss === 'mse') {
    for (const [i, f] of outputs.entries()) sum += (f - probe.targetAt(i)) ** 2 / (2 * outputs.length);
    return sum;
  }
  const O = probe.outputs;
  for (let i = 0; i < outputs.length; i += O) {
    const row = outputs.subarray(i, i + O);
    const most = row.reduce((a, b) => Math.max(a, b));
    const partition = most + Math.log(row.reduce((s, f) => s + Math.exp(f - most), 0));
    for (const [o, f] of row.entries()) sum += (probe.targetAt(i + o) * (partition - f)) / probe.size;
  }
  return sum;
}
