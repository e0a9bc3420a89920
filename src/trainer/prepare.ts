import path from 'node:path';
import { InputError } from '../core/errors.js';
import { type ResolvedExperiment, resolveExperiment } from '../experiment/index.js';
import { placed } from '../experiment/load.js';
import { type BackendReport, useBackend } from '../network/backends/index.js';
import { type Dataset, loadData } from '../network/data/index.js';
import { type BuiltModel, buildModel } from '../network/models/build.js';
import type { RunRequest } from '../protocol/trainerWire.js';

/** Everything that is made ready before the first step. */
export interface Prepared {
  readonly experiment: ResolvedExperiment;
  readonly backend: BackendReport;
  readonly data: Dataset;
  readonly built: BuiltModel;
}

/** Loads a model file, its data and the backend, and builds the network. */
export async function prepare(
  request: Omit<RunRequest, 'runsFolder'> & { readonly text?: string },
  progress: (stage: string) => void,
): Promise<Prepared> {
  progress('loading the model file');
  const experiment = await resolveExperiment({
    file: request.file,
    exportName: request.exportName || undefined,
    overrides: request.overrides,
    data: request.data,
    text: request.text,
  });
  progress('starting the backend');
  const backend = await useBackend(request.backend, {
    nativePath: request.nativePath,
    project: path.dirname(request.file),
  });
  progress('reading the data');
  const { definition, folder } = experiment;
  const data = loadData(definition.data, { folder, seed: definition.seed, loss: definition.loss });
  progress('building the network');
  const built = builtFrom(experiment.file, () =>
    buildModel(definition.model, {
      inputShape: data.inputShape,
      outputs: data.outputs,
      seed: definition.seed,
    }),
  );
  requireFit(built, data, experiment.file);
  return { experiment, backend, data, built };
}

/** What a builder of the user throws gets its place in the user's file. */
export function builtFrom<T>(file: string, build: () => T): T {
  try {
    return build();
  } catch (error) {
    throw placed(file, error);
  }
}

/** The network must take the data's inputs and give its number of outputs. */
function requireFit(built: BuiltModel, data: Dataset, file: string): void {
  const inputs = built.model.inputs.map((t) => t.shape.slice(1));
  const wanted = inputs[0];
  if (inputs.length > 1)
    throw new InputError(`${file}: the model has ${inputs.length} inputs; training takes models with one.`, {
      file,
      field: 'model',
    });
  const fits =
    wanted.length === data.inputShape.length &&
    wanted.every((n, i) => n === null || n === data.inputShape[i]);
  if (!fits)
    throw new InputError(
      `${file}: the model takes inputs of shape [${wanted.join(', ')}], but ${data.name} has [${data.inputShape.join(', ')}]. Change the input shape, or ask for another shape of the data (shape: 'flat' or 'image').`,
      { file, field: 'model' },
    );
  const outputs = built.model.outputs[0].shape.slice(1).reduce<number>((a, n) => a * (n ?? 1), 1);
  if (outputs !== data.outputs)
    throw new InputError(
      `${file}: the model has ${outputs} outputs, but ${data.name} needs ${data.outputs}${data.classes ? ` for ${data.classes} classes` : ''}.`,
      { file, field: 'model' },
    );
}
