import { ForcedResponse } from '../../../core/dynamics/forcedResponse.js';
import type { Matrix } from '../../../core/linalg/matrix.js';
import type { Dataset } from '../../data/index.js';
import { chainOf } from '../../patterns/denseChain.js';
import type * as tf from '../../tf.js';
import type { TrainingForm } from '../loop/trainingForm.js';
import type { KernelProbe } from '../observe/probe.js';
import type { ExperimentDefinition } from '../spec.js';
import type { GapAt } from './descentAhead.js';
import { relativeGap } from './gaps.js';
import { littleLeft, runAhead, substeps } from './runAhead.js';
import { lookOnSample, sampleSize, saysMore } from './sampleAhead.js';

/**
 * The run is gone through ahead at the start, and again whenever the loss has fallen to this share of what it was then,
 * as long as more than a little is left to learn.
 */
const again = 0.25;

type Rule = Pick<ExperimentDefinition, 'loss' | 'optimizer' | 'noise' | 'regularization' | 'stop' | 'steps'>;

/** Whether the kernels of a run say how its residual goes: gradient descent under squared loss, in batches or not. */
export const followsKernel = (
  { loss, optimizer, noise, regularization }: Omit<Rule, 'steps'>,
  form?: TrainingForm,
): boolean =>
  loss === 'mse' && optimizer.kind !== 'adam' && !noise && !regularization && !form?.penalised.length;

export interface WatchedRun {
  readonly model: tf.LayersModel;
  readonly probe: KernelProbe;
  readonly definition: Rule;
  readonly factors: Readonly<Record<string, number>>;
  /** Base step size. */
  readonly learningRate: number;
  /** Loss at the start, on the training set. */
  readonly initialLoss: number;
  /** Plain descent of one output on the full batch, all of it probes: the measured outputs are what the kernels are about. */
  readonly whole: boolean;
  /** The training set, of which the probe inputs may be a part; null where they stand for it. */
  readonly data: Dataset | null;
}

/**
 * The gap between network and linearisation without a linearised twin: so far, from the kernels that the run measures, or
 * where theory predicts the linearisation on all training inputs, from the outputs; and to the end of the run by leaps
 * ahead. Where the probe inputs are a part of the training inputs, which is learnt sooner than all of them, or there are
 * several outputs, whose mean the kernel is, a chain of dense layers goes ahead on a sample of the training inputs instead,
 * once, if that is not dearer.
 */
export class RegimeWatch {
  private response: ForcedResponse | null = null;
  private kernel: Matrix | null = null;
  private foreseen = 0;
  private measured = 0;
  private last: Matrix | null = null;
  private stiffness = 0;
  /** Gaps of the run that a sample of the training inputs went through ahead. */
  private path: readonly GapAt[] | null = null;
  /** Training inputs that what is foreseen is about. */
  covered = 0;
  /** Share of the squared residual at which the run was last gone through ahead. */
  private lookedAt = Number.POSITIVE_INFINITY;

  constructor(private readonly run: WatchedRun) {}

  /** Largest gap so far. */
  get gap(): number {
    return this.measured || this.foreseenSoFar;
  }

  /**
   * Largest gap that the whole run is expected to reach. Where it was foreseen on some of the training inputs, which are
   * learnt sooner than all of them, it is scaled by how much more the gap measured is than the one foreseen so far.
   */
  get expected(): number {
    const own = this.foreseenSoFar;
    const partial = !this.run.data || this.covered < this.run.data.train.size;
    const scale = partial && this.measured > 0 && own > 0 ? this.measured / own : 1;
    return Math.max(this.gap, scale * this.foreseen);
  }

  private get foreseenSoFar(): number {
    const { response, path } = this;
    return Math.max(response?.gap ?? 0, path ? gapAt(path, response?.step ?? 0) : 0);
  }

  /** Kernel on the probe set at the end of the run to be expected; null before `lookAhead`. */
  get kernelAhead(): Matrix | null {
    return this.last;
  }

  /**
   * Takes the kernel [P, P] and the outputs [P, O] at a step; the first call fixes the start. `linearised` [P, O] is
   * f_lin - y by the kernel of all training inputs, where there is such a prediction.
   */
  follow(step: number, kernel: Matrix, outputs: Float32Array, linearised?: Float64Array): void {
    const { probe, learningRate, definition, whole } = this.run;
    const { optimizer } = definition;
    const targets = Float64Array.from(outputs, (_, i) => probe.targetAt(i));
    if (!this.response || !this.kernel) {
      const start = probe.predictionStart(outputs);
      const rate = learningRate / (probe.size * probe.outputs);
      const momentum = momentumOf(optimizer);
      this.response = new ForcedResponse({ ...start, targets, rate, momentum });
      this.stiffness = (rate * start.values[0]) / (1 - momentum);
    } else if (step > this.response.step) {
      const from = this.response.step;
      const steps = step - from;
      this.response.advance(this.kernel, kernel, substeps(steps, from, 8), (k) => k / steps);
      if (whole) this.response.settle(outputs.map((f, i) => f - targets[i]));
      if (linearised) {
        const predicted = Float32Array.from(linearised, (r, i) => r + targets[i]);
        this.measured = Math.max(this.measured, relativeGap(outputs, predicted));
      }
    }
    this.kernel = kernel;
  }

  /** Goes through the rest of the run ahead of it, when it is time. The weights are left as they were. */
  async lookAhead(): Promise<void> {
    const { response, kernel, run } = this;
    if (!response || !kernel || this.path || response.left > again * this.lookedAt) return;
    const { model, probe, factors, definition, learningRate, initialLoss } = run;
    const { stop, steps } = definition;
    const inTime = stop?.time === undefined ? steps : Math.round(stop.time / learningRate);
    const until = Math.max(stop?.lossFraction ?? 0, (stop?.loss ?? 0) / initialLoss);
    if (response.left <= Math.max(until, littleLeft)) return;
    this.lookedAt = response.left;
    const left = Math.min(steps, inTime) - response.step;
    const size = this.sampleSize(left);
    if (run.data && size > 0) {
      const { momentum } = response.rule;
      const course = { factors, learningRate, momentum, steps: left, until };
      this.path = await lookOnSample(model, run.data, probe, size, course, async () => {
        this.last = await probe.kernelNow();
      });
      this.foreseen = this.path.at(-1)?.gap ?? 0;
      this.covered = size;
      return;
    }
    const ahead = await runAhead(model, probe, response, kernel, { factors, steps: left, until });
    this.foreseen = ahead.gap;
    this.last = ahead.kernel;
    this.covered = probe.size;
  }

  /** Training inputs to go ahead on from the start; 0 where the kernels do. */
  private sampleSize(steps: number): number {
    const { model, probe, data, whole } = this.run;
    if (whole || !data || this.response?.step !== 0 || !chainOf(model)) return 0;
    const weights = model.trainableWeights.reduce((sum, w) => sum + (w.read() as tf.Tensor).size, 0);
    const sizes = { inputs: data.train.size, probes: probe.size, outputs: probe.outputs, weights };
    const size = sampleSize({ ...sizes, stiffness: this.stiffness, steps });
    return saysMore(size, sizes) ? size : 0;
  }
}

/** The gap after `step` steps, between those of the path. */
function gapAt(path: readonly GapAt[], step: number): number {
  let before: GapAt = { step: 0, gap: 0 };
  for (const next of path) {
    if (next.step >= step)
      return before.gap + ((next.gap - before.gap) * (step - before.step)) / (next.step - before.step);
    before = next;
  }
  return before.gap;
}

const momentumOf = (optimizer: ExperimentDefinition['optimizer']): number =>
  optimizer.kind === 'momentum' ? (optimizer.momentum ?? 0.9) : 0;
