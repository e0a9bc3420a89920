import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { InputError } from '../core/errors.js';
import { listed } from '../core/listed.js';
import * as tf from '../network/tf.js';
import { isKeras3, toKeras2 } from './keras/keras3.js';

interface ModelJson {
  readonly modelTopology?: unknown;
  readonly weightsManifest?: readonly {
    readonly paths: readonly string[];
    readonly weights: tf.io.WeightsManifestEntry[];
  }[];
}

/**
 * A layers `model.json` (TensorFlow.js, Keras 2 or 3) as a builder. Weights come from its shards when they are there, else
 * they are drawn from the layers' own initialisers, seeded by the run. A backend must run already.
 */
export async function loadLayersModel(file: string): Promise<(t: typeof tf) => tf.LayersModel> {
  if (!existsSync(file))
    throw new InputError(`${file} does not exist. Give the path of a layers model.json.`, { file });
  let json: ModelJson;
  try {
    json = JSON.parse(readFileSync(file, 'utf8')) as ModelJson;
  } catch (error) {
    throw new InputError(`${file} is not JSON (${error instanceof Error ? error.message : error}).`, {
      file,
    });
  }
  const stated = (json.modelTopology ?? json) as object;
  if (!/"(Sequential|Model|Functional)"/.test(JSON.stringify(stated)))
    throw new InputError(
      `${file} is no layers model: it holds no Sequential, Functional or Model topology. A graph model has no layers to inspect; export it as a layers model.`,
      { file },
    );
  const topology = isKeras3(stated) ? toKeras2(stated, file) : stated;
  requireKnownLayers(topology, file);
  const manifest = json.weightsManifest ?? [];
  const shards = manifest.flatMap((group) => group.paths.map((name) => path.join(path.dirname(file), name)));
  const missing = shards.filter((shard) => !existsSync(shard));
  if (missing.length > 0 && missing.length < shards.length)
    throw new InputError(
      `${file}: ${missing.length} of its ${shards.length} files of weights are missing (${listed(
        missing.map((m) => path.basename(m)),
        3,
      )}). Put them beside it.`,
      { file },
    );
  const complete = shards.length > 0 && missing.length === 0;
  const model = await built(topology, file);
  if (complete)
    await setWeights(
      model,
      manifest.flatMap((group) => group.weights),
      concatenated(shards),
      file,
    );
  return Object.assign(() => model, { keepsWeights: complete });
}

async function built(topology: object, file: string): Promise<tf.LayersModel> {
  try {
    return await tf.models.modelFromJSON({ modelTopology: topology } as never);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new InputError(`${file} could not be built: ${message.replace(/\s*\n\s*/g, ' ').slice(0, 300)}`, {
      file,
    });
  }
}

/** Every class of layer must be one that TensorFlow.js has, or that was registered. */
function requireKnownLayers(topology: object, file: string): void {
  const known = tf.serialization.SerializationMap.getMap().classNameMap;
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) for (const inner of value) visit(inner);
    if (typeof value !== 'object' || value === null) return;
    const fields = value as Record<string, unknown>;
    const layers = ['layers', 'cells'].flatMap((key) =>
      Array.isArray(fields[key]) ? (fields[key] as unknown[]) : [],
    );
    const single = ['layer', 'cell', 'backward_layer'].flatMap((key) => fields[key] ?? []);
    for (const inner of [...layers, ...single]) {
      const { class_name: className, config } = (inner ?? {}) as {
        class_name?: string;
        config?: { name?: string };
      };
      if (className !== undefined && !(className in known))
        throw new InputError(
          `${file}: the layer ${config?.name ?? className} is a ${className}, which TensorFlow.js does not have. Write the class in a model file, register it with tf.serialization.registerClass, and export a function that returns tf.loadLayersModel('file://${path.basename(file)}').`,
          { file, field: 'model' },
        );
    }
    for (const inner of Object.values(fields)) visit(inner);
  };
  visit(topology);
}

/** Gives a model the weights of its file: by name, and where names differ in order, if every shape fits. */
async function setWeights(
  model: tf.LayersModel,
  specs: tf.io.WeightsManifestEntry[],
  data: ArrayBuffer,
  file: string,
): Promise<void> {
  let tensors: tf.NamedTensorMap;
  try {
    tensors = tf.io.decodeWeights(data, specs);
  } catch (error) {
    throw new InputError(
      `${file}: its files of weights do not hold what it says (${(error as Error).message.split('\n')[0]}); they may be cut off, or belong to another model.`,
      { file },
    );
  }
  const held = specs.map(({ name }) => tensors[name]);
  const byName = new Map([
    ...specs.map(({ name }) => [withoutCell(name), tensors[name]] as const),
    ...specs.map(({ name }) => [name, tensors[name]] as const),
  ]);
  const named = model.weights.map((weight) => byName.get(weight.originalName));
  const found = named.every((tensor) => tensor !== undefined) ? (named as tf.Tensor[]) : inOrder(model, held);
  const fits =
    found.length === model.weights.length &&
    model.weights.every((weight, i) => same(weight.shape as number[], found[i].shape));
  if (!fits) {
    const i = model.weights.findIndex(
      (weight, k) => !found[k] || !same(weight.shape as number[], found[k].shape),
    );
    const wanted = model.weights[Math.max(0, i)];
    tf.dispose(held);
    throw new InputError(
      `${file}: its weights do not fit its layers: ${held.length} arrays for ${model.weights.length} weights; ${wanted.originalName} needs the shape [${wanted.shape.join(', ')}]. They may belong to another model.`,
      { file },
    );
  }
  for (const [i, weight] of model.weights.entries()) weight.write(found[i]);
  tf.dispose(held);
}

/** TensorFlow puts the name of a recurrent layer's cell into the names of its weights; TensorFlow.js does not. */
const withoutCell = (name: string): string => {
  const parts = name.split('/');
  return [...parts.slice(0, -2), parts[parts.length - 1]].join('/');
};

/** The arrays in the file's order, which is layer by layer; TensorFlow.js puts weights that do not train last. */
function inOrder(model: tf.LayersModel, held: readonly tf.Tensor[]): tf.Tensor[] {
  const byLayer = model.layers.flatMap((layer) => layer.weights);
  const places = new Map(byLayer.map((weight, i) => [weight, held[i]]));
  return byLayer.length === held.length
    ? model.weights.map((weight) => places.get(weight) as tf.Tensor)
    : [...held];
}

const same = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((n, i) => n === b[i]);

function concatenated(files: readonly string[]): ArrayBuffer {
  const parts = files.map((file) => readFileSync(file));
  const out = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out.buffer;
}
