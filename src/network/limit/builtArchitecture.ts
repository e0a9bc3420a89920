import { InputError } from '../../core/errors.js';
import type { Architecture } from '../../core/kernels/architecture.js';
import type { BuiltModel } from '../models/build.js';
import { architectureOf } from './architectureOf.js';

/**
 * A start of opposed pairs sends equal and opposite signals into both of a pair, so what lies below the last hidden
 * layer gets no gradient at the start: its part of the kernel is zero.
 */
function withOpposedPairs(arch: Architecture): Architecture {
  const products = arch.layers.flatMap((l, at) => (l.type === 'dense' ? [at] : []));
  const still = new Set(products.slice(0, -2));
  const silent = { kernel: 0, bias: 0 };
  return {
    ...arch,
    layers: arch.layers.map((l, at) => (l.type === 'dense' && still.has(at) ? { ...l, gains: silent } : l)),
  };
}

/**
 * `architectureOf` for the network of a definition, whose start and parameterisation are known. `rates` as there. Throws
 * an InputError under parameterisations without a kernel limit.
 */
export function architectureOfBuilt(
  built: BuiltModel,
  rates: Readonly<Record<string, number>> = {},
): Architecture {
  const { spec } = built;
  if (
    spec?.kind === 'mlp' &&
    (spec.parameterization === 'mean-field' || spec.parameterization === 'maximal-update')
  )
    throw new InputError(
      `Under the ${spec.parameterization} parameterisation features are learnt at every width, so training follows no infinite-width kernel.`,
      { field: 'model.parameterization' },
    );
  const arch = architectureOf(built.model, rates);
  return spec?.kind === 'mlp' && spec.init === 'symmetric' ? withOpposedPairs(arch) : arch;
}

/**
 * The same for a kernel that training is to follow at infinite width (`ntk`) or that the outputs at the start have
 * (`nngp`). Throws an InputError also for two layers in the mean-field scaling, whose kernel at the start has a limit
 * that training leaves at once, and for the NNGP of a start whose outputs are zero.
 */
export function limitArchitecture(built: BuiltModel, kind: 'nngp' | 'ntk'): Architecture {
  const { spec } = built;
  if (spec?.kind === 'twoLayer' && spec.scale === 'mean-field')
    throw new InputError(
      'Under the mean-field scaling features are learnt at every width, so training follows no infinite-width kernel.',
      { field: 'model.scale' },
    );
  if (kind === 'nngp' && (spec?.kind === 'mlp' || spec?.kind === 'twoLayer') && spec.init === 'symmetric')
    throw new InputError(
      'A symmetric start has outputs of zero, and so no NNGP kernel; ask for the NTK, or use init: "gaussian".',
      { field: 'model.init' },
    );
  return architectureOfBuilt(built);
}
