import { InputError } from '../../core/errors.js';
import { type BuilderRequest, modelOf } from '../../experiment/builtModel.js';
import type { ModelBuilder } from '../../experiment/definition.js';
import { argsOf, chooseExport, loadModelFile, resolveExperiment } from '../../experiment/index.js';
import { loadLayersModel } from '../../experiment/layersModel.js';
import { dataOf } from '../../network/data/index.js';
import { type BuiltModel, buildModel } from '../../network/models/build.js';
import type * as tf from '../../network/tf.js';
import { probeRows, tensorsOf } from '../../network/training/index.js';

interface Request {
  readonly file: string;
  readonly exportName?: string;
  readonly overrides: Readonly<Record<string, unknown>>;
  readonly data?: string;
}

export interface KernelModel {
  readonly built: BuiltModel;
  /** The experiment's probe inputs; an InputError for a model without data. */
  readonly probe: () => tf.Tensor[];
}

/** The model of a file, with seeded initial weights. A plain builder or layers model needs no data for its kernel. */
export async function loadForKernel(
  request: Request,
  probeShapes: readonly (readonly number[])[] | undefined,
): Promise<KernelModel> {
  const { file, exportName } = request;
  const builder = await plainBuilder(file, exportName);
  if (builder && request.data === undefined) {
    const { seed, ...rest } = request.overrides;
    const args = argsOf(rest);
    const others = Object.keys(rest).filter((name) => !name.startsWith('args.'));
    if (others.length > 0)
      throw new InputError(
        `--set ${others[0]}: ${file} holds a model without a definition, so there are no fields to set.`,
        { file },
      );
    const model = await made(builder, {
      file,
      name: exportName ?? 'default',
      args,
      ofExperiment: false,
      inputShape: probeShapes?.[0],
    });
    const built = buildModel(model, {
      inputShape: probeShapes?.[0] ?? [],
      outputs: 1,
      seed: Number(seed ?? 0),
    });
    return {
      built,
      probe: () => {
        throw new InputError(`${file} holds a model without data; give its inputs with --probe X.npy.`, {
          file,
        });
      },
    };
  }
  const experiment = await resolveExperiment(request);
  const { definition, folder } = experiment;
  const data = await dataOf(
    definition.data,
    { folder, seed: definition.seed, loss: definition.loss },
    request.file,
  );
  for (const note of data.notes ?? []) process.stderr.write(`${note}\n`);
  const size = { inputShape: probeShapes?.[0] ?? data.inputShape, outputs: data.outputs };
  const { model: spec, args = {}, seed } = definition;
  const model =
    typeof spec === 'function'
      ? await made(spec, {
          ...size,
          file,
          name: experiment.exportName,
          args,
          ofExperiment: !experiment.builder,
        })
      : spec;
  const built = buildModel(model, { ...size, seed });
  return {
    built,
    probe: () => {
      const { x, y } = tensorsOf(data.train, data, probeRows(data, definition.probe));
      y.dispose();
      return [x];
    },
  };
}

/** A builder that answers with the model that one of the file made; what was guessed goes to stderr. */
async function made(builder: ModelBuilder, request: BuilderRequest): Promise<ModelBuilder> {
  const { model, notes } = await modelOf(builder, request);
  for (const note of notes) process.stderr.write(`${note}\n`);
  const keepsWeights = (builder as { keepsWeights?: boolean }).keepsWeights === true;
  return Object.assign(() => model, { keepsWeights });
}

async function plainBuilder(file: string, exportName: string | undefined): Promise<ModelBuilder | null> {
  if (file.endsWith('.json')) return (await loadLayersModel(file)) as ModelBuilder;
  const chosen = chooseExport(file, await loadModelFile(file), exportName);
  return chosen.kind === 'builder' ? (chosen.value as ModelBuilder) : null;
}
