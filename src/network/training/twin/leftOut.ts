import { say } from '../../../core/say.js';
import type { TrainingForm } from '../loop/trainingForm.js';
import type { ExperimentDefinition } from '../spec.js';

/** What of a run's training its twin leaves out, in a sentence; null when it takes every step as the network does. */
export function leftOutOf(
  definition: Pick<ExperimentDefinition, 'optimizer' | 'regularization' | 'noise'>,
  form?: TrainingForm,
): string | null {
  const { optimizer, regularization, noise } = definition;
  const missing: string[] = [];
  if (optimizer.kind === 'adam') missing.push(say`the scaling of Adam`);
  if (Object.values(regularization ?? {}).some((lambda) => Number(lambda) > 0)) missing.push(say`L2`);
  if (noise && noise.temperature > 0) missing.push(say`noise`);
  if (form?.penalised.length) missing.push(say`the regularisers of ${form.penalised.join(', ')}`);
  const notes: string[] = [];
  if (form?.differs)
    notes.push(
      'The linearised twin is that of the inference form: batch normalisation by the statistics of the start, no dropout. The network is trained in another form, so they differ from the first step on.',
    );
  if (missing.length > 0) notes.push(leftOut(missing));
  return notes.length > 0 ? notes.join(' ') : null;
}

const leftOut = (missing: readonly string[]): string =>
  `The linearised twin takes plain steps of the gradient, without ${missing.join(', ')}: its gap holds their effect too.`;
