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
import { expected } from '../reproduction/referenceChecks.js';
import type { Preset, Survey } from '../reproduction/survey.js';

const arms: readonly LinearisedArm[] = [0, 0.5, 0.9].map((momentum) => ({
  id: `momentum=${momentum}`,
  text: `momentum ${momentum}`,
  lr: 0.1,
  momentum,
}));
const width: Readonly<Record<Preset, number>> = { full: 5000, quick: 512 };
const epochs: Readonly<Record<Preset, number>> = { full: 50, quick: 6 };

/** Fang, Dong, Zhang 2021: momentum works like a longer step. */
export const momentum: Survey = {
  id: 'momentum',
  title: 'Strong momentum leaves the tangent space',
  statement: 'Network and linearisation agree without momentum and with .5, and part with .9.',
  setting: {
    full: `${sizesText.full}; m = 5000, alpha = sqrt(m), ${conventionTexts['m/alpha']}; lr .1, momentum 0, .5, .9, 50 epochs (width, step and length are our choice). ${linearisationText}.`,
    quick: `${sizesText.quick}; m = 512, 6 epochs.`,
  },
  published: 'The linearisation parts from the network only at momentum .9; values are not known here.',
  source: 'Fang, Dong, Zhang 2021',
  stages: (preset) => arms.map((arm) => linearisedStage(arm, width[preset], epochs[preset], preset)),
  conclude(results) {
    const courses = arms.map((arm) => results.get(arm.id));
    const [none, half, strong] = courses.map(lossGap);
    return {
      bars: [
        ...arms.flatMap((arm, i) => linearisedOutcome(arm, courses[i])),
        expected(
          'relative gap of the test losses at momentum .9',
          'largest at .9',
          [strong, none, half],
          (large, a, b) => large > a && large > b,
        ),
      ],
      note: 'Momentum beta makes the step 1 / (1 - beta) times as long in effect.',
      figures: linearisedFigures(arms, results),
    };
  },
};
