import { readFile, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { InputError } from '../../core/errors.js';
import { parseArchitecture } from '../../core/kernels/architecture.js';
import { type Inputs, limitKernel } from '../../core/kernels/limit.js';
import { decodeNpy, encodeNpy, toFloat64 } from '../../core/npy.js';

interface Options {
  readonly probe: string;
  readonly probe2?: string;
  readonly kind: string;
  readonly out: string;
}

/** Adds `kernelscope limit`: the NNGP or NTK kernel of an architecture at infinite width, float64 npy. */
export function register(program: Command): void {
  program
    .command('limit')
    .description('compute the kernel of an architecture at infinite width')
    .argument('<architecture>', 'ARCH.json')
    .requiredOption('--probe <file>', 'inputs, npy [N, d] or [N, h, w, c]')
    .option('--probe2 <file>', 'second inputs, for the rectangle between both')
    .option('--kind <kind>', 'nngp or ntk', 'ntk')
    .requiredOption('--out <file>', 'where to write the kernel, npy float64')
    .action(limitAction);
}

async function bytesOf(file: string): Promise<Uint8Array> {
  try {
    // A copy: slices of a Buffer are views into a shared pool, which the npy reader must not see.
    return new Uint8Array(await readFile(file));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new InputError(`${file} cannot be read (${why}); give the path of an existing file.`, { file });
  }
}

async function probeOf(file: string): Promise<Inputs> {
  const bytes = await bytesOf(file);
  try {
    const array = decodeNpy(bytes, file);
    const data = toFloat64(array);
    if (!data.every(Number.isFinite)) throw new RangeError(`${file} holds values that are not finite.`);
    return { shape: array.shape, data };
  } catch (cause) {
    throw new InputError(cause instanceof Error ? cause.message : String(cause), { file });
  }
}

async function limitAction(file: string, options: Options): Promise<void> {
  const { kind } = options;
  if (kind !== 'nngp' && kind !== 'ntk')
    throw new InputError(`--kind is "${kind}"; it must be nngp or ntk.`, { field: '--kind' });
  const text = new TextDecoder().decode(await bytesOf(file));
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new InputError(`${file} is not valid JSON: ${cause instanceof Error ? cause.message : ''}`, {
      file,
    });
  }
  const arch = parseArchitecture(json);
  const x = await probeOf(options.probe);
  const x2 = options.probe2 === undefined ? null : await probeOf(options.probe2);
  const kernel = limitKernel(arch, x, x2, { kind });
  await writeFile(options.out, encodeNpy(kernel.data, [kernel.rows, kernel.cols]));
}
