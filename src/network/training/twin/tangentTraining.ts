import { InputError } from '../../../core/errors.js';
import type { TrainingSetup } from '../loop/setup.js';
import type { Stepper } from '../loop/stepper.js';
import { LinearisedTwin } from './twin.js';

/**
 * The linearisation f_0 + J (theta - theta_0) that takes the network's place when the definition asks for training in
 * its tangent space; null when it does not. Throws an InputError for what tangent training does not do.
 */
export function tangentOf(
  { built, definition, sabotage }: TrainingSetup,
  stepper: Stepper,
): LinearisedTwin | null {
  if (built.spec?.train !== 'tangent') return null;
  const { optimizer, noise, regularization, loss } = definition;
  const beside = [
    optimizer.kind === 'sgd' ? '' : `optimizer.kind "${optimizer.kind}"`,
    noise ? 'noise' : '',
    regularization ? 'regularization' : '',
  ].filter((name) => name !== '');
  if (beside.length > 0)
    throw new InputError(
      `model.train 'tangent' is plain gradient descent on the linearised network; it does not go with ${beside.join(' and ')}. Use sgd without them, or model.train 'all'.`,
      { field: 'model.train' },
    );
  return new LinearisedTwin(built.model, loss, stepper.factors, sabotage);
}
