import type { Survey } from '../reproduction/survey.js';
import { repopulation } from './repopulation.js';
import { width } from './width.js';

/** Every experiment of the survey's authors, in their order. */
export const surveys: readonly Survey[] = [width, repopulation];
