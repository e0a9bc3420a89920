import { InputError } from '../errors.js';
import type { DualMap } from './activations.js';

export type Padding = 'same' | 'valid';

/** sigmaW, sigmaB (null: no bias) and what the trained weights add to the tangent kernel. */
interface Weights {
  readonly w: number;
  readonly b: number | null;
  readonly width?: number;
  /**
   * The tangent kernel gains `kernel` times the mean product of the inputs, and `bias`; takes the place of what the
   * parameterisation says, for layers of known fan-in, factors and step sizes.
   */
  readonly gains?: { readonly kernel: number; readonly bias: number };
}

export type Layer = { readonly label?: string } & Kind;
type Kind =
  | ({ readonly type: 'dense' } & Weights)
  | ({
      readonly type: 'conv';
      readonly window: readonly [number, number];
      readonly strides: readonly [number, number];
      readonly padding: Padding;
    } & Weights)
  | { readonly type: 'activation'; readonly map: DualMap; readonly linear: boolean; readonly name: string }
  | { readonly type: 'flatten' | 'globalAveragePool' }
  | {
      readonly type: 'averagePool';
      readonly window: readonly [number, number];
      readonly strides: readonly [number, number];
      readonly padding: Padding;
    }
  | {
      readonly type: 'layerNorm';
      readonly epsilon: number;
      /** Of a trained scale (starts at 1) and shift (starts at 0); absent when not trained. */
      readonly gains?: { readonly scale: number; readonly shift: number };
    }
  | { readonly type: 'residual'; readonly branch: readonly Layer[]; readonly shortcut: readonly Layer[] };

export interface Architecture {
  readonly parameterization: 'ntk' | 'standard';
  readonly layers: readonly Layer[];
}

function fail(at: string, said: string): never {
  throw new InputError(`${at} ${said}`, { field: at });
}

/** What is known of the signal where the law of the units decides whether a layer has a closed form. */
interface Law {
  readonly gaussian: boolean;
  /** Fresh, independent, centred weights made it: its covariance with anything before is zero. */
  readonly fresh: boolean;
}

function lawAfter(layers: readonly Layer[], start: Law, at: string): Law {
  let law = start;
  layers.forEach((layer, k) => {
    const here = layer.label ?? `${at}[${k}]`;
    if (layer.type === 'dense' || layer.type === 'conv') law = { gaussian: true, fresh: true };
    else if (layer.type === 'activation' && !layer.linear) {
      if (!law.gaussian)
        fail(here, `(${layer.name}) has no closed form: it must follow dense, conv or a sum of such.`);
      law = { gaussian: false, fresh: false };
    } else if (layer.type === 'layerNorm' && !law.gaussian)
      fail(
        here,
        '(layerNorm) has a closed form on Gaussian pre-activations only: put it after dense or conv.',
      );
    else if (layer.type === 'flatten') law = { ...law, gaussian: false };
    else if (layer.type === 'residual') {
      const inner: Law = { gaussian: law.gaussian, fresh: false };
      const a = lawAfter(layer.branch, inner, `${here}.residual.branch`);
      const b = lawAfter(layer.shortcut, inner, `${here}.residual.shortcut`);
      if (!a.fresh && !b.fresh)
        fail(here, '(residual) sums correlated branches: end the branch or the shortcut with dense or conv.');
      // A fresh sum needs both: with an identity shortcut the sum still carries what came before.
      law = { gaussian: a.gaussian && b.gaussian, fresh: a.fresh && b.fresh };
    }
  });
  return law;
}

/** Throws InputError, naming the layer by its label or place, for arrangements without a closed form. */
export function requireClosedForm(layers: readonly Layer[]): void {
  if (layers.at(-1)?.type !== 'dense')
    fail('layers', 'must end with a dense layer, the output: without one there is no kernel of an output.');
  lawAfter(layers, { gaussian: false, fresh: false }, 'layers');
}
