import path from 'node:path';
import { InputError } from '../core/errors.js';
import { parseDataSpec } from './dataText.js';
import type { ExperimentDefinition } from './definition.js';
import { loadLayersModel } from './layersModel.js';
import { chooseExport, loadModelFile } from './load.js';
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
}

/** From a file on disk to a complete definition: loads, chooses the export, applies overrides, checks, fills defaults. */
export async function resolveExperiment(request: ResolveRequest): Promise<ResolvedExperiment> {
  const file = path.resolve(request.file);
  const folder = path.dirname(file);
  const data = request.data === undefined ? undefined : parseDataSpec(request.data);
  let exportName = request.exportName ?? 'default';
  let builder = true;
  let input: object;
  if (file.endsWith('.json')) {
    const build = await loadLayersModel(file);
    input = withData(file, { model: build }, data);
  } else {
    const chosen = chooseExport(file, await loadModelFile(file, { text: request.text }), request.exportName);
    exportName = chosen.name;
    builder = chosen.kind === 'builder';
    if (chosen.kind === 'builder') input = withData(file, { model: chosen.value }, data);
    else input = data ? { ...(chosen.value as object), data } : (chosen.value as object);
  }
  const definition = resolveDefinition(applyOverrides(input, request.overrides ?? {}), file);
  return { file, exportName, definition, folder, builder };
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
