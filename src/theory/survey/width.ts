import { curveFigure, digits, paperNet, sizesText } from '../reproduction/mnist.js';
import { conventionTexts, type RateConvention, ratesOf } from '../reproduction/rates.js';
import {
  expected,
  falling,
  nearAccuracy,
  nearMovement,
  rising,
  shown,
} from '../reproduction/referenceChecks.js';
import type { Preset, ReferenceCheck, Results, Stage, Survey } from '../reproduction/survey.js';
import { last, trainingStage } from '../reproduction/training.js';

const widths: Readonly<Record<Preset, readonly number[]>> = {
  full: [100, 1000, 10000],
  quick: [64, 256, 768],
};
const epochs: Readonly<Record<Preset, number>> = { full: 50, quick: 5 };

/** Published for ratio 1 and lr 1, .316, .1, at the full widths. */
const published = {
  theta: [11.92, 3.87, 1.43],
  u: [11.57, 3.73, 0.99],
  accuracy: [0.9629, 0.9676, 0.9697],
} as const;

interface Arm {
  readonly id: string;
  readonly text: string;
  readonly convention: RateConvention;
  readonly lr: (width: number) => number;
}

const arms: readonly Arm[] = [
  { id: 'ratio-1', text: 'ratio 1, lr 10/sqrt m', convention: 'equal', lr: (m) => 10 / Math.sqrt(m) },
  { id: 'ratio-1-fixed', text: 'ratio 1, lr .1', convention: 'equal', lr: () => 0.1 },
  { id: 'standard', text: 'ratio m/alpha, lr .1', convention: 'm/alpha', lr: () => 0.1 },
];

const stageId = (arm: Arm, width: number): string => `${arm.id}/m=${width}`;

const stageOf = (arm: Arm, width: number, preset: Preset): Stage => {
  const alpha = Math.sqrt(width);
  return trainingStage({
    id: stageId(arm, width),
    model: paperNet(width, alpha),
    data: digits(preset),
    loss: 'crossEntropy',
    optimizer: { kind: 'sgd', ...ratesOf(arm.convention, arm.lr(width), width, alpha) },
    batch: 128,
    epochs: epochs[preset],
  });
};

function checksOf(arm: Arm, results: Results, preset: Preset): ReferenceCheck[] {
  const courses = widths[preset].map((m) => results.get(stageId(arm, m)));
  const whole = courses.map((c) => (c?.complete ? c : undefined));
  const column = (name: string) => whole.map((c) => last(c, name));
  const own = arm === arms[0];
  const rows = widths[preset].flatMap((m, i) => {
    const at = `${arm.text}, m = ${m}`;
    // The quick widths are others: nothing is published for them.
    if (!own || preset !== 'full')
      return [
        shown(`${at}: movement of theta`, last(courses[i], 'movementTheta')),
        shown(`${at}: movement of u`, last(courses[i], 'movementU')),
        shown(`${at}: accuracy`, last(courses[i], 'accuracy')),
      ];
    return [
      nearMovement(
        `${at}: movement of theta`,
        last(courses[i], 'movementTheta'),
        published.theta[i],
        preset,
        courses[i],
      ),
      nearMovement(`${at}: movement of u`, last(courses[i], 'movementU'), published.u[i], preset, courses[i]),
      nearAccuracy(
        `${at}: accuracy`,
        last(courses[i], 'accuracy'),
        published.accuracy[i],
        preset,
        courses[i],
      ),
    ];
  });
  rows.push(
    expected(
      `${arm.text}: movement of theta against width`,
      'falls as the width grows',
      column('movementTheta'),
      falling,
      last(whole[whole.length - 1], 'movementTheta'),
    ),
  );
  if (own)
    rows.push(
      expected(
        `${arm.text}: movement of u against width`,
        'falls as the width grows',
        column('movementU'),
        falling,
        last(whole[whole.length - 1], 'movementU'),
      ),
      expected(
        `${arm.text}: accuracy against width`,
        // A few hundred steps and 2,000 test digits do not tell neighbouring widths apart.
        preset === 'full' ? 'rises with the width' : 'the widest at least as good as the narrowest',
        column('accuracy'),
        preset === 'full' ? rising : (...values) => (values.at(-1) as number) >= values[0],
        last(whole[whole.length - 1], 'accuracy'),
      ),
    );
  return rows;
}

/** Fang, Dong, Zhang 2021: at alpha = sqrt(m) the wider network moves less and does better. */
export const width: Survey = {
  id: 'width',
  title: 'The wider, the less every neuron moves',
  statement:
    'At alpha = sqrt(m) every neuron moves the less the more there are, while the accuracy grows; how fast depends on the convention for the step sizes.',
  setting: {
    full: `${sizesText.full}; m = ${widths.full.join(', ')}, alpha = sqrt(m), theta, u ~ N(0, 1), ${epochs.full} epochs. Ratio 1 (${conventionTexts.equal}) with lr 1, .316, .1 and with lr .1; ratio m/alpha (${conventionTexts['m/alpha']}) with lr .1.`,
    quick: `${sizesText.quick}; m = ${widths.quick.join(', ')}, ${epochs.quick} epochs; the same step sizes, lr 10/sqrt(m) for the first.`,
  },
  published:
    'Ratio 1, lr 1/.316/.1, m = 100/1000/10000: movement of theta 11.92/3.87/1.43, of u 11.57/3.73/.99, accuracy .9629/.9676/.9697. Values of the other two conventions are not known here.',
  source: 'Fang, Dong, Zhang 2021',
  stages: (preset) => arms.flatMap((arm) => widths[preset].map((m) => stageOf(arm, m, preset))),
  conclude(results, preset) {
    const movement = (arm: Arm, column: string) =>
      widths[preset].map((m) => last(results.get(stageId(arm, m)), column));
    const x = [...widths[preset]];
    return {
      bars: arms.flatMap((arm) => checksOf(arm, results, preset)),
      note: 'Movement is the mean over neurons of the distance from the start.',
      figures: [
        {
          title: 'Movement against width',
          xLabel: 'width m',
          yLabel: 'mean distance from the start',
          logX: true,
          logY: true,
          series: [
            ...arms.flatMap((arm) => [
              { label: `theta, ${arm.text}`, x, y: movement(arm, 'movementTheta'), style: 'line' as const },
              { label: `u, ${arm.text}`, x, y: movement(arm, 'movementU'), style: 'line' as const },
            ]),
            { label: 'published, theta', x: [...widths.full], y: [...published.theta], style: 'dots' },
            { label: 'published, u', x: [...widths.full], y: [...published.u], style: 'dots' },
          ],
        },
        ...arms.map((arm) =>
          curveFigure(
            `Test accuracy, ${arm.text}`,
            'accuracy',
            widths[preset].map((m, i) => ({
              label: `m = ${m}`,
              course: results.get(stageId(arm, m)),
              ...(arm === arms[0] && preset === 'full' ? { published: published.accuracy[i] } : {}),
            })),
          ),
        ),
      ],
    };
  },
};
