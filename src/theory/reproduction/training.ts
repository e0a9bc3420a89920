import type { DataSpec, ExperimentDefinition, TwoLayerModel } from '../../experiment/definition.js';
import type { Dataset } from '../../network/data/index.js';
import { type BuiltModel, buildModel } from '../../network/models/build.js';
import type * as tf from '../../network/tf.js';
import { type Checkpoint, Evaluator, NeuronMovement, train } from '../../network/training/index.js';
import { PathLinearisation } from '../../network/training/twin/pathLinearisation.js';
import type { MetricsRow } from '../../protocol/records.js';
import type { LearningCurve } from './learningCurve.js';
import type { Stage, StageContext } from './survey.js';

/** One training of an experiment. */
export interface TrainingPlan {
  readonly id: string;
  readonly model: TwoLayerModel;
  readonly data: DataSpec;
  readonly loss: 'mse' | 'crossEntropy';
  readonly optimizer: ExperimentDefinition['optimizer'];
  readonly batch: number;
  /** Length in epochs, or in steps where epochs mean nothing. */
  readonly epochs?: number;
  readonly steps?: number;
  readonly regularization?: ExperimentDefinition['regularization'];
  /** Added to the experiment's seed for the start, where stages shall differ in it. */
  readonly start?: number;
  /** The linearisation at the start, evaluated at the parameters that the network reaches. */
  readonly linearisation?: boolean;
  /** The linearisation at the start, trained on the same batches. */
  readonly twin?: boolean;
  /** Rows of the curve (at most; evaluations never take more than a few per cent of the time). */
  readonly rows?: number;
}

export interface TrainingHooks {
  /** Puts given neurons into the network before it is trained. */
  readonly begin?: (built: BuiltModel, data: Dataset, context: StageContext) => void;
  /** Measures or keeps what the trained network is good for; its numbers join the course's values. */
  readonly end?: (
    built: BuiltModel,
    data: Dataset,
    context: StageContext,
  ) => Readonly<Record<string, number>> | undefined;
  readonly leaves?: boolean;
}

/** Multiply-adds of a step, and of a run: what stages cost relative to each other. */
const costOf = (plan: TrainingPlan, steps: number): number => steps * plan.batch * (plan.model.width + 50);

/**
 * A stage that trains a network and follows loss, accuracy and movement (mean over neurons of the distance from the
 * start). Goes on from the keeper's checkpoint, with the curve so far.
 */
export function trainingStage(plan: TrainingPlan, hooks: TrainingHooks = {}): Stage {
  const perEpoch = (data: Dataset) => Math.floor(data.train.size / Math.min(plan.batch, data.train.size));
  return {
    id: plan.id,
    plan,
    cost: costOf(plan, plan.steps ?? 500 * (plan.epochs ?? 1)),
    leaves: hooks.leaves,
    async run(context): Promise<LearningCurve> {
      const data = context.dataset(plan.data, plan.loss);
      const built = buildModel(plan.model, {
        inputShape: data.inputShape,
        outputs: data.outputs,
        seed: context.seed + (plan.start ?? 0),
      });
      try {
        hooks.begin?.(built, data, context);
        const steps = plan.steps ?? Math.round((plan.epochs ?? 1) * perEpoch(data));
        const course = await new Follower(plan, built, data, context, steps, perEpoch(data)).run();
        if (!course.complete) return course;
        const values = hooks.end?.(built, data, context);
        const whole = values ? { ...course, values: { ...course.values, ...values } } : course;
        context.keeper.keepCourse(plan.id, plan, whole);
        return whole;
      } finally {
        built.model.dispose();
      }
    },
  };
}

/** Trains and writes the curve down. */
class Follower {
  private readonly columns: Record<string, number[]> = {};
  private readonly movement: NeuronMovement;
  private readonly linear: PathLinearisation | null;
  private readonly testSet: Evaluator;
  private readonly started = performance.now();
  private before = 0;

  constructor(
    private readonly plan: TrainingPlan,
    private readonly built: BuiltModel,
    private readonly data: Dataset,
    private readonly context: StageContext,
    private readonly steps: number,
    private readonly perEpoch: number,
  ) {
    this.movement = new NeuronMovement(built);
    this.linear = plan.linearisation ? new PathLinearisation(built) : null;
    this.testSet = new Evaluator(data.test, data, plan.loss);
  }

  async run(): Promise<LearningCurve> {
    const { plan, context, steps } = this;
    const resume = this.earlier();
    const rows = plan.rows ?? 50;
    const loop = train(
      {
        built: this.built,
        data: this.data,
        definition: {
          loss: plan.loss,
          optimizer: plan.optimizer,
          steps,
          batch: plan.batch,
          probe: 1,
          seed: context.seed,
          regularization: plan.regularization,
          measure: {
            kernels: 0,
            twin: plan.twin ?? false,
            metricsEvery: Math.max(1, Math.round(steps / rows)),
            checkpointEvery: Math.max(1, Math.round(steps / 20)),
          },
        },
        resume: resume ?? undefined,
      },
      {
        signal: context.signal,
        gate: (step) => context.progress(step / steps, plan.id),
        onCheckpoint: (checkpoint) => {
          context.keeper.keepCheckpoint(plan.id, checkpoint);
          context.keeper.keepCourse(plan.id, plan, this.course(false));
        },
      },
    );
    try {
      for (;;) {
        const next = await loop.next();
        if (next.done) return this.course(next.value.step >= steps);
        if (next.value.kind === 'metrics') this.row(next.value);
      }
    } finally {
      this.movement.dispose();
      this.linear?.dispose();
      this.testSet.dispose();
    }
  }

  /** The kept checkpoint, with the curve up to it taken over. */
  private earlier(): Checkpoint | null {
    const { keeper } = this.context;
    const kept = keeper.course(this.plan.id, this.plan);
    const checkpoint = kept && !kept.complete ? keeper.checkpoint(this.plan.id) : null;
    if (!kept || !checkpoint) return null;
    const count = kept.columns['step']?.filter((step) => step <= checkpoint.step).length ?? 0;
    for (const [name, values] of Object.entries(kept.columns)) this.columns[name] = values.slice(0, count);
    this.before = kept.seconds;
    return checkpoint;
  }

  /** Only rows that evaluated the test set: the others hold a batch's loss. */
  private row({ step, values }: MetricsRow): void {
    if (values['testLoss'] === undefined) return;
    const moved = this.movement.now();
    const row: Record<string, number> = {
      step,
      epoch: step / this.perEpoch,
      loss: values['loss'],
      testLoss: values['testLoss'],
      movementTheta: moved.theta,
      movementU: moved.u,
    };
    for (const name of ['accuracy', 'twinTestLoss', 'twinAccuracy'])
      if (values[name] !== undefined) row[name] = values[name];
    const { linear } = this;
    if (linear) {
      for (const [name, taken] of [
        ['linear', 'present'],
        ['taylor', 'start'],
      ] as const) {
        const seen = this.testSet.evaluate((x) => linear.predict(x as tf.Tensor2D, taken));
        row[`${name}TestLoss`] = seen.loss;
        if (seen.accuracy !== null) row[`${name}Accuracy`] = seen.accuracy;
      }
    }
    for (const [name, value] of Object.entries(row)) {
      this.columns[name] ??= [];
      this.columns[name].push(value);
    }
  }

  private course(complete: boolean): LearningCurve {
    return {
      columns: this.columns,
      values: {},
      complete,
      seconds: this.before + (performance.now() - this.started) / 1000,
    };
  }
}

/** Last value of a column, NaN when it was never measured. */
export const last = (course: LearningCurve | undefined, column: string): number =>
  course?.columns[column]?.at(-1) ?? Number.NaN;
