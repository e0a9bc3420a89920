import path from 'node:path';
import { inflateRawSync } from 'node:zlib';
import type { Command } from 'commander';
import { InputError } from '../../core/errors.js';
import { encodeNpy, type NpyArray } from '../../core/npy.js';
import { decodeNpz, encodeNpz } from '../../core/npz.js';
import { asInput, bytesOf, readNpy, writeResult } from '../io/arrays.js';
import { type ModelOptions, modelOptions, overridesOf, wholeNumber } from '../io/options.js';

interface Options extends Omit<ModelOptions, 'data'> {
  readonly data?: string;
  readonly weights?: string;
  readonly probe?: string[];
  readonly probe2?: string[];
  readonly mode: string;
  readonly output?: string;
  readonly perLayer?: boolean;
  readonly out: string;
}

/** `kernelscope kernel`: the empirical NTK of a model on given inputs, float32 npy (an npz per layer). */
export function register(program: Command): void {
  modelOptions(
    program
      .command('kernel')
      .description('compute the empirical neural tangent kernel of a model')
      .argument('<file>', 'model file (.ts, .js) or layers model.json'),
  )
    .option(
      '--weights <file>',
      'npz with the arrays "0", "1", ... of model.getWeights(); else the seeded initial ones',
    )
    .option(
      '--probe <file...>',
      "inputs, npy [N, ...], one file an input of the model; else the experiment's probe set",
    )
    .option('--probe2 <file...>', 'second inputs, for the rectangle between both')
    .option('--mode <mode>', 'trace [N, N] (mean over outputs) or full [N O, N O] (row i O + o)', 'trace')
    .option('--output <o>', 'the kernel of one output only')
    .option('--per-layer', 'write an npz with the part of every layer by name, and "total"')
    .requiredOption('--out <file>', 'where to write the kernel')
    .action(kernelAction);
}

const singles = (array: NpyArray): Float32Array =>
  array.data instanceof Float32Array
    ? array.data
    : Float32Array.from(array.data as ArrayLike<number | bigint>, Number);

async function kernelAction(file: string, options: Options): Promise<void> {
  const { mode } = options;
  if (mode !== 'trace' && mode !== 'full')
    throw new InputError(`--mode is "${mode}"; it must be trace or full.`, { field: '--mode' });
  const [{ useBackend }, tf, { empiricalKernel }, { loadForKernel }] = await Promise.all([
    import('../../network/backends/index.js'),
    import('../../network/tf.js'),
    import('../../network/kernel/index.js'),
    import('../io/kernelModel.js'),
  ]);
  // A layers model.json is data; a model file is run, and its project with it.
  const project = file.endsWith('.json') ? undefined : path.dirname(path.resolve(file));
  await useBackend(options.backend, { project });
  const shapes = options.probe?.map((name) => readNpy(name).shape.slice(1));
  const { built, probe } = await loadForKernel(
    {
      file: path.resolve(file),
      exportName: options.export,
      overrides: overridesOf(options),
      data: options.data,
    },
    shapes,
  );
  const { model } = built;
  if (options.weights) {
    const shapes = model.getWeights().map((w) => w.shape);
    const tensors = readWeights(options.weights, shapes).map(({ data, shape }) =>
      tf.tensor(data, [...shape]),
    );
    model.setWeights(tensors);
    tf.dispose(tensors);
  }
  const inputsOf = (files: readonly string[] | undefined) => {
    if (!files) return probe();
    if (files.length !== model.inputs.length)
      throw new InputError(
        `The model has ${model.inputs.length} inputs, but ${files.length} files of inputs were given; give one npy an input, in order.`,
        { field: '--probe' },
      );
    return files.map((name, i) => {
      const array = readNpy(name);
      const wanted = model.inputs[i].shape.slice(1);
      const given = array.shape.slice(1);
      if (given.length !== wanted.length || wanted.some((n, k) => n !== null && n !== given[k]))
        throw new InputError(
          `${name} holds inputs of shape [${given.join(', ')}], but input ${i} of the model takes [${wanted.join(', ')}].`,
          { file: name },
        );
      return tf.tensor(singles(array), [...array.shape]);
    });
  };
  const one = (tensors: ReturnType<typeof inputsOf>) => (tensors.length === 1 ? tensors[0] : tensors);
  const x = inputsOf(options.probe);
  const against = options.probe2 ? one(inputsOf(options.probe2)) : undefined;
  const kernel = await empiricalKernel(model, one(x), {
    mode,
    against,
    output: options.output === undefined ? undefined : wholeNumber('--output', options.output),
    perLayer: options.perLayer,
  });
  for (const note of kernel.notes) process.stderr.write(`${note}\n`);
  const shape = [kernel.rows, kernel.cols];
  const bytes = options.perLayer
    ? encodeNpz({
        ...Object.fromEntries(
          Object.entries(kernel.perLayer ?? {}).map(([name, data]) => [name, { data, shape }]),
        ),
        total: { data: kernel.data, shape },
      })
    : encodeNpy(kernel.data, shape);
  writeResult(options.out, bytes);
}

/** The arrays "0", "1", ... (or numpy's arr_0, arr_1, ...) of an npz, which must fit `model.getWeights()`. */
function readWeights(
  file: string,
  wanted: readonly (readonly number[])[],
): { data: Float32Array; shape: readonly number[] }[] {
  const arrays = asInput(file, () => decodeNpz(bytesOf(file), file, inflateRawSync));
  const values = wanted.map((shape, i) => {
    const array = arrays.get(String(i)) ?? arrays.get(`arr_${i}`);
    if (!array)
      throw new InputError(
        `${file} has no array "${i}" (or "arr_${i}"); it must hold the ${wanted.length} arrays of model.getWeights() in order, and holds ${[...arrays.keys()].join(', ')}.`,
        { file },
      );
    if (array.shape.length !== shape.length || array.shape.some((n, k) => n !== shape[k]))
      throw new InputError(
        `${file}: array "${i}" has shape [${array.shape.join(', ')}], but that weight of the model has [${shape.join(', ')}].`,
        { file },
      );
    return { data: singles(array), shape };
  });
  if (arrays.size > wanted.length)
    throw new InputError(`${file} holds ${arrays.size} arrays, but the model has ${wanted.length} weights.`, {
      file,
    });
  return values;
}
