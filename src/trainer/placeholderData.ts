import path from 'node:path';
import { InputError } from '../core/errors.js';
import { Random } from '../core/random.js';
import { modelOf } from '../experiment/builtModel.js';
import type { ModelBuilder } from '../experiment/definition.js';
import { chooseExport, loadModelFile } from '../experiment/load.js';
import { argsOf } from '../experiment/overrides.js';
import { resolveDefinition } from '../experiment/schema.js';
import { useBackend } from '../network/backends/index.js';
import type { Dataset, Split } from '../network/data/index.js';
import { buildModel } from '../network/models/build.js';
import { outputCount } from '../network/outputs.js';
import type { InspectRequest } from '../protocol/trainerWire.js';
import { builtFrom, type Prepared } from './prepare.js';

const samples = 64;

/**
 * A plain builder whose data nobody has said yet, made ready on inputs that stand in for it: standard normal ones, with
 * seeded targets of -1 and +1. What comes out tells of the network alone: shapes, shares of the layers, spectrum.
 */
export async function preparePlaceholderData(request: InspectRequest): Promise<Prepared> {
  const { file, text, exportName } = request;
  const backend = await useBackend(request.backend, {
    nativePath: request.nativePath,
    project: path.dirname(request.file),
  });
  const chosen = chooseExport(file, await loadModelFile(file, { text }), exportName || undefined);
  const definition = resolveDefinition({
    model: chosen.value,
    data: { kind: 'teacher', dimension: 1 },
    probe: samples,
  });
  const made = await modelOf(chosen.value as ModelBuilder, {
    file,
    name: chosen.name,
    args: argsOf(request.overrides),
    ofExperiment: false,
  });
  const built = await builtFrom(file, () =>
    buildModel(() => made.model, { inputShape: [], outputs: 1, seed: definition.seed }),
  );
  if (built.model.inputs.length > 1)
    throw new InputError(
      `${file}: the model has ${built.model.inputs.length} inputs; Kernelscope takes models with one.`,
      {
        file,
        field: 'model',
      },
    );
  const inputShape = built.model.inputs[0].shape.slice(1).map((n) => n ?? 1);
  const outputs = outputCount(built.model);
  const random = new Random(definition.seed).fork('stand-in');
  const split: Split = {
    size: samples,
    x: Float32Array.from(random.normals(samples * inputShape.reduce((a, n) => a * n, 1), 1)),
    y: Float32Array.from(random.normals(samples * outputs, 1), Math.sign),
    labels: null,
  };
  const data: Dataset = {
    name: 'normal inputs',
    inputShape,
    outputs,
    classes: null,
    train: split,
    test: split,
  };
  return {
    experiment: { file, exportName: chosen.name, definition, folder: '', sources: [], builder: true },
    backend,
    data,
    built,
    notes: made.notes,
  };
}
