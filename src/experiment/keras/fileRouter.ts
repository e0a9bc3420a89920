import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { InputError } from '../../core/errors.js';
import * as tf from '../../network/tf.js';
import { isKeras3, toKeras2 } from './keras3.js';

interface Saved {
  readonly modelTopology?: object;
  readonly weightsManifest?: readonly { paths: string[]; weights: tf.io.WeightsManifestEntry[] }[];
}

let registered = false;

/**
 * Lets model files load what is saved beside them: `tf.loadLayersModel('file://model.json')`, as tfjs-node has it. Relative
 * paths start from the working folder or, where nothing is there, from the folder that `folder` says.
 */
export function routeFiles(folder: () => string): void {
  if (registered) return;
  registered = true;
  tf.io.registerLoadRouter((url) => {
    if (typeof url !== 'string' || !url.startsWith('file://')) return null as unknown as tf.io.IOHandler;
    return { load: () => Promise.resolve(read(placeOf(url, folder()))) };
  });
}

function placeOf(url: string, folder: string): string {
  const name = url.slice('file://'.length);
  if (path.isAbsolute(name)) return fileURLToPath(url);
  const here = path.resolve(name);
  return existsSync(here) ? here : path.resolve(folder, name);
}

function read(file: string): tf.io.ModelArtifacts {
  let saved: Saved;
  try {
    saved = JSON.parse(readFileSync(file, 'utf8')) as Saved;
  } catch (error) {
    throw new InputError(`${file} could not be read as a model.json (${(error as Error).message}).`, {
      file,
    });
  }
  const manifest = saved.weightsManifest ?? [];
  const stated = saved.modelTopology ?? {};
  const parts = manifest.flatMap((group) =>
    group.paths.map((name) => readFileSync(path.join(path.dirname(file), name))),
  );
  return {
    modelTopology: isKeras3(stated) ? toKeras2(stated, file) : stated,
    ...(parts.length > 0
      ? {
          weightSpecs: manifest.flatMap((group) => group.weights),
          weightData: Uint8Array.from(Buffer.concat(parts)).buffer,
        }
      : {}),
  };
}
