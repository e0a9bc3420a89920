import path from 'node:path';
import type { Command } from 'commander';
import { InputError } from '../../core/errors.js';
import type { Architecture } from '../../core/kernels/architecture.js';
import { type Inputs, limitKernel } from '../../core/kernels/limit.js';
import { parseArchitecture } from '../../core/kernels/readArchitecture.js';
import { encodeNpy, toFloat64 } from '../../core/npy.js';
import { bytesOf, readNpy, writeResult } from '../io/arrays.js';
import { type ModelOptions, modelOptions, overridesOf } from '../io/options.js';

interface Options extends Omit<ModelOptions, 'data'> {
  readonly data?: string;
  readonly probe?: string;
  readonly probe2?: string;
  readonly kind: string;
  readonly out: string;
}

type Kind = 'nngp' | 'ntk';

/** Adds `kernelscope limit`: the NNGP or NTK kernel of an architecture at infinite width, float64 npy. */
export function register(program: Command): void {
  modelOptions(
    program
      .command('limit')
      .description('compute the kernel of an architecture or a model at infinite width')
      .argument('<file>', 'ARCH.json, or a model file (.ts, .js) or layers model.json'),
  )
    .option(
      '--probe <file>',
      "inputs, npy [N, d], [N, length, c] or [N, h, w, c]; a model file's own probe set when absent",
    )
    .option('--probe2 <file>', 'second inputs, for the rectangle between both')
    .option('--kind <kind>', 'nngp or ntk', 'ntk')
    .requiredOption('--out <file>', 'where to write the kernel, npy float64')
    .action(limitAction);
}

function probeOf(file: string): Inputs {
  const array = readNpy(file);
  return { shape: array.shape, data: toFloat64(array) };
}

function jsonOf(file: string): unknown {
  const text = new TextDecoder().decode(bytesOf(file));
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InputError(`${file} is not valid JSON: ${cause instanceof Error ? cause.message : ''}`, {
      file,
    });
  }
}

const isLayersModel = (json: unknown): boolean =>
  typeof json === 'object' && json !== null && ('modelTopology' in json || 'class_name' in json);

async function limitAction(file: string, options: Options): Promise<void> {
  const { kind, probe, probe2 } = options;
  if (kind !== 'nngp' && kind !== 'ntk')
    throw new InputError(`--kind is "${kind}"; it must be nngp or ntk.`, { field: '--kind' });
  const json = /\.[cm]?[jt]sx?$/.test(file) ? undefined : jsonOf(file);
  const { arch, x } =
    json === undefined || isLayersModel(json)
      ? await ofModel(file, options, kind)
      : { arch: parseArchitecture(json), x: probe === undefined ? null : probeOf(probe) };
  if (!x)
    throw new InputError(`${file} holds no inputs; give them with --probe X.npy.`, { field: '--probe' });
  const kernel = limitKernel(arch, x, probe2 === undefined ? null : probeOf(probe2), { kind });
  writeResult(options.out, encodeNpy(kernel.data, [kernel.rows, kernel.cols]));
}

/** The architecture that a model's layers, initialisers and factors stand for, at the scale of `kernelscope kernel`. */
async function ofModel(
  file: string,
  options: Options,
  kind: Kind,
): Promise<{ arch: Architecture; x: Inputs }> {
  const [{ useBackend }, { limitArchitecture }, { loadForKernel }] = await Promise.all([
    import('../../network/backends/index.js'),
    import('../../network/limit/builtArchitecture.js'),
    import('../io/kernelModel.js'),
  ]);
  await useBackend(options.backend);
  const given = options.probe === undefined ? null : probeOf(options.probe);
  const { built, probe } = await loadForKernel(
    {
      file: path.resolve(file),
      exportName: options.export,
      overrides: overridesOf(options),
      data: options.data,
    },
    given ? [given.shape.slice(1)] : undefined,
  );
  const arch = limitArchitecture(built, kind);
  const wanted = built.model.inputs[0].shape.slice(1);
  const found = given?.shape.slice(1) ?? wanted;
  if (found.length !== wanted.length || wanted.some((n, k) => n !== null && n !== found[k]))
    throw new InputError(
      `${options.probe} holds inputs of shape [${found.join(', ')}], but the model takes [${wanted.join(', ')}].`,
      { file: options.probe },
    );
  return { arch, x: given ?? inputsOf(probe()) };
}

function inputsOf(
  tensors: readonly { shape: number[]; dataSync(): ArrayLike<number>; dispose(): void }[],
): Inputs {
  const [tensor] = tensors;
  const x = { shape: tensor.shape, data: Float64Array.from(tensor.dataSync()) };
  for (const t of tensors) t.dispose();
  return x;
}
