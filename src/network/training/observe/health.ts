import type { Dataset } from '../../data/index.js';
import { Elementwise } from '../../models/layers.js';
import * as tf from '../../tf.js';
import { probeRows, tensorsOf } from '../loop/batches.js';

export interface UnitHealth {
  /** Share of units never active on the probe inputs (relu and its kin); null where it means nothing. */
  readonly dead: number | null;
  /** Share of units saturated on nine of ten probe inputs (tanh, sigmoid, erf); null where it means nothing. */
  readonly saturated: number | null;
}

const rectifiers = new Set(['relu', 'relu6']);
/** Limits of a saturating activation; values within 1 % of one are saturated. */
const limits: Readonly<Record<string, readonly [number, number]>> = {
  tanh: [-1, 1],
  erf: [-1, 1],
  sigmoid: [0, 1],
};

function activationOf(layer: tf.layers.Layer): string | null {
  if (layer instanceof Elementwise) return layer.activation;
  const open = layer as unknown as { activation?: { getClassName(): string } | null };
  return open.activation?.getClassName() ?? null;
}

/** Dead and saturated units of every layer with an activation, on some training inputs. */
export function unitHealth(
  model: tf.LayersModel,
  data: Dataset,
  samples = 64,
): Readonly<Record<string, UnitHealth>> {
  const layers = model.layers.filter((layer) => {
    const name = activationOf(layer);
    return (
      name !== null &&
      (rectifiers.has(name) || name in limits) &&
      layer.inboundNodes.length === 1 &&
      layer !== model.layers[model.layers.length - 1]
    );
  });
  if (layers.length === 0) return {};
  const health: Record<string, UnitHealth> = {};
  tf.tidy(() => {
    const taps = tf.model({
      inputs: model.inputs,
      outputs: layers.map((layer) => layer.output as tf.SymbolicTensor),
    });
    const { x } = tensorsOf(data.train, data, probeRows(data, samples));
    const out = taps.apply(x) as tf.Tensor | tf.Tensor[];
    const values = Array.isArray(out) ? out : [out];
    for (const [i, layer] of layers.entries())
      health[layer.name] = healthOf(values[i], activationOf(layer) as string);
  });
  return health;
}

function healthOf(activations: tf.Tensor, name: string): UnitHealth {
  const units = activations.shape[activations.rank - 1];
  const values = activations.dataSync();
  const rows = values.length / units;
  const hits = new Uint32Array(units);
  const limit = limits[name];
  for (let i = 0; i < values.length; i++) {
    const hit = limit
      ? Math.min(values[i] - limit[0], limit[1] - values[i]) < 0.01 * (limit[1] - limit[0])
      : values[i] > 0;
    if (hit) hits[i % units]++;
  }
  if (limit) return { dead: null, saturated: hits.filter((h) => h >= 0.9 * rows).length / units };
  return { dead: hits.filter((h) => h === 0).length / units, saturated: null };
}

/** Training inputs that equal an earlier one while their targets differ. */
export function inputsWithClashingLabels(data: Dataset): number {
  const { x, y, size } = data.train;
  const width = x.length / size;
  const seen = new Map<string, number>();
  let clashes = 0;
  for (let i = 0; i < size; i++) {
    const key = Buffer.from(x.buffer, x.byteOffset + 4 * i * width, 4 * width).toString('latin1');
    const other = seen.get(key);
    if (other === undefined) seen.set(key, i);
    else if (
      Array.from(
        { length: data.outputs },
        (_, o) => y[i * data.outputs + o] !== y[other * data.outputs + o],
      ).some(Boolean)
    )
      clashes++;
  }
  return clashes;
}
