import { interpolateNeurons, mixNeurons, type Neurons } from '../../../core/measures/neurons.js';
import type { BuiltModel } from '../../models/build.js';
import { neuronsOf, writeNeurons } from '../../models/neurons.js';

export interface PathLosses {
  /** [count] from 0 (the first network) to 1 (the second). */
  readonly t: readonly number[];
  /** Loss of the mixture (1 - t) rho_a + t rho_b of their neurons, [count]. */
  readonly mixture: readonly number[];
  /** Loss at the parameters (1 - t) w_a + t w_b, [count]. */
  readonly parameters: readonly number[];
  /** (1 - t) L(a) + t L(b) of the networks themselves, [count]. */
  readonly chord: readonly number[];
}

/**
 * Loss along the two straight ways between two trained two-layer networks of equal width whose alpha does not depend on
 * it. `build` makes an untrained network of a width with the same alpha (disposed of here), `loss` evaluates one.
 * Mixtures are networks of twice the width. Errors as in `mixNeurons` and `writeNeurons`.
 */
export function lossesAlongPaths(
  a: BuiltModel,
  b: BuiltModel,
  build: (width: number) => BuiltModel,
  loss: (built: BuiltModel) => number,
  count = 21,
): PathLosses {
  const [from, to] = [neuronsOf(a), neuronsOf(b)];
  const t = Array.from({ length: count }, (_, k) => k / (count - 1));
  const along = (width: number, at: (share: number) => Neurons): number[] => {
    const built = build(width);
    try {
      return t.map((share) => {
        writeNeurons(built, at(share));
        return loss(built);
      });
    } finally {
      built.model.dispose();
    }
  };
  const ends = [loss(a), loss(b)];
  return {
    t,
    mixture: along(from.u.rows + to.u.rows, (share) => mixNeurons(from, to, share)),
    parameters: along(from.u.rows, (share) => interpolateNeurons(from, to, share)),
    chord: t.map((share) => (1 - share) * ends[0] + share * ends[1]),
  };
}
