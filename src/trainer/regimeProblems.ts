import type { RegimeForecast } from '../network/training/index.js';
import { sentence } from '../protocol/sentence.js';
import { type Check, quoted, type StartFacts, short } from './startFacts.js';

/** The regime that the file says it shows: the field `expect`, else its name or that of the export. */
function claimedRegime({ definition, exportName }: StartFacts): 'lazy' | 'rich' | null {
  if (definition.expect) return definition.expect;
  const name = `${definition.name ?? ''} ${exportName}`;
  const lazy = /\blazy\b/i.test(name);
  const rich = /\brich\b/i.test(name);
  return lazy === rich ? null : lazy ? 'lazy' : 'rich';
}

/** Width, scale or parameterisation say the opposite of what the file says. */
export const regimeMismatch: Check = (facts) => {
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
function widthForLazy(width: number, { beyondLazy }: RegimeForecast): number | null {
  const wider = 2 ** Math.ceil(Math.log2(width * beyondLazy ** 2));
  return wider <= 2 ** 16 ? wider : null;
}

/** Lazy training, and every claim on it, is about f_0 = 0: a start of opposed pairs. */
export const unsymmetricStart: Check = (facts) => {
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
