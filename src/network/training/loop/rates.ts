import { trainableLayers } from '../../kernel/index.js';
import type { BuiltModel } from '../../models/build.js';
import type { Sabotage } from '../sabotage.js';
import type { ExperimentDefinition, OptimizerSpec } from '../spec.js';

/** Factor on the base step size eta of every layer with trainable weights, by name. */
export type StepFactors = Readonly<Record<string, number>>;

function scaleOf(built: BuiltModel, optimizer: OptimizerSpec, sabotage?: Sabotage): number {
  if (!built.twoLayer || sabotage === 'wrong-step-scale') return 1;
  const { width, alpha } = built.twoLayer;
  if (optimizer.stepScale === 'm') return width;
  return optimizer.stepScale === 'm/alpha^2' ? width / alpha ** 2 : 1;
}

function ratioOf(built: BuiltModel, ratio: OptimizerSpec['ratio']): number {
  if (typeof ratio === 'number') return ratio;
  if (!built.twoLayer || ratio === undefined || ratio === 'equal') return 1;
  const { width, alpha } = built.twoLayer;
  return ratio === 'alpha' ? alpha : width / alpha;
}

/**
 * Step sizes relative to the base one: the parameterisation's own factors, the scale (m for mean-field time, m / alpha^2
 * for equal training time over widths and scales), and eta_u / eta_theta on the readout of a two-layer network.
 */
export function stepFactors(
  built: BuiltModel,
  definition: Pick<ExperimentDefinition, 'optimizer'>,
  sabotage?: Sabotage,
): StepFactors {
  const { optimizer } = definition;
  const scale = scaleOf(built, optimizer, sabotage) * (sabotage === 'doubled-step' ? 2 : 1);
  const factors: Record<string, number> = {};
  for (const layer of trainableLayers(built.model)) {
    let factor = scale * (sabotage === 'wrong-step-scale' ? 1 : (built.rates[layer.name] ?? 1));
    if (built.twoLayer && layer.name === built.twoLayer.readout) factor *= ratioOf(built, optimizer.ratio);
    if (sabotage === 'frozen-readout' && layer.name === 'readout') factor = 0;
    if (sabotage === 'frozen-features' && layer.name !== 'readout') factor = 0;
    factors[layer.name] = factor;
  }
  return factors;
}
