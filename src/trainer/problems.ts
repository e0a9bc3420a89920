import type { ExperimentDefinition } from '../experiment/index.js';
import { sentence } from '../protocol/sentence.js';
import type { InspectionProblem } from '../protocol/trainerWire.js';
import { regimeMismatch, unsymmetricStart } from './regimeProblems.js';
import { type Check, quoted, type StartFacts, short } from './startFacts.js';

/** Minibatches change the bound, so they get no problem of the step size; neither does Adam. */
const boundApplies = ({ optimizer, batch }: ExperimentDefinition): boolean =>
  optimizer.kind !== 'adam' && batch === 'full';

const stepTooLarge: Check = ({ definition, maxStep }) => {
  const rate = definition.optimizer.learningRate;
  if (typeof rate !== 'number' || !boundApplies(definition) || rate <= maxStep) return [];
  const safe = Number((0.95 * maxStep).toPrecision(2));
  return [
    {
      code: 'step-too-large',
      severity: 'warning',
      field: 'optimizer.learningRate',
      message: sentence(
        'The step size {0} is above {1}, the largest at which gradient descent is stable for this kernel (2 n / λ_max). The loss will rise at first and may diverge.',
        short(rate),
        short(maxStep),
      ),
      fix: { title: sentence('Use {0}, the largest safe step size', safe), value: String(safe) },
    },
  ];
};

/** The kernel of f = (alpha / m) sum u h scales as alpha^2 / m: a step for one width or scale is wrong for another. */
const stepScale: Check = ({ definition, built, maxStep, stepsToHalf }) => {
  const rate = definition.optimizer.learningRate;
  if (typeof rate !== 'number' || !built.twoLayer || definition.optimizer.stepScale) return [];
  if (!boundApplies(definition) || rate * 50 >= maxStep) return [];
  if (stepsToHalf !== null && stepsToHalf <= definition.steps) return [];
  const { alpha, width } = built.twoLayer;
  return [
    {
      code: 'step-scale',
      severity: 'information',
      field: 'optimizer.learningRate',
      message: sentence(
        'The step size {0} does not fit the scale: with α = {1} and width {2} gradient descent is stable up to {3}, and {4} steps will not halve the loss. Step sizes go with m / α².',
        short(rate),
        short(alpha),
        width,
        short(maxStep),
        definition.steps,
      ),
      fix: { title: sentence('Choose the step size from the kernel ({0})', quoted('auto')), value: "'auto'" },
    },
  ];
};

const unitsWithoutGradient: Check = ({ definition, health, labels }) => {
  const called = (layer: string) => labels.get(layer) ?? layer;
  const { model } = definition;
  const leaky =
    typeof model === 'function'
      ? {}
      : { fix: { title: sentence('Use {0}', quoted('leakyRelu')), value: quoted('leakyRelu') } };
  const narrower =
    typeof model !== 'function' && model.kind === 'twoLayer' && model.thetaStart === 'unit'
      ? {
          field: 'model.thetaStart',
          fix: {
            title: sentence('Start from N(0, I/d) ({0})', quoted('inverse-dimension')),
            value: quoted('inverse-dimension'),
          },
        }
      : typeof model !== 'function' && model.kind === 'mlp' && model.sigmaW > 1
        ? { field: 'model.sigmaW', fix: { title: sentence('Use {0}', 1), value: '1' } }
        : {};
  return Object.entries(health).flatMap(([layer, { dead, saturated }]): InspectionProblem[] => [
    ...(dead !== null && dead > 0.25
      ? [
          {
            code: 'dead-units',
            severity: 'warning',
            field: 'model.activation',
            layer,
            message: sentence(
              '{0} % of the units of layer {1} are never active on the probe inputs: they get no gradient and cannot learn.',
              Math.round(100 * dead),
              called(layer),
            ),
            ...leaky,
          } as const,
        ]
      : []),
    ...(saturated !== null && saturated > 0.5
      ? [
          {
            code: 'saturated-units',
            // Steep units are a choice that some make; a layer that is nothing but steps learns nothing.
            severity: saturated > 0.95 ? 'warning' : 'information',
            field: 'model.activation',
            layer,
            message: sentence(
              '{0} % of the units of layer {1} are saturated on the probe inputs: their gradients vanish. Scale the inputs down, or start with smaller weights.',
              Math.round(100 * saturated),
              called(layer),
            ),
            ...narrower,
          } as const,
        ]
      : []),
  ]);
};

const degenerateKernel: Check = ({ clashing }) =>
  clashing === 0
    ? []
    : [
        {
          code: 'degenerate-kernel',
          severity: 'warning',
          field: 'data',
          message: sentence(
            '{0} training inputs equal another one that has a different target: the kernel is degenerate on them, no network can fit both, and the training loss cannot reach zero.',
            clashing,
          ),
        },
      ];

const noiseWithoutL2: Check = ({ definition: { noise, regularization } }) =>
  noise && noise.temperature > 0 && !regularization
    ? [
        {
          code: 'noise-without-l2',
          severity: 'warning',
          field: 'noise',
          message: sentence(
            'Noise without L2 regularisation has no equilibrium: the neurons diffuse for ever. Add regularization: { all: ... }.',
          ),
        },
      ]
    : [];

const checks: readonly Check[] = [
  stepTooLarge,
  stepScale,
  regimeMismatch,
  unsymmetricStart,
  unitsWithoutGradient,
  degenerateKernel,
  noiseWithoutL2,
];

/** Theory-backed problems of an experiment, each tied to the field it concerns. */
export const problemsOf = (facts: StartFacts): readonly InspectionProblem[] =>
  checks.flatMap((check) => check(facts));
