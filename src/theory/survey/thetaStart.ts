import {
  type LinearisedArm,
  linearisationText,
  linearisedFigures,
  linearisedOutcome,
  linearisedStage,
  lossGap,
} from '../reproduction/linearised.js';
import { sizesText } from '../reproduction/mnist.js';
import { conventionTexts } from '../reproduction/rates.js';
import { expected, shown } from '../reproduction/referenceChecks.js';
import type { Preset, Survey } from '../reproduction/survey.js';

const arms: readonly LinearisedArm[] = [
  { id: 'unit', text: 'theta ~ N(0, I)', lr: 0.1, thetaStart: 'unit' },
  { id: 'inverse-dimension', text: 'theta ~ N(0, I/d)', lr: 0.1, thetaStart: 'inverse-dimension' },
];
const width: Readonly<Record<Preset, number>> = { full: 5000, quick: 256 };
const epochs: Readonly<Record<Preset, number>> = { full: 50, quick: 4 };

/** Fang, Dong, Zhang 2021: a small start of theta takes the network out of the region in which it is linear. */
export const thetaStart: Survey = {
  id: 'theta-start',
  title: 'A small start of the features leaves the tangent space',
  statement:
    'From theta ~ N(0, I) the network stays with its linearisation; from N(0, I/d) features move by more than their start, and the two part.',
  setting: {
    full: `${sizesText.full}; m = 5000, alpha = sqrt(m), ${conventionTexts['m/alpha']}; lr .1, 50 epochs (width, step and length are our choice). ${linearisationText}.`,
    quick: `${sizesText.quick}; m = 256, 4 epochs.`,
  },
  published: 'Not known here.',
  source: 'Fang, Dong, Zhang 2021',
  stages: (preset) => arms.map((arm) => linearisedStage(arm, width[preset], epochs[preset], preset)),
  conclude(results) {
    const courses = arms.map((arm) => results.get(arm.id));
    const [unit, small] = courses.map(lossGap);
    return {
      bars: [
        ...arms.flatMap((arm, i) => [
          ...linearisedOutcome(arm, courses[i]),
          shown(`${arm.text}: relative gap of the test losses`, lossGap(courses[i])),
        ]),
        expected(
          'gap of the test losses, N(0, I/d)',
          'larger than from N(0, I)',
          [small, unit],
          (a, b) => a > b,
        ),
      ],
      note: 'A neuron of N(0, I/d) starts at length 1, one of N(0, I) at sqrt(d) = 28 for 784 inputs.',
      figures: linearisedFigures(arms, results),
    };
  },
};
