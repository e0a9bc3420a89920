import { matrixFrom } from '../../core/linalg/matrix.js';
import { anglesToRays } from '../../core/measures/index.js';
import { Random } from '../../core/random.js';
import { type BuiltModel, buildModel } from '../../network/models/build.js';
import { particlesOf } from '../../network/models/particles.js';
import * as tf from '../../network/tf.js';
import { NeuronMovement, readCheckpoint, Stepper, takeCheckpoint } from '../../network/training/index.js';
import type { LearningCurve } from './learningCurve.js';
import { paperNet } from './mnist.js';
import type { Stage, StageContext } from './survey.js';

/** The teacher of four sigmoid neurons in the plane, u = 1/4 each. */
export const teacher = {
  theta: [
    [2, 0],
    [1, 2],
    [2, 1],
    [0, 2],
  ],
  u: 0.25,
  inputScale: 100,
  noise: 0.1,
} as const;

export interface TeacherPlan {
  readonly id: string;
  readonly width: number;
  readonly batch: number;
  readonly steps: number;
  /** Step on the mean of (f - y)^2 plus `decay` times the mean of u^2. */
  readonly lr: number;
  readonly decay: number;
  /** Standard deviation of the noise that every step adds to all parameters. */
  readonly noise: number;
}

const testSize = 10000;
const rows = 50;
/** Neurons that count, and how near to a teacher's ray they must be, in radians. */
const important = 1;
const near = 0.1;

const sigmoid = (h: number): number => 1 / (1 + Math.exp(-h));

/** Fresh inputs [n, 2] ~ 100 N(0, I) and the teacher's targets [n, 1], with label noise or without. */
function sample(n: number, random: Random, noise: number): { x: tf.Tensor2D; y: tf.Tensor2D } {
  const x = Float32Array.from(random.normals(2 * n, teacher.inputScale));
  const y = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    for (const [a, b] of teacher.theta) y[i] += teacher.u * sigmoid(a * x[2 * i] + b * x[2 * i + 1]);
    if (noise > 0) y[i] += noise * random.normal();
  }
  return { x: tf.tensor2d(x, [n, 2]), y: tf.tensor2d(y, [n, 1]) };
}

/** Share of the neurons with u >= 1 whose theta lies along a teacher's, and how many those neurons are. */
function onRays(built: BuiltModel): { readonly share: number; readonly count: number } {
  const { width, theta, u } = particlesOf(built);
  const rays = matrixFrom(teacher.theta.length, 2, Float64Array.from(teacher.theta.flat()));
  const { angle } = anglesToRays(matrixFrom(width, 2, theta), rays);
  const counted = Array.from(angle).filter((_, j) => u[j] >= important);
  return { share: counted.filter((a) => a <= near).length / counted.length, count: counted.length };
}

/**
 * A stage that trains a student on fresh samples of the teacher at every step and follows its distance from the
 * noiseless teacher. The batch of a step depends on seed and step alone.
 */
export function teacherStage(plan: TeacherPlan): Stage {
  return {
    id: plan.id,
    plan,
    cost: plan.steps * plan.batch * (plan.width + 30),
    run: (context) => train(plan, context),
  };
}

async function train(plan: TeacherPlan, context: StageContext): Promise<LearningCurve> {
  const { keeper, seed, signal } = context;
  const started = performance.now();
  const random = new Random(seed).fork('reproduce/teacher');
  const built = buildModel(paperNet(plan.width, 1, { activation: 'sigmoid' }), {
    inputShape: [2],
    outputs: 1,
    seed,
  });
  // The training loss is half of the mean square, so the step is twice the authors'.
  const rate = 2 * plan.lr;
  const stepper = new Stepper(
    built,
    {
      loss: 'mse',
      optimizer: { kind: 'sgd', learningRate: rate },
      regularization: plan.decay > 0 ? { readout: plan.decay } : undefined,
      noise: plan.noise > 0 ? { temperature: plan.noise ** 2 / (2 * rate) } : undefined,
      seed,
    },
    rate,
  );
  const movement = new NeuronMovement(built);
  const test = sample(testSize, random.fork('test'), 0);
  const kept = keeper.course(plan.id, plan);
  const columns: Record<string, number[]> = {
    step: [],
    error: [],
    onRays: [],
    important: [],
    movementTheta: [],
  };
  const start = onRays(built);
  let step = 0;
  let before = 0;
  const checkpoint = kept && !kept.complete ? keeper.checkpoint(plan.id) : null;
  if (kept && checkpoint) {
    readCheckpoint(built.model, stepper, checkpoint);
    step = checkpoint.step;
    before = kept.seconds;
    const count = kept.columns['step'].filter((s) => s < step).length;
    for (const name of Object.keys(columns)) columns[name] = kept.columns[name].slice(0, count);
  }
  const course = (complete: boolean): LearningCurve => ({
    columns,
    values: { startOnRays: start.share, startImportant: start.count },
    points: pointsOf(built),
    complete,
    seconds: before + (performance.now() - started) / 1000,
  });
  const save = () => {
    keeper.keepCheckpoint(plan.id, takeCheckpoint(built.model, stepper, step, step * rate));
    keeper.keepCourse(plan.id, plan, course(false));
  };
  const every = Math.max(1, Math.round(plan.steps / rows));
  try {
    for (; ; step++) {
      if (step % every === 0 || step === plan.steps) {
        const { share, count } = onRays(built);
        columns['step'].push(step);
        columns['error'].push(2 * stepper.loss(test.x, test.y));
        columns['onRays'].push(share);
        columns['important'].push(count);
        columns['movementTheta'].push(movement.now().theta);
        if (step > 0 && step < plan.steps && step % (10 * every) === 0) save();
        context.progress(step / plan.steps, plan.id);
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (signal?.aborted && step < plan.steps) {
        save();
        return course(false);
      }
      if (step === plan.steps) return course(true);
      const { x, y } = sample(plan.batch, random.fork(`step ${step}`), teacher.noise);
      stepper.step(x, y).dispose();
      tf.dispose([x, y]);
    }
  } finally {
    movement.dispose();
    stepper.dispose();
    tf.dispose([test.x, test.y]);
    built.model.dispose();
  }
}

/** The neurons as points: theta on both axes, and u. */
function pointsOf(built: BuiltModel): Record<string, number[]> {
  const { width, theta, u } = particlesOf(built);
  return {
    theta1: Array.from({ length: width }, (_, j) => theta[2 * j]),
    theta2: Array.from({ length: width }, (_, j) => theta[2 * j + 1]),
    u: Array.from(u),
  };
}
