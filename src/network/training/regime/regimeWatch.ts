import { ResidualDynamics, substeps } from '../../../core/dynamics/residualDynamics.js';
import { type Matrix, matrix } from '../../../core/linalg/matrix.js';
import type { Dataset } from '../../data/index.js';
import * as tf from '../../tf.js';
import type { WatchState } from '../loop/recorderState.js';
import type { TrainingForm } from '../loop/trainingForm.js';
import { yieldToEventLoop } from '../loop/yieldToEventLoop.js';
import type { KernelProbe } from '../observe/probe.js';
import type { ExperimentDefinition } from '../spec.js';
import { descendAhead, type GapAt } from './descent.js';
import { relativeGap } from './gaps.js';
import { costOf, fewest, sampleOf, sampleSize } from './sample.js';

type Rule = Pick<ExperimentDefinition, 'loss' | 'optimizer' | 'noise' | 'regularization' | 'stop' | 'steps'>;

/** Whether a run is one that the linearisation goes too: gradient descent, with momentum or in batches or not. */
export const isForeseen = (
  { optimizer, noise, regularization }: Pick<Rule, 'optimizer' | 'noise' | 'regularization'>,
  form?: TrainingForm,
): boolean => optimizer.kind !== 'adam' && !noise && !regularization && !form?.penalised.length;

/** Whether the kernels of a run say how its residual goes: such a run under squared loss. */
export const followsKernel = (rule: Omit<Rule, 'steps' | 'stop'>, form?: TrainingForm): boolean =>
  rule.loss === 'mse' && isForeseen(rule, form);

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
  readonly data: Dataset;
  /** Training inputs of one step. */
  readonly batch: number;
  /** Simulates the run even where that takes more than its share of it. */
  readonly atAnyPrice?: boolean;
  /** Whether the probe inputs stand for the training set. */
  readonly probesOnly?: boolean;
}

/**
 * The gap between network and linearisation without a linearised twin. So far: from the kernels that the run measures, or
 * where theory predicts the linearisation on all training inputs, from the outputs. To the end of the run: by descent ahead
 * on a sample of the training inputs, once, before the first step.
 */
export class RegimeWatch {
  private dynamics: ResidualDynamics | null = null;
  private kernel: Matrix | null = null;
  private measured = 0;
  private step = 0;
  private stiffness = 0;
  private path: readonly GapAt[] = [];
  private lookedAhead = false;
  /** Training inputs that what is foreseen is about. */
  private covered = 0;

  constructor(private readonly run: WatchedRun) {}

  /** Largest gap so far. */
  get gap(): number {
    return this.measured || Math.max(this.dynamics?.gap ?? 0, gapAt(this.path, this.step));
  }

  /**
   * Largest gap that the whole run is expected to reach. Where it was foreseen on some of the training inputs, which are
   * learnt sooner than all of them, it is scaled by how much more the gap measured is than the one foreseen so far.
   */
  get expected(): number | undefined {
    if (this.path.length === 0) return undefined;
    const soFar = gapAt(this.path, this.step);
    const partial = this.covered < this.run.data.train.size;
    const scale = partial && this.measured > 0 && soFar > 0 ? this.measured / soFar : 1;
    return Math.max(this.gap, scale * (this.path.at(-1)?.gap ?? 0));
  }

  /**
   * Takes the kernel [P, P] and the outputs [P, O] at a step; the first call fixes the start. `linearised` [P, O] is
   * f_lin - y by the kernel of all training inputs, where there is such a prediction.
   */
  follow(step: number, kernel: Matrix, outputs: Float32Array, linearised?: Float64Array): void {
    const { probe, learningRate, definition, whole } = this.run;
    const targets = Float64Array.from(outputs, (_, i) => probe.targetAt(i));
    this.step = step;
    if (!this.kernel) {
      const start = probe.predictionStart(outputs);
      const momentum = momentumOf(definition.optimizer);
      const squared = definition.loss === 'mse';
      const rate = learningRate / (probe.size * (squared ? probe.outputs : 1));
      this.stiffness = ((squared ? 1 : 0.5) * rate * start.values[0]) / (1 - momentum);
      if (squared) this.dynamics = new ResidualDynamics({ ...start, targets, rate, momentum });
    } else if (this.dynamics && step > this.dynamics.step) {
      const from = this.dynamics.step;
      const steps = step - from;
      this.dynamics.advance(this.kernel, kernel, substeps(steps, from, 8), (k) => k / steps);
      if (whole) this.dynamics.settle(outputs.map((f, i) => f - targets[i]));
      if (linearised) {
        const predicted = Float32Array.from(linearised, (r, i) => r + targets[i]);
        this.measured = Math.max(this.measured, relativeGap(outputs, predicted));
      }
    }
    this.kernel = kernel;
  }

  state(): WatchState {
    const { dynamics, kernel, measured, step, path, lookedAhead, covered } = this;
    return {
      dynamics: dynamics?.state() ?? null,
      kernel: kernel?.data.slice() ?? null,
      measured,
      step,
      path,
      lookedAhead,
      covered,
    };
  }

  /** Goes on from a state; `follow` has taken the start of the same run before. */
  restore({ dynamics, kernel, measured, step, path, lookedAhead, covered }: WatchState): void {
    if (dynamics) this.dynamics?.restore(dynamics);
    const P = Math.sqrt(kernel?.length ?? 0);
    this.kernel = kernel && matrix(P, P, kernel);
    this.measured = measured;
    this.step = step;
    this.path = path;
    this.lookedAhead = lookedAhead;
    this.covered = covered;
    // The run looked ahead at its start, or was too short for it; from here it would go another way.
    this.lookedAhead = true;
  }

  /** Goes through the run ahead of it, once. The weights of the model stay what they are. */
  async lookAhead(): Promise<void> {
    if (!this.kernel || this.lookedAhead) return;
    this.lookedAhead = true;
    const { model, probe, factors, definition, learningRate, initialLoss, data, batch } = this.run;
    const { stop, loss } = definition;
    const inTime = stop?.time === undefined ? definition.steps : Math.round(stop.time / learningRate);
    const steps = Math.min(definition.steps, inTime);
    const until = Math.max(stop?.lossFraction ?? 0, (stop?.loss ?? 0) / initialLoss);
    if (steps < 1 || until >= 1) return;
    const { stiffness } = this;
    const inputs = this.run.probesOnly ? probe.size : data.train.size;
    const affordable = sampleSize({ loss, inputs, batch, cost: costOf(model), stiffness, steps });
    // Before training something is said at any price; during it, the gap so far will do.
    const size = affordable || (this.run.atAnyPrice ? Math.min(inputs, fewest) : 0);
    if (size === 0) return;
    const { x, y, rows } = sampleOf(data, probe, size);
    try {
      const momentum = momentumOf(definition.optimizer);
      const run = { loss, factors, learningRate, momentum, steps, until };
      this.path = await descendAhead(model, { x, y, rows }, run, yieldToEventLoop);
      this.covered = size;
    } finally {
      tf.dispose([x, y]);
    }
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
