import { ForcedResponse } from '../../core/dynamics/forcedResponse.js';
import type { Matrix } from '../../core/linalg/matrix.js';
import type { ExperimentDefinition } from '../../experiment/definition.js';
import type * as tf from '../tf.js';
import { relativeGap } from './gaps.js';
import type { KernelProbe } from './probe.js';
import { littleLeft, runAhead, substeps } from './runAhead.js';

/**
 * The run is gone through ahead at the start, and again whenever the loss has fallen to this share of what it was then,
 * as long as more than a little is left to learn.
 */
const again = 0.25;

type Rule = Pick<ExperimentDefinition, 'loss' | 'optimizer' | 'noise' | 'regularization' | 'stop' | 'steps'>;

/** Whether the kernels of a run say how its residual goes: gradient descent under squared loss, in batches or not. */
export const followsKernel = ({ loss, optimizer, noise, regularization }: Omit<Rule, 'steps'>): boolean =>
  loss === 'mse' && optimizer.kind !== 'adam' && !noise && !regularization;

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
}

/**
 * The gap between network and linearisation without a linearised twin: so far, from the kernels that the run measures, or
 * where theory predicts the linearisation on all training inputs, from the outputs; and to the end of the run by leaps
 * ahead.
 */
export class RegimeWatch {
  private response: ForcedResponse | null = null;
  private kernel: Matrix | null = null;
  private foreseen = 0;
  private measured = 0;
  private last: Matrix | null = null;
  /** Share of the squared residual at which the run was last gone through ahead. */
  private lookedAt = Number.POSITIVE_INFINITY;

  constructor(private readonly run: WatchedRun) {}

  /** Largest gap so far. */
  get gap(): number {
    return this.measured || (this.response?.gap ?? 0);
  }

  /**
   * Largest gap that the whole run is expected to reach. Where the probe inputs are some of the training inputs, which
   * are learnt sooner than all of them, what is foreseen is scaled by how much more the gap measured is than the kernels'.
   */
  get expected(): number {
    const own = this.response?.gap ?? 0;
    const scale = this.measured > 0 && own > 0 ? this.measured / own : 1;
    return Math.max(this.gap, scale * this.foreseen);
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
      this.response = new ForcedResponse({
        ...probe.predictionStart(outputs),
        targets,
        rate: learningRate / (probe.size * probe.outputs),
        momentum: optimizer.kind === 'momentum' ? (optimizer.momentum ?? 0.9) : 0,
      });
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
    const { response, kernel } = this;
    if (!response || !kernel || response.left > again * this.lookedAt) return;
    const { model, probe, factors, definition, learningRate, initialLoss } = this.run;
    const { stop, steps } = definition;
    const inTime = stop?.time === undefined ? steps : Math.round(stop.time / learningRate);
    const until = Math.max(stop?.lossFraction ?? 0, (stop?.loss ?? 0) / initialLoss);
    if (response.left <= Math.max(until, littleLeft)) return;
    this.lookedAt = response.left;
    const left = Math.min(steps, inTime) - response.step;
    const ahead = await runAhead(model, probe, response, kernel, { factors, steps: left, until });
    this.foreseen = ahead.gap;
    this.last = ahead.kernel;
  }
}
