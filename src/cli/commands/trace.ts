import { readFileSync } from 'node:fs';
import path from 'node:path';
import { inflateRawSync } from 'node:zlib';
import type { Command } from 'commander';
import { InputError } from '../../core/errors.js';
import { eigenvalues } from '../../core/linalg/eigen.js';
import { matrixFrom } from '../../core/linalg/matrix.js';
import { noiseFloor } from '../../core/linalg/spectrum.js';
import { listed } from '../../core/listed.js';
import { toFloat64 } from '../../core/npy.js';
import { decodeNpz, encodeNpz } from '../../core/npz.js';
import { sparkline } from '../../core/series/index.js';
import type { CheckpointFile } from '../../experiment/checkpoints/find.js';
import type { NamedArray } from '../../experiment/checkpoints/safetensors.js';
import type * as tf from '../../network/tf.js';
import { asInput, bytesOf, readNpy, writeResult } from '../io/arrays.js';
import { type BackendOption, overridesOf, parseBackend, printJson, short } from '../io/options.js';

interface Options {
  readonly model?: string;
  readonly export?: string;
  readonly arg: readonly string[];
  readonly probe: string;
  readonly out?: string;
  readonly backend: BackendOption;
  readonly json?: boolean;
}

const gather = (value: string, all: readonly string[]): string[] => [...all, value];

export function register(program: Command): void {
  program
    .command('trace')
    .description('kernel, spectrum and movement along a folder of checkpoints, whatever trained them')
    .argument(
      '<folder>',
      'folders as model.save writes them, layers models (.json), .npz or .safetensors files',
    )
    .requiredOption('--probe <file>', 'inputs, npy [N, ...]')
    .option(
      '--model <file>',
      'model file or model.json of the network, for checkpoints that are weights alone',
    )
    .option('--export <name>', 'which export of the model file')
    .option('--arg <name=value>', 'an argument of the model builder; may be given several times', gather, [])
    .option('--out <file>', 'npz for the kernels: one [N, N] a checkpoint, by name')
    .option('--backend <name>', 'auto, native, wasm or cpu', parseBackend, 'auto' as BackendOption)
    .option('--json', 'one JSON document on stdout')
    .action(traceAction);
}

/** What one checkpoint says. */
interface Traced {
  readonly name: string;
  readonly eigenvalues: Float64Array;
  /** |K - K_0|_F / |K_0|_F of the trace kernel on the probe inputs. */
  readonly drift: number;
  /** |w - w_0| / |w_0| over all weights that train, and of each layer. */
  readonly movement: number;
  readonly layers: Readonly<Record<string, number>>;
}

async function traceAction(folder: string, options: Options): Promise<void> {
  const [{ useBackend }, tfjs, { empiricalKernel }, { findCheckpoints }] = await Promise.all([
    import('../../network/backends/index.js'),
    import('../../network/tf.js'),
    import('../../network/kernel/index.js'),
    import('../../experiment/checkpoints/find.js'),
  ]);
  const backend = await useBackend(options.backend);
  const { checkpoints, others } = findCheckpoints(path.resolve(folder));
  const probe = readNpy(options.probe);
  if (others.length > 0)
    process.stderr.write(`${folder}: left out, for they are no checkpoints: ${listed(others)}.\n`);
  const network = new Network(options, probe.shape.slice(1));
  const x = tfjs.tensor(Float32Array.from(toFloat64(probe)), [...probe.shape]);
  const kernels: Record<string, { data: Float32Array; shape: number[] }> = {};
  const traced: Traced[] = [];
  const said = new Set<string>();
  let start: { kernel: Float32Array; weights: readonly LayerWeights[] } | null = null;
  for (const checkpoint of checkpoints) {
    const model = await network.at(checkpoint);
    requireShape(model, probe.shape.slice(1), options.probe);
    const { data, rows, notes } = await empiricalKernel(model, x, { mode: 'trace' });
    for (const note of notes) said.add(note);
    const kernel = data as Float32Array;
    const weights = layerWeights(model);
    start ??= { kernel, weights };
    requireSameWeights(start.weights, weights, checkpoint, checkpoints[0]);
    traced.push({
      name: checkpoint.name,
      eigenvalues: eigenvalues(matrixFrom(rows, rows, Float64Array.from(kernel))),
      drift: distance(kernel, start.kernel),
      ...movementOf(weights, start.weights),
    });
    kernels[checkpoint.name.replace(/\.npz$|\.safetensors$|\.json$/, '')] = {
      data: kernel,
      shape: [rows, rows],
    };
    if (!options.json)
      process.stdout.write(`${traced.length === 1 ? heading : ''}${line(traced[traced.length - 1])}\n`);
    network.done(model);
  }
  for (const note of said) process.stderr.write(`${note}\n`);
  if (options.out) writeResult(options.out, encodeNpz(kernels));
  if (options.json) printJson({ checkpoints: traced, probe: probe.shape[0], backend: backend.name });
}

/** The network of the checkpoints: one model that takes their weights, or the one each of them holds. */
class Network {
  private own: Promise<tf.LayersModel> | null = null;

  constructor(
    private readonly options: Options,
    private readonly inputShape: readonly number[],
  ) {}

  async at(checkpoint: CheckpointFile): Promise<tf.LayersModel> {
    const tfjs = await import('../../network/tf.js');
    if (checkpoint.kind === 'model') {
      const { loadLayersModel } = await import('../../experiment/layersModel.js');
      const build = await loadLayersModel(checkpoint.file);
      if (!(build as { keepsWeights?: boolean }).keepsWeights)
        throw new InputError(`${checkpoint.file} has no weights beside it, so it is no checkpoint.`, {
          file: checkpoint.file,
        });
      return build(tfjs);
    }
    if (!this.options.model)
      throw new InputError(
        `${checkpoint.file} holds weights alone. Say with --model which network they are of: a model file or a model.json.`,
        { file: checkpoint.file, field: '--model' },
      );
    this.own ??= this.load(this.options.model);
    const model = await this.own;
    const { assignArrays, writeWeights } = await import('../../experiment/checkpoints/assign.js');
    writeWeights(model, assignArrays(model, await arraysOf(checkpoint), checkpoint.file));
    return model;
  }

  /** A model that a checkpoint brought is not needed any more. */
  done(model: tf.LayersModel): void {
    if (this.own === null) model.dispose();
  }

  private async load(file: string): Promise<tf.LayersModel> {
    const { loadForKernel } = await import('../io/kernelModel.js');
    const overrides = overridesOf({ set: [], arg: this.options.arg });
    const request = { file: path.resolve(file), exportName: this.options.export, overrides };
    const { built } = await loadForKernel(request, [this.inputShape]);
    return built.model;
  }
}

async function arraysOf({ kind, file }: CheckpointFile): Promise<NamedArray[]> {
  if (kind === 'safetensors') {
    const { readSafetensors } = await import('../../experiment/checkpoints/safetensors.js');
    return readSafetensors(readFileSync(file), file);
  }
  const arrays = asInput(file, () => decodeNpz(bytesOf(file), file, inflateRawSync));
  return [...arrays].map(([name, array]) => ({
    name,
    shape: array.shape,
    values: Float32Array.from(toFloat64(array)),
  }));
}

function requireShape(model: tf.LayersModel, given: readonly number[], file: string): void {
  const wanted = model.inputs[0].shape.slice(1);
  if (
    model.inputs.length === 1 &&
    wanted.length === given.length &&
    wanted.every((n, i) => n === null || n === given[i])
  )
    return;
  throw new InputError(
    model.inputs.length > 1
      ? `The network has ${model.inputs.length} inputs; trace takes networks with one.`
      : `${file} holds inputs of shape [${given.join(', ')}], but the network takes [${wanted.join(', ')}].`,
    { file, field: '--probe' },
  );
}

interface LayerWeights {
  readonly layer: string;
  readonly shapes: string;
  readonly values: readonly Float32Array[];
}

/** Weights that train, by layer. */
function layerWeights(model: tf.LayersModel): LayerWeights[] {
  const training = new Set(model.trainableWeights);
  return model.layers
    .map((layer) => ({ layer, weights: layer.trainableWeights.filter((weight) => training.has(weight)) }))
    .filter(({ weights }) => weights.length > 0)
    .map(({ layer, weights }) => ({
      layer: layer.name,
      shapes: weights.map((weight) => weight.shape.join('x')).join(','),
      values: weights.map((weight) => (weight.read().dataSync() as Float32Array).slice()),
    }));
}

/** Movement means something between states of one network only. */
function requireSameWeights(
  first: readonly LayerWeights[],
  now: readonly LayerWeights[],
  checkpoint: CheckpointFile,
  { name }: CheckpointFile,
): void {
  if (first.length === now.length && first.every(({ shapes }, i) => shapes === now[i].shapes)) return;
  throw new InputError(
    `${checkpoint.file} is a network of other layers than ${name}. A folder holds the checkpoints of one training.`,
    { file: checkpoint.file },
  );
}

function movementOf(
  now: readonly LayerWeights[],
  start: readonly LayerWeights[],
): Pick<Traced, 'movement' | 'layers'> {
  let moved = 0;
  let size = 0;
  const layers: Record<string, number> = {};
  for (const [l, { values, layer }] of start.entries()) {
    let square = 0;
    let norm = 0;
    for (const [k, before] of values.entries())
      for (let i = 0; i < before.length; i++) {
        square += (now[l].values[k][i] - before[i]) ** 2;
        norm += before[i] ** 2;
      }
    layers[layer] = Math.sqrt(square) / (Math.sqrt(norm) || 1);
    moved += square;
    size += norm;
  }
  return { movement: Math.sqrt(moved) / (Math.sqrt(size) || 1), layers };
}

function distance(a: Float32Array, b: Float32Array): number {
  let square = 0;
  let norm = 0;
  for (let i = 0; i < a.length; i++) {
    square += (a[i] - b[i]) ** 2;
    norm += b[i] ** 2;
  }
  return Math.sqrt(square) / (Math.sqrt(norm) || 1);
}

const heading = `${'checkpoint'.padEnd(24)}     λ max     λ min     drift  movement  spectrum\n`;

function line({ name, eigenvalues: values, drift, movement }: Traced): string {
  const cells = [values[0], values[values.length - 1], drift, movement].map((v) => short(v, 3).padStart(9));
  const picture = sparkline(values, { width: 12, logIndex: true, floor: noiseFloor(values) });
  return `${name.slice(0, 24).padEnd(24)} ${cells.join(' ')}  ${picture}`;
}
