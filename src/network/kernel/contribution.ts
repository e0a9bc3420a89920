import * as tf from '../tf.js';

/** Gradients are outer products of a layer input and a cotangent, so Gram matrices multiply elementwise. */
export interface ProductContribution {
  readonly kind: 'product';
  readonly layer: string;
  /** [N, k]. */
  readonly input: tf.Tensor2D;
  /** [N `per`, n], row i `per` + o; or, where `per` is 'shared', [O, n] for all samples. */
  readonly cotangent: tf.Tensor2D;
  /** Rows of a sample: one an output; 1 also where one row's inner products are the sums over the outputs. */
  readonly per: number | 'shared';
  /** Sum of the squares of shared cotangents, where it is known. */
  readonly squares?: number;
  readonly biasScale: number;
  /** Constant in front of the part. */
  readonly factor: number;
}

/**
 * What one layer brings to the kernel, for one set of inputs. `gradients`: every sample's gradient is there;
 * `positions`: too large for that, kept as patches and cotangents per position.
 */
export type Contribution =
  | ProductContribution
  | {
      readonly kind: 'gradients';
      readonly layer: string;
      /** Pieces side by side: full form [N O, p]; trace form [N, q], inner products being sums over the outputs. */
      readonly rows: readonly tf.Tensor2D[];
    }
  | {
      readonly kind: 'positions';
      readonly layer: string;
      /** [N, S, k] and [N, O, S, c]; of a table int32 [N, S, 1], the place of the row: a unit vector, written short. */
      readonly patches: tf.Tensor3D;
      readonly cotangents: tf.Tensor4D;
      readonly biasScale: number;
    };

export function tensorsOf(part: Contribution): readonly tf.Tensor[] {
  if (part.kind === 'product') return [part.input, part.cotangent];
  return part.kind === 'gradients' ? part.rows : [part.patches, part.cotangents];
}

export const disposeContributions = (parts: readonly Contribution[]): void =>
  tf.dispose(parts.flatMap(tensorsOf));

/** Parts made by `make`, whose own tensors alone outlive it. */
export function keepContributions(make: () => readonly Contribution[]): readonly Contribution[] {
  let parts: readonly Contribution[] = [];
  tf.tidy(() => {
    parts = make();
    for (const tensor of parts.flatMap(tensorsOf)) tf.keep(tensor);
  });
  return parts;
}

const stacked = <T extends tf.Tensor>(tensors: readonly T[]): T => tf.concat([...tensors], 0);

/** The parts of one layer on successive chunks of samples as one part. */
export function concatenated(pieces: readonly Contribution[]): Contribution {
  const first = pieces[0];
  const of = <K extends Contribution['kind']>(kind: K) =>
    pieces.filter((p): p is Extract<Contribution, { kind: K }> => p.kind === kind);
  if (first.kind === 'product') {
    const parts = of('product');
    const shared = first.per === 'shared';
    const cotangent = shared ? tf.clone(first.cotangent) : stacked(parts.map((p) => p.cotangent));
    return { ...first, input: stacked(parts.map((p) => p.input)), cotangent };
  }
  if (first.kind === 'gradients') {
    const parts = of('gradients');
    return { ...first, rows: first.rows.map((_, r) => stacked(parts.map((p) => p.rows[r]))) };
  }
  const parts = of('positions');
  return {
    ...first,
    patches: stacked(parts.map((p) => p.patches)),
    cotangents: stacked(parts.map((p) => p.cotangents)),
  };
}
