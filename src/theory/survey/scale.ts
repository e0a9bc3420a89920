import { curveFigure, digits, paperNet, sizesText } from '../reproduction/mnist.js';
import { conventionTexts, type RateConvention, ratesOf } from '../reproduction/rates.js';
import { expected, falling, shown } from '../reproduction/referenceChecks.js';
import type { Preset, Stage, Survey } from '../reproduction/survey.js';
import { last, trainingStage } from '../reproduction/training.js';

const exponents = [0, 0.3, 0.5, 0.7] as const;
const widths: Readonly<Record<Preset, number>> = { full: 10000, quick: 256 };
const lr = 0.1;

interface Arm {
  readonly convention: RateConvention;
  readonly text: string;
  readonly epochs: Readonly<Record<Preset, number>>;
}

const arms: readonly Arm[] = [
  { convention: 'equal', text: 'ratio 1', epochs: { full: 50, quick: 4 } },
  { convention: 'alpha', text: 'ratio alpha', epochs: { full: 100, quick: 4 } },
];

const stageId = (arm: Arm, t: number): string => `${arm.convention}/alpha=m^${t}`;
const nameOf = (t: number): string => (t === 0 ? 'alpha = 1' : `alpha = m^${t}`);

function stageOf(arm: Arm, t: number, preset: Preset): Stage {
  const width = widths[preset];
  return trainingStage({
    id: stageId(arm, t),
    model: paperNet(width, `m^${t}`),
    data: digits(preset),
    loss: 'crossEntropy',
    optimizer: { kind: 'sgd', ...ratesOf(arm.convention, lr, width, width ** t) },
    batch: 128,
    epochs: arm.epochs[preset],
  });
}

/** Fang, Dong, Zhang 2021: the larger the scale, the less the neurons move. */
export const scale: Survey = {
  id: 'scale',
  title: 'The larger the scale, the less every neuron moves',
  statement:
    'From alpha = 1 (mean field) to alpha = sqrt(m) (tangent kernel) and beyond neurons move less and less at the same width; where alpha sits in the initial u, that is true of u alone.',
  setting: {
    full: `${sizesText.full}; m = 10000, alpha = 1, m^.3, m^.5, m^.7, theta, u ~ N(0, 1), lr .1. Ratio 1 (${conventionTexts.equal}), 50 epochs; ratio alpha (${conventionTexts.alpha}), 100 epochs.`,
    quick: `${sizesText.quick}; m = 256, the same scales and step sizes, 4 epochs.`,
  },
  published: 'Not known here.',
  source: 'Fang, Dong, Zhang 2021',
  stages: (preset) => arms.flatMap((arm) => exponents.map((t) => stageOf(arm, t, preset))),
  conclude(results, preset) {
    const column = (arm: Arm, name: string, whole = false) =>
      exponents.map((t) => {
        const course = results.get(stageId(arm, t));
        return whole && !course?.complete ? Number.NaN : last(course, name);
      });
    const x = exponents.map((t) => widths[preset] ** t);
    return {
      bars: arms.flatMap((arm) => [
        ...exponents.flatMap((t) => {
          const course = results.get(stageId(arm, t));
          const at = `${arm.text}, ${nameOf(t)}`;
          return [
            shown(`${at}: movement of theta`, last(course, 'movementTheta')),
            shown(`${at}: movement of u`, last(course, 'movementU')),
            shown(`${at}: accuracy`, last(course, 'accuracy')),
          ];
        }),
        expected(
          `${arm.text}: movement of u against alpha`,
          'falls as alpha grows',
          column(arm, 'movementU', true),
          falling,
          column(arm, 'movementU', true).at(-1),
        ),
        ...(arm.convention === 'equal'
          ? [
              expected(
                `${arm.text}: movement of theta against alpha`,
                'falls as alpha grows',
                column(arm, 'movementTheta', true),
                falling,
                column(arm, 'movementTheta', true).at(-1),
              ),
            ]
          : []),
      ]),
      note: 'Movement is the mean over neurons of the distance from the start, that of u in units of its start N(0, 1).',
      figures: [
        {
          title: 'Movement against the scale',
          xLabel: 'scale alpha',
          yLabel: 'mean distance from the start',
          logX: true,
          logY: true,
          series: arms.flatMap((arm) => [
            { label: `theta, ${arm.text}`, x, y: column(arm, 'movementTheta'), style: 'line' as const },
            { label: `u, ${arm.text}`, x, y: column(arm, 'movementU'), style: 'dashed' as const },
          ]),
        },
        ...arms.map((arm) =>
          curveFigure(
            `Test accuracy, ${arm.text}`,
            'accuracy',
            exponents.map((t) => ({ label: nameOf(t), course: results.get(stageId(arm, t)) })),
          ),
        ),
      ],
    };
  },
};
