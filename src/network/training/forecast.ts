import type { Regime } from '../../protocol/records.js';
import type { BuiltModel } from '../models/build.js';
import type { KernelMeasurement } from './probe.js';

/**
 * Regime before training, from the first-order size of the kernel's change: to fit the targets a two-layer network must
 * move theta by about sqrt(y' K^-1 y) spread over its neurons, and its kernel changes in proportion to that over the
 * scale alpha (Chizat, Oyallon and Bach 2019). The forecast is a guess from the start alone; the verdict of a run is not.
 */
export function regimeForecast(
  built: BuiltModel,
  measured: KernelMeasurement,
  samples: number,
): { readonly regime: Regime; readonly reasons: readonly string[] } {
  if (!built.twoLayer) {
    const spec = built.spec;
    if (spec?.kind === 'mlp' && spec.parameterization !== 'ntk' && spec.parameterization !== 'standard')
      return {
        regime: 'rich',
        reasons: [`Under the ${spec.parameterization} parameterisation features are learnt at any width.`],
      };
    if (spec?.kind === 'mlp') {
      const width = Math.min(...spec.hidden);
      const expected = 8 / Math.sqrt(width);
      return {
        regime: expected < 0.2 ? 'lazy' : expected > 0.8 ? 'rich' : 'in between',
        reasons: [
          `With hidden widths of ${width} and more under the ${spec.parameterization} parameterisation, the kernel is expected to drift by some ${Math.round(100 * expected)} %.`,
        ],
      };
    }
    return {
      regime: 'undetermined',
      reasons: [
        'There is no forecast for this kind of model; the run’s own verdict comes with the first kernels.',
      ],
    };
  }
  const { width, alpha } = built.twoLayer;
  if (built.spec?.train === 'readout')
    return { regime: 'lazy', reasons: ['Only the readout is trained: the kernel cannot change.'] };
  // Size of the targets' outputs against what the neurons give at the start: alpha / sqrt(m) is 1 in the kernel scaling.
  const strength = alpha / Math.sqrt(width);
  const hardness = Math.sqrt(Math.max(1, measured.cost / Math.max(1, samples)));
  const drift = (Math.min(4, hardness) * 3.2) / (Math.sqrt(width) * strength) ** 0.85;
  const regime: Regime = drift < 0.12 ? 'lazy' : drift > 0.5 ? 'rich' : 'in between';
  return {
    regime,
    reasons: [
      `Width ${width} with scale α = ${Number(alpha.toPrecision(3))}: the kernel is expected to drift by some ${Math.min(300, Math.round(100 * drift))} % on this task.`,
    ],
  };
}
