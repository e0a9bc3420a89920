import * as tf from '../tf.js';
import { type ChainLayer, chainOf, chainPass } from './chain.js';
import { genericGradients } from './generic.js';
import { sampleOuter } from './products.js';
import { type Tap, tapModel } from './tap.js';

/**
 * What one layer brings to the kernel, for one set of inputs. `product`: gradients are outer products of a layer input
 * and a cotangent, so Gram matrices multiply elementwise; `gradients`: every sample's gradient is there, row i O + o;
 * `positions`: too large for that, kept as patches and cotangents per position.
 */
export type Part =
  | {
      readonly kind: 'product';
      readonly layer: string;
      /** [N, k], and [N O, n] or, where `uniform`, [O, n] for all samples. */
      readonly input: tf.Tensor2D;
      readonly cotangent: tf.Tensor2D;
      readonly uniform: boolean;
      readonly biasScale: number;
    }
  | { readonly kind: 'gradients'; readonly layer: string /** [N O, p]. */; readonly rows: tf.Tensor2D }
  | {
      readonly kind: 'positions';
      readonly layer: string;
      /** [N, S, k] and [N, O, S, c]. */
      readonly patches: tf.Tensor3D;
      readonly cotangents: tf.Tensor4D;
      readonly biasScale: number;
    };

export interface Parts {
  readonly parts: readonly Part[];
  readonly samples: number;
  readonly outputs: number;
  readonly notes: readonly string[];
  dispose(): void;
}

const firstOf = (x: tf.Tensor | tf.Tensor[]): tf.Tensor => (Array.isArray(x) ? x[0] : x);

/** Splits the tangent features of a model on some inputs into one part a layer. The result holds tensors: dispose it. */
export function collectParts(
  model: tf.LayersModel,
  x: tf.Tensor | tf.Tensor[],
  outputs: readonly number[],
  all: boolean,
): Parts {
  const chain = chainOf(model);
  if (chain && (all || outputs.length === 1))
    return chainParts(chain, firstOf(x) as tf.Tensor2D, all ? undefined : outputs[0], outputs.length);
  return tappedParts(model, x, outputs);
}

function chainParts(
  chain: readonly ChainLayer[],
  x: tf.Tensor2D,
  output: number | undefined,
  outputs: number,
): Parts {
  const parts: Part[] = [];
  tf.tidy(() => {
    const pass = chainPass(chain, x, output);
    for (const [l, layer] of chain.entries()) {
      if (!layer.trainable) continue;
      parts.push({
        kind: 'product',
        layer: layer.layer.name,
        input: tf.keep(tf.clone(pass.inputs[l])),
        cotangent: tf.keep(tf.clone(pass.cotangents[l].rows)),
        uniform: pass.cotangents[l].uniform,
        biasScale: layer.bias ? layer.biasScale : 0,
      });
    }
  });
  return { parts, samples: x.shape[0], outputs, notes: [], dispose: () => disposeParts(parts) };
}

function tappedParts(model: tf.LayersModel, x: tf.Tensor | tf.Tensor[], outputs: readonly number[]): Parts {
  const tapped = tapModel(model, x, outputs);
  const byLayer = new Map<tf.layers.Layer, Tap[]>();
  for (const tap of tapped.taps) byLayer.set(tap.layer, [...(byLayer.get(tap.layer) ?? []), tap]);
  const parts: Part[] = [];
  const notes: string[] = [];
  try {
    for (const [layer, taps] of byLayer)
      parts.push(tf.tidy(() => keepPart(partOf(layer, taps, outputs.length))));
    if (
      byLayer.size > 0 &&
      [...byLayer.keys()].some((layer) => layer.getClassName() === 'BatchNormalization')
    )
      notes.push(
        'Batch normalisation is taken in its inference form (moving statistics); in training form samples interact and there is no kernel.',
      );
    if (tapped.unknown.length > 0) {
      const names = tapped.unknown.map((layer) => `${layer.name} (${layer.getClassName()})`).join(', ');
      notes.push(
        `No structured rule for ${names}: their gradients are taken one sample and output at a time, ${tapped.samples * outputs.length} backward passes.`,
      );
      for (const { layer, rows } of genericGradients(model, x, outputs, tapped.unknown))
        parts.push({ kind: 'gradients', layer, rows });
    }
  } finally {
    tapped.dispose();
  }
  return {
    parts,
    samples: tapped.samples,
    outputs: outputs.length,
    notes,
    dispose: () => disposeParts(parts),
  };
}

function tensorsOf(part: Part): tf.Tensor[] {
  if (part.kind === 'product') return [part.input, part.cotangent];
  return part.kind === 'gradients' ? [part.rows] : [part.patches, part.cotangents];
}

const disposeParts = (parts: readonly Part[]): void => tf.dispose(parts.flatMap(tensorsOf));

function keepPart(part: Part): Part {
  for (const tensor of tensorsOf(part)) tf.keep(tensor);
  return part;
}

/** Cotangents of one use as [N, O, S, c]. */
function cotangents(tap: Tap): tf.Tensor4D {
  const each = tap.cotangents.map((d) => {
    const [n, c] = [d.shape[0], d.shape[d.rank - 1]];
    return tf.reshape(d, [n, -1, c]);
  });
  return tf.stack(each, 1) as tf.Tensor4D;
}

function partOf(layer: tf.layers.Layer, taps: readonly Tap[], outputs: number): Part {
  const { rule } = taps[0];
  const name = layer.name;
  if (rule.kind === 'explicit' || !rule.patches)
    return { kind: 'gradients', layer: name, rows: sum(taps.map((tap) => explicit(tap))) };
  if (taps.length > 1)
    return { kind: 'gradients', layer: name, rows: sum(taps.map((tap) => outer(tap, outputs))) };
  const patches = rule.patches(taps[0].input);
  const d = cotangents(taps[0]);
  const [n, positions, k] = patches.shape;
  const c = d.shape[3];
  if (positions === 1) {
    const flat = tf.reshape(patches, [n, k]) as tf.Tensor2D;
    const input = rule.scale === 1 ? flat : (tf.mul(flat, rule.scale) as tf.Tensor2D);
    const cotangent = tf.reshape(d, [n * outputs, c]) as tf.Tensor2D;
    return { kind: 'product', layer: name, input, cotangent, uniform: false, biasScale: rule.biasScale };
  }
  // Operation counts of the two ways for the whole Gram matrix (trace form).
  const byGradients = 2 * n * outputs * positions * k * c + 2 * n * n * outputs * k * c;
  const byPairs = 2 * n * n * positions * positions * (k + outputs * c);
  const tooLarge = n * outputs * k * c > 2 ** 28;
  if (rule.scale === 1 && (tooLarge || byPairs < byGradients))
    return { kind: 'positions', layer: name, patches, cotangents: d, biasScale: rule.biasScale };
  return { kind: 'gradients', layer: name, rows: outer(taps[0], outputs) };
}

const sum = (tensors: readonly tf.Tensor2D[]): tf.Tensor2D =>
  tensors.length === 1 ? tensors[0] : (tf.addN([...tensors]) as tf.Tensor2D);

function explicit(tap: Tap): tf.Tensor2D {
  const gradients = tap.rule.gradients;
  if (!gradients) throw new Error(`Layer ${tap.layer.name} has no rule for explicit gradients.`);
  const each = tap.cotangents.map((d) => gradients(tap.input, d));
  const [n, p] = each[0].shape;
  return tf.reshape(tf.stack(each, 1), [n * each.length, p]) as tf.Tensor2D;
}

/** Per-sample gradients [N O, k c (+ c)] of a layer whose pre-activation is patches times kernel plus bias. */
function outer(tap: Tap, outputs: number): tf.Tensor2D {
  const { rule } = tap;
  const patches = rule.patches?.(tap.input) as tf.Tensor3D;
  const [n, , k] = patches.shape;
  const d = cotangents(tap);
  const c = d.shape[3];
  const each: tf.Tensor[] = [];
  for (let o = 0; o < outputs; o++) {
    const delta = tf.reshape(tf.slice(d, [0, o, 0, 0], [n, 1, d.shape[2], c]), [
      n,
      d.shape[2],
      c,
    ]) as tf.Tensor3D;
    const g = tf.reshape(sampleOuter(patches, delta), [n, k * c]);
    const scaled = rule.scale === 1 ? g : tf.mul(g, rule.scale);
    each.push(
      rule.biasScale === 0 ? scaled : tf.concat([scaled, tf.mul(tf.sum(delta, 1), rule.biasScale)], 1),
    );
  }
  return tf.reshape(tf.stack(each, 1), [n * outputs, -1]) as tf.Tensor2D;
}
