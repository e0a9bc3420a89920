import { median } from '../../core/stats/index.js';
import type { Figure, FigureSeries } from '../figure.js';
import type { LearningCurve } from '../reproduction/learningCurve.js';
import { curveFigure } from '../reproduction/mnist.js';
import { expected, falling, nearMovement, shown } from '../reproduction/referenceChecks.js';
import type { Preset, Survey } from '../reproduction/survey.js';
import { type TeacherPlan, teacher, teacherStage } from '../reproduction/teacher.js';
import { last } from '../reproduction/training.js';

const widths = [4, 8, 40] as const;
const published = [5.6e-3, 7.6e-5, 9.8e-6] as const;
const many = 400;

const sizes: Readonly<
  Record<Preset, { readonly batch: number; readonly steps: number; readonly particleSteps: number }>
> = {
  full: { batch: 10000, steps: 10000, particleSteps: 10000 },
  quick: { batch: 1000, steps: 2500, particleSteps: 8000 },
};

const plans = (preset: Preset): readonly TeacherPlan[] => {
  const { batch, steps, particleSteps } = sizes[preset];
  const common = { batch, lr: 10, decay: 0, noise: 0 };
  const crowd = { ...common, batch: 1000, width: many, steps: particleSteps, decay: 1e-2 };
  return [
    ...widths.map((width) => ({ ...common, id: `m=${width}`, width, steps })),
    { ...crowd, id: 'particles' },
    { ...crowd, id: 'particles-noise', noise: 1e-2 },
  ];
};

/** Error over the last fifth of the run: single steps scatter with their batch. */
const settled = (course: LearningCurve | undefined): number => {
  const error = course?.columns['error'];
  return error && error.length > 0 ? median(error.slice(-Math.ceil(error.length / 5))) : Number.NaN;
};

function particleFigure(title: string, course: LearningCurve | undefined): Figure {
  const { theta1 = [], theta2 = [], u = [] } = course?.points ?? {};
  const part = (label: string, keep: (u: number) => boolean): FigureSeries => ({
    label,
    x: theta1.filter((_, j) => keep(u[j])),
    y: theta2.filter((_, j) => keep(u[j])),
    style: 'dots',
  });
  const reach = Math.max(1, ...theta1.map(Math.abs), ...theta2.map(Math.abs));
  return {
    title,
    xLabel: 'theta 1',
    yLabel: 'theta 2',
    series: [
      part('neurons with u < 1', (value) => value < 1),
      part('neurons with u >= 1', (value) => value >= 1),
      ...teacher.theta.map(([a, b]) => {
        const stretch = reach / Math.hypot(a, b);
        return {
          label: `ray of (${a}, ${b})`,
          x: [0, a * stretch],
          y: [0, b * stretch],
          style: 'dashed' as const,
        };
      }),
    ],
  };
}

/** Fang, Dong, Zhang 2021: width fits the teacher, and a regularised crowd of neurons gathers on its rays. */
export const meanField: Survey = {
  id: 'mean-field',
  title: 'A crowd of neurons finds the teacher',
  statement:
    'Students of more neurons fit a four-neuron teacher better, and with L2 on u the neurons of a wide student that count gather on the rays of the teacher.',
  setting: {
    full: 'Teacher of 4 sigmoid neurons (2,0), (1,2), (2,1), (0,2), u = 1/4, x ~ 100 N(0, I), label noise .1; student f = (1/m) sum u sigmoid(theta.x), start N(0, 1), lr 10 on mean (f - y)^2, 10000 steps on fresh samples, 10000 a step at m = 4, 8, 40, and 1000 a step at m = 400 with 1e-2 mean u^2, without noise and with N(0, (1e-2)^2) added to all parameters at every step. Error against the noiseless teacher on 10000 inputs, median over the last fifth of the run.',
    quick: 'The same with 1000 fresh samples a step; 2500 steps for m = 4, 8, 40 and 8000 for m = 400.',
  },
  published:
    'Test error 5.6e-3 / 7.6e-5 / 9.8e-6 at m = 4 / 8 / 40; at m = 400 the particles lie on the rays of the teacher, with noise as without.',
  source: 'Fang, Dong, Zhang 2021',
  stages: (preset) => plans(preset).map(teacherStage),
  conclude(results, preset) {
    const errors = widths.map((m) => settled(results.get(`m=${m}`)));
    const whole = widths.map((m, i) => (results.get(`m=${m}`)?.complete ? errors[i] : Number.NaN));
    const share = (id: string) => {
      const course = results.get(id);
      return course?.complete ? last(course, 'onRays') : Number.NaN;
    };
    const onRays = (name: string, id: string) =>
      expected(
        name,
        'at least .95 of the neurons with u >= 1 within .1 rad of a ray',
        [share(id)],
        (v) => v >= 0.95,
      );
    return {
      bars: [
        ...widths.map((m, i) =>
          nearMovement(`test error, m = ${m}`, errors[i], published[i], preset, undefined),
        ),
        expected(
          'test error against width',
          'falls from m = 4 to 8 to 40, at least tenfold in all',
          whole,
          (a, b, c) => falling(a, b, c) && a >= 10 * c,
          whole[0] / whole[2],
        ),
        shown(
          'share of important neurons on the rays at the start',
          results.get('particles')?.values['startOnRays'],
        ),
        onRays('particles on the rays, without noise', 'particles'),
        expected(
          'particles on the rays, with noise',
          'at least three times the share at the start (noise keeps a cloud around the rays)',
          [share('particles-noise'), results.get('particles-noise')?.values['startOnRays'] ?? Number.NaN],
          (end, start) => end >= 3 * start,
        ),
      ],
      note: 'The error of one start depends on where its few neurons begin: the order of the widths is judged, not the value.',
      figures: [
        curveFigure(
          'Test error, against the noiseless teacher',
          'error',
          widths.map((m, i) => ({
            label: `m = ${m}`,
            course: results.get(`m=${m}`),
            ...(preset === 'full' ? { published: published[i] } : {}),
          })),
          { y: true },
        ),
        curveFigure('Share of important neurons on the rays', 'onRays', [
          { label: 'without noise', course: results.get('particles') },
          { label: 'with noise', course: results.get('particles-noise') },
        ]),
        particleFigure('Neurons at the end, without noise', results.get('particles')),
        particleFigure('Neurons at the end, with noise', results.get('particles-noise')),
      ],
    };
  },
};
