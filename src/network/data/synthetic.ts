import { Random } from '../../core/random.js';
import type { ActivationName } from '../models/spec.js';
import { type DataContext, type Dataset, type Split, targetsOf } from './dataset.js';
import type { DataSpec } from './spec.js';

type TeacherSpec = Extract<DataSpec, { kind: 'teacher' }>;
type MixtureSpec = Extract<DataSpec, { kind: 'gaussianMixture' }>;
type Target = (x: Float64Array) => number;

const scalar: Readonly<Partial<Record<ActivationName, (h: number) => number>>> = {
  tanh: Math.tanh,
  sigmoid: (h) => 1 / (1 + Math.exp(-h)),
  relu: (h) => Math.max(0, h),
  identity: (h) => h,
  sin: Math.sin,
  cos: Math.cos,
};

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < b.length; i++) sum += a[i] * b[i];
  return sum;
};

/** The noiseless function that a teacher spec names. */
export function teacherTarget(spec: TeacherSpec, random: Random): Target {
  const d = spec.dimension;
  if (spec.target === 'network') {
    const { theta, u, activation } = spec.neurons ?? { theta: [], u: [], activation: 'tanh' };
    const phi = scalar[activation] ?? Math.tanh;
    return (x) => theta.reduce((sum, t, j) => sum + u[j] * phi(dot(x, t)), 0);
  }
  const w = random.normals(d);
  const norm = Math.sqrt(dot(w, w));
  for (let i = 0; i < d; i++) w[i] /= norm;
  if (spec.target === 'interaction')
    return (x) => Math.tanh(1.5 * dot(x, w)) + (0.3 * x[0] * x[1]) / Math.sqrt(d);
  const slope = spec.slope ?? 3;
  return (x) => Math.tanh(slope * dot(x, w));
}

/** Inputs N(0, s^2 I) (or rescaled to norm sqrt d) and a teacher's targets; noise on the training targets only. */
export function loadTeacher(spec: TeacherSpec, context: DataContext): Dataset {
  const random = new Random(spec.seed ?? context.seed).fork('data/teacher');
  const target = teacherTarget(spec, random.fork('teacher'));
  const d = spec.dimension;
  const part = (size: number, stream: Random, noise: number): Split => {
    const x = new Float32Array(size * d);
    const y = new Float32Array(size);
    for (let i = 0; i < size; i++) {
      const row = stream.normals(d, spec.inputScale ?? 1);
      if (spec.inputs === 'sphere') {
        const scale = Math.sqrt(d / dot(row, row));
        for (let k = 0; k < d; k++) row[k] *= scale;
      }
      x.set(row, i * d);
      y[i] = target(row) + (noise > 0 ? noise * stream.normal() : 0);
    }
    return { size, x, y, labels: null };
  };
  const train = part(spec.train ?? 256, random.fork('train'), spec.noise ?? 0);
  const test = part(spec.test ?? 256, random.fork('test'), 0);
  const order = spec.shuffleLabels ? random.fork('labels').permutation(train.size) : null;
  const y = order ? Float32Array.from(order, (i) => train.y[i]) : train.y;
  return { name: 'teacher', inputShape: [d], outputs: 1, classes: null, train: { ...train, y }, test };
}

/** Classes as unit Gaussians around seeded means at distance `separation` from the origin. */
export function loadGaussianMixture(spec: MixtureSpec, context: DataContext): Dataset {
  const random = new Random(spec.seed ?? context.seed).fork('data/mixture');
  const { dimension: d, classes } = spec;
  const means = Array.from({ length: classes }, (_, c) => {
    const direction = random.fork(`mean${c}`).normals(d);
    const norm = Math.sqrt(dot(direction, direction));
    return direction.map((v) => (v / norm) * spec.separation);
  });
  const part = (size: number, stream: Random): Split & { outputs: number } => {
    const labels = Int32Array.from({ length: size }, (_, i) => i % classes);
    const x = new Float32Array(size * d);
    for (let i = 0; i < size; i++) {
      const mean = means[labels[i]];
      for (let k = 0; k < d; k++) x[i * d + k] = mean[k] + stream.normal();
    }
    return { size, x, labels, ...targetsOf(labels, classes, context.loss) };
  };
  const train = part(spec.train ?? 256, random.fork('train'));
  const test = part(spec.test ?? 256, random.fork('test'));
  return { name: 'gaussianMixture', inputShape: [d], outputs: train.outputs, classes, train, test };
}
