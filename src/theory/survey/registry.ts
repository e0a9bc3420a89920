import type { Survey } from '../reproduction/survey.js';
import { learningRate } from './learningRate.js';
import { linearApproximation } from './linearApproximation.js';
import { meanField } from './meanField.js';
import { momentum } from './momentum.js';
import { repopulation } from './repopulation.js';
import { scale } from './scale.js';
import { thetaStart } from './thetaStart.js';
import { width } from './width.js';

/** Every experiment of the survey's authors, in the order of its themes. */
export const surveys: readonly Survey[] = [
  width,
  scale,
  learningRate,
  momentum,
  thetaStart,
  linearApproximation,
  meanField,
  repopulation,
];
