import * as tf from '../tf.js';
import { flatOutputs } from './outputs.js';
import { type LayerRule, ruleOf } from './rules.js';

/** One use of one layer in a forward pass: what went in, and the cotangent of what came out, for every output. */
export interface Tap {
  readonly layer: tf.layers.Layer;
  readonly rule: LayerRule;
  /** Input of the layer, [N, ...]. */
  readonly input: tf.Tensor;
  /** d f_o(x_i) / d pre-activation, one tensor [N, ...] an output. */
  readonly cotangents: tf.Tensor[];
}

export interface TapResult {
  readonly taps: readonly Tap[];
  readonly samples: number;
  readonly outputs: number;
  /** Trainable layers without a structured rule. */
  readonly unknown: readonly tf.layers.Layer[];
  dispose(): void;
}

interface OpenLayer {
  call(inputs: tf.Tensor | tf.Tensor[], kwargs: unknown): tf.Tensor | tf.Tensor[];
}

const identityWithRecord = (z: tf.Tensor, record: (dy: tf.Tensor) => void): tf.Tensor =>
  tf.customGrad((x) => {
    const input = x as tf.Tensor;
    return {
      value: tf.clone(input),
      gradFunc: (dy) => {
        record(dy as tf.Tensor);
        return dy as tf.Tensor;
      },
    };
  })(z);

/** Every layer of a model with trainable weights, those inside nested models included. */
export function trainableLayers(model: tf.LayersModel): tf.layers.Layer[] {
  const found = new Set<tf.layers.Layer>();
  const visit = (layer: tf.layers.Layer) => {
    const inner = (layer as unknown as { layers?: tf.layers.Layer[] }).layers;
    if (inner) inner.forEach(visit);
    else if (layer.trainableWeights.length > 0) found.add(layer);
  };
  model.layers.forEach(visit);
  return [...found];
}

/**
 * Runs the model once per output and records, for every layer that has a structured rule, its inputs and the cotangents
 * of its pre-activations. Because samples do not interact, the gradient of sum_i f_o(x_i) with respect to a
 * pre-activation holds every sample's own cotangent (Novak, Sohl-Dickstein and Schoenholz 2022).
 */
export function tapModel(
  model: tf.LayersModel,
  x: tf.Tensor | tf.Tensor[],
  outputs: readonly number[],
): TapResult {
  const samples = (Array.isArray(x) ? x[0] : x).shape[0] as number;
  const layers = trainableLayers(model);
  const rules = new Map(layers.map((layer) => [layer, ruleOf(layer)]));
  const uses: { layer: tf.layers.Layer; rule: LayerRule; input: tf.Tensor; cotangents: tf.Tensor[] }[] = [];
  for (const [pass, output] of outputs.entries()) {
    let use = 0;
    const tapped =
      (layer: tf.layers.Layer, rule: LayerRule, zero: tf.Tensor) => (inputs: tf.Tensor | tf.Tensor[]) => {
        const input = Array.isArray(inputs) ? inputs[0] : inputs;
        const at = use++;
        // Layers run in the same order in every pass, so that a use keeps its number.
        if (pass === 0) uses.push({ layer, rule, input: tf.keep(tf.clone(input)), cotangents: [] });
        const z = tf.add(rule.preActivation(input), zero);
        const seen = identityWithRecord(z, (dy) => {
          uses[at].cotangents[pass] = tf.keep(tf.clone(dy));
        });
        return rule.activate(seen);
      };
    tf.tidy(() => {
      const gradient = tf.grad((zero) => {
        const restore = install(rules, (layer, rule) => tapped(layer, rule, zero));
        try {
          const y = model.apply(x, { training: false }) as tf.Tensor | tf.Tensor[];
          return tf.sum(tf.slice2d(flatOutputs(y, samples), [0, output], [samples, 1]));
        } finally {
          restore();
        }
      });
      gradient(tf.scalar(0));
    });
  }
  for (const use of uses) {
    // A use whose output does not reach an output of the model has no cotangent there.
    for (let pass = 0; pass < outputs.length; pass++)
      use.cotangents[pass] ??= tf.keep(tf.tidy(() => tf.zerosLike(use.rule.preActivation(use.input))));
  }
  return {
    taps: uses,
    samples,
    outputs: outputs.length,
    unknown: layers.filter((layer) => rules.get(layer) === null),
    dispose: () => tf.dispose(uses.flatMap((use) => [use.input, ...use.cotangents])),
  };
}

/** Replaces the `call` of every layer that has a rule; returns what puts the originals back. */
function install(
  rules: ReadonlyMap<tf.layers.Layer, LayerRule | null>,
  make: (layer: tf.layers.Layer, rule: LayerRule) => OpenLayer['call'],
): () => void {
  const undo: (() => void)[] = [];
  for (const [layer, rule] of rules) {
    if (!rule) continue;
    const open = layer as unknown as OpenLayer;
    const own = Object.hasOwn(open, 'call') ? open.call : null;
    open.call = make(layer, rule);
    undo.push(() => {
      if (own) open.call = own;
      else delete (open as Partial<OpenLayer>).call;
    });
  }
  return () => {
    for (const restore of undo) restore();
  };
}
