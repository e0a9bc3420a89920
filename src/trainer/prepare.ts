import path from 'node:path';
import { InputError } from '../core/errors.js';
import { say } from '../core/say.js';
import { modelOf } from '../experiment/builtModel.js';
import { type ResolvedExperiment, resolveExperiment } from '../experiment/index.js';
import { placed } from '../experiment/load.js';
import { type BackendReport, useBackend } from '../network/backends/index.js';
import { type Dataset, dataOf } from '../network/data/index.js';
import { type BuiltModel, buildModel } from '../network/models/build.js';
import { outputCount } from '../network/outputs.js';
import type { RunRequest } from '../protocol/trainerWire.js';
import { compiledNote } from './checks/compiled.js';
import { requireClasses } from './checks/outputProblems.js';

/** Everything that is made ready before the first step. */
export interface Prepared {
  readonly experiment: ResolvedExperiment;
  readonly backend: BackendReport;
  readonly data: Dataset;
  readonly built: BuiltModel;
  /** What was found out, left out or replaced on the way, in sentences. */
  readonly notes: readonly string[];
}

/** Loads a model file, its data and the backend, and builds the network. */
export async function prepare(
  request: Omit<RunRequest, 'runsFolder'> & { readonly text?: string },
  progress: (stage: string) => void,
): Promise<Prepared> {
  // A model file may make tensors while it is loaded.
  progress('starting the backend');
  const backend = await useBackend(request.backend, {
    nativePath: request.nativePath,
    project: path.dirname(request.file),
  });
  progress('loading the model file');
  const experiment = await resolveExperiment({
    file: request.file,
    exportName: request.exportName || undefined,
    overrides: request.overrides,
    data: request.data,
    text: request.text,
  });
  progress('reading the data');
  const { definition, folder } = experiment;
  const context = { folder, seed: definition.seed, loss: definition.loss };
  const data = await builtFrom(experiment.file, () => dataOf(definition.data, context, experiment.file));
  requireClasses(data, definition, experiment.file);
  progress('building the network');
  const { built, notes } = await networkOf(experiment, data);
  requireFit(built, data, experiment.file);
  const compiled = compiledNote(built.model, definition);
  return {
    experiment,
    backend,
    data,
    built,
    notes: [...(data.notes ?? []), ...notes, ...(compiled ? [compiled] : [])],
  };
}

/** The network of an experiment for its data; builders of the file are called with what they ask for. */
async function networkOf(
  { definition, file, exportName, builder }: ResolvedExperiment,
  data: Dataset,
): Promise<{ built: BuiltModel; notes: readonly string[] }> {
  const size = { inputShape: data.inputShape, outputs: data.outputs };
  const { model: spec, seed, args = {} } = definition;
  if (typeof spec !== 'function')
    return { built: await builtFrom(file, () => buildModel(spec, { ...size, seed })), notes: [] };
  const made = await modelOf(spec, { ...size, file, name: exportName, args, ofExperiment: !builder });
  const keeps = (spec as { keepsWeights?: boolean }).keepsWeights === true;
  const model = Object.assign(() => made.model, { keepsWeights: keeps });
  const built = await builtFrom(file, () => buildModel(model, { ...size, seed }));
  const { kept } = built;
  const notes = kept
    ? [
        say`${kept.weights} of ${kept.of} arrays of weights were set by the file and keep their values; the seed draws the others.`,
      ]
    : [];
  return { built, notes: [...made.notes, ...notes] };
}

/** What a builder of the user throws gets its place in the user's file. */
export async function builtFrom<T>(file: string, build: () => T | Promise<T>): Promise<T> {
  try {
    return await build();
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
  const outputs = outputCount(built.model);
  if (outputs !== data.outputs)
    throw new InputError(
      `${file}: the model has ${outputs} outputs, but ${data.name} needs ${data.outputs}${data.classes ? ` for ${data.classes} classes` : ''}.`,
      { file, field: 'model' },
    );
}
