import path from 'node:path';
import { InputError } from '../core/errors.js';
import { parseDataSpec } from './dataText.js';
import type { ExperimentDefinition } from './definition.js';
import { loadLayersModel } from './layersModel.js';
import { chooseExport, loadedFiles, loadModelFile, placed } from './load.js';
import { applyOverrides } from './overrides.js';
import { resolveDefinition } from './schema.js';

export interface ResolveRequest {
  readonly file: string;
  readonly exportName?: string;
  readonly overrides?: Readonly<Record<string, unknown>>;
  /** Unsaved text of the file. */
  readonly text?: string;
  /** Data for plain builders, as text (`digits`, `mnist:0,1?train=512`). */
  readonly data?: string;
}

export interface ResolvedExperiment {
  readonly file: string;
  readonly exportName: string;
  readonly definition: ExperimentDefinition;
  /** Folder that relative paths in the definition start from. */
  readonly folder: string;
  /** The model is a plain builder, or a layers model, not part of an experiment. */
  readonly builder: boolean;
  /** The file and the workspace files that it imports. */
  readonly sources: readonly string[];
}

/** From a file on disk to a complete definition: loads, chooses the export, applies overrides, checks, fills defaults. */
export const resolveExperiment = async (request: ResolveRequest): Promise<ResolvedExperiment> =>
  (await resolver(request))(request.overrides ?? {});

/** Loads a file once, for definitions under many overrides. */
export async function resolver(
  request: Omit<ResolveRequest, 'overrides'>,
): Promise<(overrides: Readonly<Record<string, unknown>>) => ResolvedExperiment> {
  const file = path.resolve(request.file);
  const folder = path.dirname(file);
  const data = request.data === undefined ? undefined : parseDataSpec(request.data);
  let exportName = request.exportName ?? 'default';
  let builder = true;
  let input: object;
  let sources: readonly string[] = [file];
  if (file.endsWith('.json')) {
    const build = await loadLayersModel(file);
    input = withData(file, { model: build }, data);
  } else {
    const exports = await loadModelFile(file, { text: request.text });
    sources = loadedFiles.current;
    const chosen = chooseExport(file, exports, request.exportName);
    exportName = chosen.name;
    builder = chosen.kind === 'builder';
    if (chosen.kind === 'builder') input = withData(file, { model: chosen.value }, data);
    else input = data ? { ...(chosen.value as object), data } : (chosen.value as object);
  }
  return (overrides) => {
    try {
      const definition = resolveDefinition(applyOverrides(input, overrides), file);
      return { file, exportName, definition, folder, sources, builder };
    } catch (error) {
      // Reading a field may run code of the user: getters, proxies.
      throw error instanceof InputError ? error : placed(file, error, true);
    }
  };
}

function withData(file: string, input: object, data: unknown): object {
  if (!data)
    throw new InputError(
      `${file} holds a model without data. Say what to train it on with --data, such as --data digits or --data mnist:0,1?train=512.`,
      { file, field: 'data' },
    );
  // A classifier's outputs are most often classes; squared loss stays one --set loss=mse away.
  return { ...input, data };
}
