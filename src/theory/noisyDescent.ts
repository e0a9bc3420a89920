import type { Matrix } from '../core/linalg/matrix.js';
import { Random } from '../core/random.js';
import type { Dataset } from '../network/data/index.js';
import { cloudOf, particlesOf, placeParticles } from '../network/models/particles.js';
import { Stepper, tensorsOf } from '../network/training/index.js';
import type { ClaimContext } from './claim.js';
import { networkOf, twoLayerNet } from './laboratory.js';

/** Where the neurons w = (u, theta) in three dimensions start: N(0, I), or N((2; 2, -2), .09 I). */
export type NeuronStart = 'near' | 'far';

const laws = { near: { mean: [0, 0, 0], deviation: 1 }, far: { mean: [2, 2, -2], deviation: 0.3 } } as const;

/** Step of every noisy run, in mean-field time. */
export const noisyStep = 0.1;

export interface NoisyRun {
  readonly data: Dataset;
  readonly width: number;
  readonly start: NeuronStart;
  /** L2 on all parameters. */
  readonly lambda: number;
  readonly temperature: number;
  readonly steps: number;
  /** Steps between two looks at the neurons. */
  readonly every: number;
  /** Of the start and of the noise. */
  readonly seed: number | string;
}

/** The neurons at one step. */
export interface NoisyState {
  readonly step: number;
  /** Training time: steps times step size. */
  readonly time: number;
  /** (u, theta) of every neuron, [m, 3]. */
  readonly cloud: Matrix;
  /** sum e^2 / (2 n) + (lambda / 2 m) sum |w|^2. */
  readonly loss: number;
}

/**
 * Noisy gradient descent of f = (1/m) sum u tanh(theta.x) on inputs of the plane: each neuron moves by dt times m times
 * minus the gradient, plus sqrt(2 tau dt) N(0, I) (Mei, Montanari and Nguyen 2018). Looks at the neurons at the start, every
 * so many steps, and at the end.
 */
export async function noisyDescent(run: NoisyRun, context: ClaimContext): Promise<NoisyState[]> {
  const { data, width, lambda, temperature, steps, every } = run;
  const random = new Random(run.seed).fork('noisy');
  const spec = twoLayerNet(width, { scale: 'mean-field', init: 'gaussian', thetaStart: 'unit' });
  const built = networkOf(spec, data, context, random.bits());
  place(built, run.start, random.fork('start'));
  const stepper = new Stepper(
    built,
    {
      loss: 'mse',
      optimizer: { kind: 'sgd', learningRate: noisyStep, stepScale: 'm' },
      regularization: { all: lambda },
      ...(temperature > 0 ? { noise: { temperature } } : {}),
      seed: random.fork('noise').bits(),
    },
    noisyStep,
    context.sabotage,
  );
  const { x, y } = tensorsOf(data.train, data);
  const states: NoisyState[] = [];
  try {
    for (let step = 0; ; step++) {
      if (step % every === 0 || step === steps) {
        context.signal?.throwIfAborted();
        const cloud = cloudOf(particlesOf(built));
        const square = cloud.data.reduce((sum, w) => sum + w * w, 0);
        const loss = stepper.loss(x, y) + (lambda * square) / (2 * width);
        states.push({ step, time: step * noisyStep, cloud, loss });
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (step === steps) return states;
      stepper.step(x, y).dispose();
    }
  } finally {
    x.dispose();
    y.dispose();
    stepper.dispose();
    built.model.dispose();
  }
}

function place(built: Parameters<typeof placeParticles>[0], start: NeuronStart, random: Random): void {
  const { mean, deviation } = laws[start];
  const { width } = particlesOf(built);
  const u = random.fork('u').normals(width, deviation);
  const theta = random.fork('theta').normals(2 * width, deviation);
  placeParticles(built, {
    width,
    dimension: 2,
    outputs: 1,
    u: u.map((v) => mean[0] + v),
    theta: theta.map((v, i) => mean[1 + (i % 2)] + v),
  });
}
