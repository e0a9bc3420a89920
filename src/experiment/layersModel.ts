import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { InputError } from '../core/errors.js';
import * as tf from '../network/tf.js';

interface ModelJson {
  readonly modelTopology?: unknown;
  readonly weightsManifest?: readonly {
    readonly paths: readonly string[];
    readonly weights: tf.io.WeightsManifestEntry[];
  }[];
}

/**
 * A layers `model.json` (TensorFlow.js or Keras) as a builder. Weights come from its shards when they are there, else
 * they are drawn from the layers' own initialisers, seeded by the run.
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
  const topology = json.modelTopology ?? json;
  if (!/"(Sequential|Model|Functional)"/.test(JSON.stringify(topology)))
    throw new InputError(
      `${file} is no layers model: it holds no Sequential, Functional or Model topology. A graph model has no layers to inspect; export it as a layers model.`,
      { file },
    );
  const shards = (json.weightsManifest ?? []).flatMap((group) =>
    group.paths.map((name) => path.join(path.dirname(file), name)),
  );
  const complete = shards.length > 0 && shards.every((shard) => existsSync(shard));
  let model: tf.LayersModel;
  try {
    model = complete
      ? await tf.loadLayersModel(
          tf.io.fromMemory({
            modelTopology: topology as object,
            weightSpecs: (json.weightsManifest ?? []).flatMap((group) => group.weights),
            weightData: concatenated(shards),
          }),
        )
      : await tf.models.modelFromJSON({ modelTopology: topology } as never);
  } catch (error) {
    throw new InputError(
      `${file} could not be built: ${error instanceof Error ? error.message.split('\n')[0] : error}`,
      { file },
    );
  }
  return Object.assign(() => model, { keepsWeights: complete });
}

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
