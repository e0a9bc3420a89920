import {
  type LinearisedArm,
  linearisationGap,
  linearisationText,
  linearisedFigures,
  linearisedStage,
  lossGap,
} from '../reproduction/linearised.js';
import { sizesText } from '../reproduction/mnist.js';
import { conventionTexts } from '../reproduction/rates.js';
import { expected, falling, nearAccuracy, nearMovement, shown } from '../reproduction/referenceChecks.js';
import type { Preset, Survey } from '../reproduction/survey.js';
import { last } from '../reproduction/training.js';

const rates = [1, 0.1, 0.01] as const;
const arms: readonly LinearisedArm[] = rates.map((lr) => ({
  id: `lr=${lr}`,
  text: `lr ${lr}`,
  lr,
  twin: true,
}));
const width: Readonly<Record<Preset, number>> = { full: 5000, quick: 512 };
const epochs: Readonly<Record<Preset, number>> = { full: 100, quick: 6 };

const published = { theta: [0.71, 0.0256, 0.0098], accuracy: 0.97, linearAtLarge: 0.963 } as const;

/** Fang, Dong, Zhang 2021: a large step takes the network out of the region in which it is linear. */
export const learningRate: Survey = {
  id: 'learning-rate',
  title: 'A large step leaves the tangent space',
  statement:
    'With small steps a wide network is its linearisation; with a large one the neurons move further and the two part, at about the same accuracy of the network.',
  setting: {
    full: `${sizesText.full}; m = 5000, alpha = sqrt(m), ${conventionTexts['m/alpha']}; theta ~ N(0, 1), lr 1, .1, .01, 100 epochs. ${linearisationText}.`,
    quick: `${sizesText.quick}; m = 512, 6 epochs, the same step sizes, with a twin that is trained on the same batches as well.`,
  },
  published:
    'Accuracy about .970 for all three; linearisation .963 at lr 1, that of the network at .1 and .01; movement of theta .710 / .0256 / .0098.',
  source: 'Fang, Dong, Zhang 2021',
  stages: (preset) => arms.map((arm) => linearisedStage(arm, width[preset], epochs[preset], preset)),
  conclude(results, preset) {
    const courses = arms.map((arm) => results.get(arm.id));
    const moved = courses.map((c) => (c?.complete ? last(c, 'movementTheta') : Number.NaN));
    const gaps = courses.map(lossGap);
    return {
      bars: [
        ...arms.flatMap((arm, i) => [
          nearMovement(
            `${arm.text}: movement of theta`,
            last(courses[i], 'movementTheta'),
            published.theta[i],
            preset,
            courses[i],
          ),
          nearAccuracy(
            `${arm.text}: accuracy`,
            last(courses[i], 'accuracy'),
            published.accuracy,
            preset,
            courses[i],
          ),
          ...(i === 0
            ? [
                nearAccuracy(
                  `${arm.text}: accuracy of the linearisation`,
                  last(courses[i], 'linearAccuracy'),
                  published.linearAtLarge,
                  preset,
                  courses[i],
                ),
              ]
            : [
                expected(
                  `${arm.text}: accuracy of network less linearisation`,
                  'the same to half a point',
                  [linearisationGap(courses[i])],
                  (gap) => Math.abs(gap) <= 0.005,
                ),
              ]),
          ...(preset === 'quick'
            ? [shown(`${arm.text}: accuracy of the trained twin`, last(courses[i], 'twinAccuracy'))]
            : []),
          shown(`${arm.text}: accuracy of the first-order expansion`, last(courses[i], 'taylorAccuracy')),
        ]),
        expected('movement of theta against the step', 'falls with the step', moved, falling, moved[0]),
        expected(
          'gap of the test losses against the step',
          'largest at the largest step',
          gaps,
          (large, middle, small) => large > middle && large > small,
          gaps[0],
        ),
      ],
      note: 'The first-order expansion weighs the displacement of theta with the u of the start instead of the present one.',
      figures: linearisedFigures(arms, results),
    };
  },
};
