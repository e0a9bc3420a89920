import * as tf from '../tf.js';
import { type ChainLayer, chainOf, chainPass } from './chain.js';
import { genericGradients } from './generic.js';
import type { KernelMode } from './kernel.js';
import { disposeParts, keptParts, type Part } from './part.js';
import { sampleOuter } from './products.js';
import { stagedParts } from './staged.js';
import { stagesOf } from './stages.js';
import { type Tap, tapModel } from './tap.js';

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
  mode: KernelMode,
): Parts {
  const output = all ? undefined : outputs[0];
  const chain = chainOf(model);
  if (chain) return chainParts(chain, firstOf(x) as tf.Tensor2D, output, outputs.length);
  const stages = stagesOf(model);
  if (!stages) return tappedParts(model, x, outputs, mode);
  const samples = firstOf(x).shape[0] as number;
  const request = { mode, outputs: outputs.length, output, samples };
  const parts = stagedParts(stages, firstOf(x) as tf.Tensor4D, request);
  return { parts, samples, outputs: outputs.length, notes: [], dispose: () => disposeParts(parts) };
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

function tappedParts(
  model: tf.LayersModel,
  x: tf.Tensor | tf.Tensor[],
  outputs: readonly number[],
  mode: KernelMode,
): Parts {
  const tapped = tapModel(model, x, outputs);
  const byLayer = new Map<tf.layers.Layer, Tap[]>();
  for (const tap of tapped.taps) byLayer.set(tap.layer, [...(byLayer.get(tap.layer) ?? []), tap]);
  const parts: Part[] = [];
  const notes: string[] = [];
  try {
    for (const [layer, taps] of byLayer)
      parts.push(...keptParts(() => [summed(partOf(layer, taps, outputs.length), outputs.length, mode)]));
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
      for (const { layer, rows } of genericGradients(model, x, outputs, tapped.unknown)) {
        const part: Part = { kind: 'gradients', layer, rows: [rows] };
        parts.push(...keptParts(() => [summed(part, outputs.length, mode)]));
        if (mode === 'trace' && outputs.length > 1) rows.dispose();
      }
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

/** In trace form the outputs of a sample lie side by side: [N O, p] to [N, O p]. */
function summed(part: Part, outputs: number, mode: KernelMode): Part {
  if (part.kind !== 'gradients' || mode === 'full' || outputs === 1) return part;
  return {
    ...part,
    rows: part.rows.map((t) => tf.reshape(t, [t.shape[0] / outputs, outputs * t.shape[1]]) as tf.Tensor2D),
  };
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
    return { kind: 'gradients', layer: name, rows: [sum(taps.map((tap) => explicit(tap)))] };
  if (taps.length > 1)
    return { kind: 'gradients', layer: name, rows: [sum(taps.map((tap) => outer(tap, outputs)))] };
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
  return { kind: 'gradients', layer: name, rows: [outer(taps[0], outputs)] };
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
