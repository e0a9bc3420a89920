import type { ExperimentDefinition } from '../experiment/index.js';
import type { BuiltModel } from '../network/models/build.js';
import type { UnitHealth } from '../network/training/health.js';
import { forecastBars, type RegimeForecast } from '../network/training/index.js';
import { sentence } from '../protocol/sentence.js';
import type { InspectionProblem } from '../protocol/trainerWire.js';

/** What is known of an experiment before its first step. */
export interface StartFacts {
  readonly definition: ExperimentDefinition;
  readonly exportName: string;
  readonly built: BuiltModel;
  /** What people call the layers, by name. */
  readonly labels: ReadonlyMap<string, string>;
  /** 2 (1 + momentum) n O / lambda_max. */
  readonly maxStep: number;
  /** Steps to half of the loss by the kernel; null when never. */
  readonly stepsToHalf: number | null;
  readonly health: Readonly<Record<string, UnitHealth>>;
  /** Training inputs that equal another one with other targets. */
  readonly clashing: number;
  readonly forecast: RegimeForecast;
  /** Root mean squares of the outputs at the start and of the targets, on the probe inputs. */
  readonly outputSize: number;
  readonly targetSize: number;
}

type Check = (facts: StartFacts) => readonly InspectionProblem[];

const short = (v: number): string => String(Number(v.toPrecision(3)));
const quoted = (name: string): string => `'${name}'`;

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

/** The regime that the file says it shows: the field `expect`, else its name or that of the export. */
function claimedRegime({ definition, exportName }: StartFacts): 'lazy' | 'rich' | null {
  if (definition.expect) return definition.expect;
  const name = `${definition.name ?? ''} ${exportName}`;
  const lazy = /\blazy\b/i.test(name);
  const rich = /\brich\b/i.test(name);
  return lazy === rich ? null : lazy ? 'lazy' : 'rich';
}

const regimeMismatch: Check = (facts) => {
  const { definition, built, forecast } = facts;
  const claimed = claimedRegime(facts);
  const { model } = definition;
  if (!claimed || typeof model === 'function' || forecast.regime !== (claimed === 'lazy' ? 'rich' : 'lazy'))
    return [];
  const at = { code: 'regime-mismatch', severity: 'warning' } as const;
  if (model.kind === 'mlp') {
    const value = claimed === 'lazy' ? quoted('ntk') : quoted('mean-field');
    const wide = claimed === 'lazy' && model.parameterization === 'ntk';
    return [
      {
        ...at,
        field: wide ? 'model.hidden' : 'model.parameterization',
        message:
          claimed === 'lazy'
            ? sentence(
                'This experiment is meant to be lazy, but with the parameterisation {0} and widths {1} features will be learnt: the kernel does not stay what it is at the start.',
                quoted(model.parameterization),
                model.hidden.join(', '),
              )
            : sentence(
                'This experiment is meant to be rich, but with the parameterisation {0} and widths {1} the kernel hardly moves: no features will be learnt.',
                quoted(model.parameterization),
                model.hidden.join(', '),
              ),
        ...(wide ? {} : { fix: { title: sentence('Use the parameterisation {0}', value), value } }),
      },
    ];
  }
  if (!built.twoLayer || model.kind !== 'twoLayer') return [];
  if (model.train === 'readout')
    return [
      {
        ...at,
        field: 'model.train',
        message: sentence(
          'This experiment is meant to be rich, but only its readout is trained: the kernel cannot change and no features are learnt.',
        ),
        fix: { title: sentence('Train all weights'), value: quoted('all') },
      },
    ];
  const { alpha, width } = built.twoLayer;
  if (claimed === 'rich')
    return [
      {
        ...at,
        field: 'model.scale',
        message: sentence(
          'This experiment is meant to be rich, but with width {0} and scale α = {1} the kernel hardly moves: no features will be learnt. With α = 1 they are, at any width.',
          width,
          short(alpha),
        ),
        fix: { title: sentence('Use the mean-field scale, α = 1'), value: quoted('mean-field') },
      },
    ];
  const grows = model.scale === 'ntk' || model.scale === 'standard';
  const wider = widthForLazy(width, forecast);
  return [
    {
      ...at,
      field: grows ? 'model.width' : 'model.scale',
      message: sentence(
        'This experiment is meant to be lazy, but with width {0} and scale α = {1} the kernel will move and features will be learnt. Lazy training needs a large α; with α = √m it comes with the width.',
        width,
        short(alpha),
      ),
      ...(grows
        ? wider
          ? { fix: { title: sentence('Use the width {0}', wider), value: String(wider) } }
          : {}
        : { fix: { title: sentence('Use the kernel scale, α = √m'), value: quoted('ntk') } }),
    },
  ];
};

/**
 * The power of two at which training should be lazy: under the kernel scaling the drift of the kernel and the gap to the
 * linearisation fall like one over the square root of the width. Null when that is too wide to train.
 */
function widthForLazy(width: number, { gap, drift }: RegimeForecast): number | null {
  const factor = Math.max(gap / forecastBars.gap, drift / forecastBars.drift) ** 2;
  const wider = 2 ** Math.ceil(Math.log2(width * factor));
  return wider <= 2 ** 16 ? wider : null;
}

/** Lazy training, and every claim on it, is about f_0 = 0: a start of opposed pairs. */
const unsymmetricStart: Check = (facts) => {
  const { definition, outputSize, targetSize } = facts;
  const { model } = definition;
  if (typeof model === 'function' || model.kind === 'residual' || model.init === 'symmetric') return [];
  const meantLazy = claimedRegime(facts) === 'lazy' || model.train === 'tangent';
  const ratio = outputSize / (targetSize || 1);
  if (!(meantLazy ? ratio > 0.1 : ratio > 2)) return [];
  const widths = model.kind === 'mlp' ? [model.hidden[model.hidden.length - 1]] : [model.width];
  const pairs = widths.every((width) => width % 2 === 0);
  return [
    {
      code: 'unsymmetrised-start',
      severity: meantLazy ? 'warning' : 'information',
      field: 'model.init',
      message: meantLazy
        ? sentence(
            'The network starts at outputs of size {0} against targets of size {1}. Lazy training and its predictions are about a start at zero, f₀ = 0, which opposed pairs of neurons give exactly.',
            short(outputSize),
            short(targetSize),
          )
        : sentence(
            'The network starts at outputs of size {0}, larger than the targets ({1}): training first has to undo its own start. Opposed pairs of neurons start at exactly zero.',
            short(outputSize),
            short(targetSize),
          ),
      ...(pairs
        ? {
            fix: {
              title: sentence('Start from opposed pairs ({0})', quoted('symmetric')),
              value: quoted('symmetric'),
            },
          }
        : {}),
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
