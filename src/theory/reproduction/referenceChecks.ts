import { say } from '../../core/say.js';
import type { LearningCurve } from './learningCurve.js';
import type { Preset, ReferenceCheck } from './survey.js';

/** How near ours must come to the published values at the full setting. */
const movementShare = 0.15;
const accuracyPoints = 0.005;

const known = (value: number | undefined): number | null =>
  value !== undefined && Number.isFinite(value) ? value : null;

/** Whether a published value can be judged: the full setting, run to the end. */
const judged = (preset: Preset, course: LearningCurve | undefined): boolean =>
  preset === 'full' && course?.complete === true;

function beside(
  name: string,
  measured: number | undefined,
  published: number,
  kind: 'relative' | 'points',
  share: number,
  judge: boolean,
): ReferenceCheck {
  const value = known(measured);
  const difference = value === null ? null : value - published;
  const deviation = difference === null ? null : kind === 'relative' ? difference / published : difference;
  const tolerance =
    kind === 'relative'
      ? say`within ${100 * share} % of the published value`
      : say`within ${100 * share} points of the published value`;
  return {
    name,
    measured: value,
    published,
    deviation,
    tolerance: judge ? tolerance : say`${tolerance} (judged at the full setting only)`,
    passed: judge && deviation !== null ? Math.abs(deviation) <= share : null,
  };
}

/** A movement or a loss beside the published one: within 15 %. */
export const nearMovement = (
  name: string,
  measured: number | undefined,
  published: number,
  preset: Preset,
  course: LearningCurve | undefined,
): ReferenceCheck => beside(name, measured, published, 'relative', movementShare, judged(preset, course));

/** An accuracy in [0, 1] beside the published one: within half a point. */
export const nearAccuracy = (
  name: string,
  measured: number | undefined,
  published: number,
  preset: Preset,
  course: LearningCurve | undefined,
): ReferenceCheck => beside(name, measured, published, 'points', accuracyPoints, judged(preset, course));

/** What theory expects of our own numbers, whatever the preset; not judged while a number is missing. */
export function expected(
  name: string,
  tolerance: string,
  numbers: readonly number[],
  holds: (...numbers: number[]) => boolean,
  measured: number = numbers[0],
): ReferenceCheck {
  const complete = numbers.every(Number.isFinite);
  return {
    name,
    measured: known(measured),
    published: null,
    deviation: null,
    tolerance,
    passed: complete ? holds(...numbers) : null,
  };
}

/** A number of ours that is shown without a verdict: its published value is not known to us. */
export const shown = (name: string, measured: number | undefined): ReferenceCheck => ({
  name,
  measured: known(measured),
  published: null,
  deviation: null,
  tolerance: 'published value not known here',
  passed: null,
});

/** Whether numbers fall strictly from the first to the last. */
export const falling = (...values: number[]): boolean => values.every((v, i) => i === 0 || values[i - 1] > v);
/** Whether numbers rise strictly from the first to the last. */
export const rising = (...values: number[]): boolean => values.every((v, i) => i === 0 || values[i - 1] < v);
