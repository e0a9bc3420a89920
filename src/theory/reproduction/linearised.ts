import type { TwoLayerModel } from '../../experiment/definition.js';
import type { Figure } from '../figure.js';
import type { LearningCurve } from './learningCurve.js';
import { curveFigure, digits, paperNet } from './mnist.js';
import { ratesOf } from './rates.js';
import { shown } from './referenceChecks.js';
import type { Preset, ReferenceCheck, Results, Stage } from './survey.js';
import { last, trainingStage } from './training.js';

/** Experiments that set a network beside its linearisation; the standard convention, alpha = sqrt(m). */

export interface LinearisedArm {
  readonly id: string;
  readonly text: string;
  readonly lr: number;
  readonly momentum?: number;
  readonly thetaStart?: TwoLayerModel['thetaStart'];
  /** Quick runs train a twin beside as well: it costs twice the network's time. */
  readonly twin?: boolean;
}

export const linearisationText =
  'Beside it the linearisation at the start at the parameters that the network reaches, f_0 + J (theta - theta_0) with the present u before the displacement of theta, as the authors compare';

export function linearisedStage(arm: LinearisedArm, width: number, epochs: number, preset: Preset): Stage {
  const rates = ratesOf('m/alpha', arm.lr, width, Math.sqrt(width));
  const { momentum = 0 } = arm;
  return trainingStage({
    id: arm.id,
    model: paperNet(width, 'ntk', { thetaStart: arm.thetaStart ?? 'unit' }),
    data: digits(preset),
    loss: 'crossEntropy',
    optimizer: momentum > 0 ? { kind: 'momentum', momentum, ...rates } : { kind: 'sgd', ...rates },
    batch: 128,
    epochs,
    linearisation: true,
    twin: preset === 'quick' && arm.twin === true,
    rows: Math.min(25, epochs),
  });
}

/** Accuracy of the network less that of its linearisation at the end. */
export const linearisationGap = (course: LearningCurve | undefined): number =>
  course?.complete ? last(course, 'accuracy') - last(course, 'linearAccuracy') : Number.NaN;

/** |L_lin - L| / L of the test losses at the end. */
export const lossGap = (course: LearningCurve | undefined): number => {
  const loss = last(course, 'testLoss');
  return course?.complete ? Math.abs(last(course, 'linearTestLoss') - loss) / loss : Number.NaN;
};

/** What both came to at the end, shown without a bar. */
export const linearisedOutcome = (
  arm: LinearisedArm,
  course: LearningCurve | undefined,
): ReferenceCheck[] => [
  shown(`${arm.text}: accuracy`, last(course, 'accuracy')),
  shown(`${arm.text}: accuracy of the linearisation`, last(course, 'linearAccuracy')),
  shown(`${arm.text}: movement of theta`, last(course, 'movementTheta')),
];

export function linearisedFigures(arms: readonly LinearisedArm[], results: Results): Figure[] {
  const curves = (network: string, linear: string) =>
    arms.flatMap((arm) => {
      const course = results.get(arm.id);
      return [
        { label: `network, ${arm.text}`, course, column: network },
        { label: `linearisation, ${arm.text}`, course, column: linear, style: 'dashed' as const },
      ];
    });
  return [
    curveFigure('Test accuracy, network and linearisation', 'accuracy', curves('accuracy', 'linearAccuracy')),
    curveFigure('Test loss, network and linearisation', 'testLoss', curves('testLoss', 'linearTestLoss'), {
      y: true,
    }),
    curveFigure(
      'Movement of theta, mean over neurons',
      'movementTheta',
      arms.map((arm) => ({ label: arm.text, course: results.get(arm.id) })),
    ),
  ];
}
