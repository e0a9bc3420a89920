import type { Command } from 'commander';
import { InputError } from '../../core/errors.js';
import { nativeHome } from '../../network/backends/native.js';
import { setUpNative } from '../../network/backends/setup/install.js';
import { Progress } from '../progress.js';

interface Options {
  readonly python?: string;
  readonly wheel?: string;
  readonly download?: boolean;
  readonly into: string;
  readonly json?: boolean;
}

/** Adds `kernelscope native`: installs the fastest backend, TensorFlow's own library. */
export function register(program: Command): void {
  program
    .command('native')
    .description('set up the native backend, the fastest one')
    .option('--python <path>', 'take the library of this Python’s TensorFlow')
    .option('--wheel <file>', 'take the library out of this wheel of tensorflow-cpu')
    .option('--download', 'let pip fetch a wheel of tensorflow-cpu (some 270 MB)')
    .option('--into <folder>', 'where to install', nativeHome())
    .option('--json', 'answer in JSON')
    .action(nativeAction);
}

async function nativeAction(options: Options): Promise<void> {
  const given = [options.python && '--python', options.wheel && '--wheel', options.download && '--download'];
  const sources = given.filter(Boolean);
  if (options.wheel && sources.length > 1)
    throw new InputError(
      `${sources.join(' and ')} name different sources of the library; give one of them.`,
      {
        field: '--wheel',
      },
    );
  const progress = new Progress({ enabled: !options.json });
  let result: Awaited<ReturnType<typeof setUpNative>>;
  try {
    result = await setUpNative({ ...options, onProgress: (f, text) => progress.update(f, text) });
  } finally {
    progress.end();
  }
  if (options.json) {
    process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    return;
  }
  const lines = [
    `The native backend works: TensorFlow ${result.tensorflow} in ${result.home}.`,
    result.how,
    ...result.tried.map((text) => `Tried before: ${text}`),
  ];
  if (result.home !== nativeHome())
    lines.push(`Say KERNELSCOPE_NATIVE=${result.home} in the environment, so that Kernelscope finds it.`);
  process.stdout.write(`${lines.join('\n')}\n`);
}
