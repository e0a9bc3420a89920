import * as tf from '../tf.js';
import { chainOf } from './chain.js';
import { chainPass } from './chainPass.js';
import { genericGradients } from './generic.js';
import { sampleCount, samplesOf } from './jacobian/linearisation.js';
import type { KernelMode } from './kernel.js';
import { concatenated, disposeParts, keptParts, type Part } from './part.js';
import { sampleOuter } from './products.js';
import { stagedParts } from './staged.js';
import { stagesOf } from './stages.js';
import { type Tap, type TapResult, tapModel, trainableLayers } from './tap.js';

export interface Parts {
  readonly parts: readonly Part[];
  readonly samples: number;
  readonly outputs: number;
  readonly notes: readonly string[];
  dispose(): void;
}

const firstOf = (x: tf.Tensor | tf.Tensor[]): tf.Tensor => (Array.isArray(x) ? x[0] : x);

/**
 * Splits the tangent features of a model on some inputs into one part a layer. The form of a part is chosen for a kernel
 * of `counted` samples: the same for both sides of a rectangle. The result holds tensors: dispose it.
 */
export function collectParts(
  model: tf.LayersModel,
  x: tf.Tensor | tf.Tensor[],
  outputs: readonly number[],
  all: boolean,
  mode: KernelMode,
  counted: number = sampleCount(x),
): Parts {
  const output = all ? undefined : outputs[0];
  const chain = chainOf(model);
  const samples = sampleCount(x);
  if (chain) {
    const parts = keptParts(() => chainPass(chain, firstOf(x) as tf.Tensor2D, mode, output));
    return { parts, samples, outputs: outputs.length, notes: [], dispose: () => disposeParts(parts) };
  }
  const stages = stagesOf(model);
  if (!stages) return tappedParts(model, x, outputs, mode, counted);
  const request = { mode, outputs: outputs.length, output, samples: counted };
  const parts = stagedParts(stages, firstOf(x) as tf.Tensor4D, request);
  return { parts, samples, outputs: outputs.length, notes: [], dispose: () => disposeParts(parts) };
}

/** Values that a pass may hold; memory that wasm once took it never gives back. */
const passValues = (): number => (tf.getBackend() === 'wasm' ? 2 ** 25 : 2 ** 27);

/** Samples whose values and cotangents in every layer fit a pass. */
function samplesInPass(model: tf.LayersModel, outputs: number): number {
  const values = model.layers.reduce((sum, layer) => {
    const shapes = [layer.outputShape].flat() as (number | null)[];
    return sum + shapes.reduce<number>((product, n) => product * (n ?? 1), 1);
  }, 0);
  return Math.max(16, Math.floor(passValues() / (values * (outputs + 2))));
}

/** Parts of any model, a chunk of samples at a time. */
function tappedParts(
  model: tf.LayersModel,
  x: tf.Tensor | tf.Tensor[],
  outputs: readonly number[],
  mode: KernelMode,
  counted: number,
): Parts {
  const samples = sampleCount(x);
  const size = Math.min(samples, samplesInPass(model, outputs.length));
  const chunks: (readonly Part[])[] = [];
  let unknown: readonly tf.layers.Layer[] = [];
  try {
    for (let i = 0; i < samples; i += size) {
      const rows = Math.min(size, samples - i);
      const chunk = rows === samples ? x : tf.tidy(() => samplesOf(x, i, rows));
      try {
        const tapped = tapModel(model, chunk, outputs);
        unknown = tapped.unknown;
        chunks.push(partsOf(tapped, model, chunk, outputs, mode, counted));
      } finally {
        if (chunk !== x) tf.dispose(chunk);
      }
    }
  } catch (error) {
    chunks.forEach(disposeParts);
    throw error;
  }
  const parts = joinedChunks(chunks);
  return {
    parts,
    samples,
    outputs: outputs.length,
    notes: notesOn(model, unknown, samples * outputs.length),
    dispose: () => disposeParts(parts),
  };
}

function joinedChunks(chunks: readonly (readonly Part[])[]): readonly Part[] {
  if (chunks.length === 1) return chunks[0];
  return chunks[0].flatMap((_, k) => {
    const pieces = chunks.map((parts) => parts[k]);
    const whole = keptParts(() => [concatenated(pieces)]);
    disposeParts(pieces);
    return whole;
  });
}

function notesOn(model: tf.LayersModel, unknown: readonly tf.layers.Layer[], passes: number): string[] {
  const notes: string[] = [];
  if (trainableLayers(model).some((layer) => layer.getClassName() === 'BatchNormalization'))
    notes.push(
      'Batch normalisation is taken in its inference form (moving statistics); in training form samples interact and there is no kernel.',
    );
  if (unknown.length > 0) {
    const names = unknown.map((layer) => `${layer.name} (${layer.getClassName()})`).join(', ');
    notes.push(
      `No structured rule for ${names}: their gradients are taken one sample and output at a time, ${passes} backward passes.`,
    );
  }
  return notes;
}

/** The parts of what a pass has recorded, which it disposes; `samples` are those of the whole kernel. */
function partsOf(
  tapped: TapResult,
  model: tf.LayersModel,
  x: tf.Tensor | tf.Tensor[],
  outputs: readonly number[],
  mode: KernelMode,
  samples: number,
): readonly Part[] {
  const byLayer = new Map<tf.layers.Layer, Tap[]>();
  for (const tap of tapped.taps) byLayer.set(tap.layer, [...(byLayer.get(tap.layer) ?? []), tap]);
  const parts: Part[] = [];
  try {
    for (const [layer, taps] of byLayer)
      parts.push(
        ...keptParts(() => [summed(partOf(layer, taps, outputs.length, samples), outputs.length, mode)]),
      );
    if (tapped.unknown.length === 0) return parts;
    for (const { layer, rows } of genericGradients(model, x, outputs, tapped.unknown)) {
      const part: Part = { kind: 'gradients', layer, rows: [rows] };
      parts.push(...keptParts(() => [summed(part, outputs.length, mode)]));
      if (mode === 'trace' && outputs.length > 1) rows.dispose();
    }
    return parts;
  } catch (error) {
    disposeParts(parts);
    throw error;
  } finally {
    tapped.dispose();
  }
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

/** `samples` are those of the whole kernel, by which the form is chosen. */
function partOf(layer: tf.layers.Layer, taps: readonly Tap[], outputs: number, samples: number): Part {
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
    return {
      kind: 'product',
      layer: name,
      input: flat,
      cotangent: tf.reshape(d, [n * outputs, c]) as tf.Tensor2D,
      per: outputs,
      biasScale: rule.biasScale / rule.scale,
      factor: rule.scale * rule.scale,
    };
  }
  // Operation counts of the two ways for the whole Gram matrix (trace form).
  const byGradients = 2 * samples * outputs * k * c * (positions + samples);
  const byPairs = 2 * samples * samples * positions * positions * (k + outputs * c);
  const tooLarge = samples * outputs * k * c > 2 ** 28;
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
