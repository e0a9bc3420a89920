import { rm } from 'node:fs/promises';
import path from 'node:path';
import { FailureError } from '../../../core/errors.js';
import { compileAddon, installPackage, officialInstall, packageFolder } from './build.js';
import { compileGreetingFilter } from './greeting.js';
import {
  downloadWheel,
  installedTensorFlow,
  type LibrarySource,
  layOut,
  type PythonTensorFlow,
  tensorFlowOfPython,
  wheelOfTensorFlow,
} from './libraries.js';
import { type Proof, prove } from './proof.js';

export interface SetupOptions {
  /** Folder into which npm installs. */
  readonly into: string;
  /** A Python whose TensorFlow is to be used. */
  readonly python?: string;
  /** A wheel of tensorflow-cpu. */
  readonly wheel?: string;
  /** Let pip fetch such a wheel. */
  readonly download?: boolean;
  /** Told what begins, and about how much of the whole is done. */
  readonly onProgress?: (fraction: number, text: string) => void;
}

export interface SetupResult extends Proof {
  /** Folder to name in KERNELSCOPE_NATIVE when it is not the default one. */
  readonly home: string;
  readonly source: 'official' | 'python' | 'wheel' | 'download' | 'present';
  /** One sentence on where the library came from. */
  readonly how: string;
  /** Ways that were tried before and why they failed. */
  readonly tried: readonly string[];
}

/**
 * Sets up the native backend: the libraries of the package's own install script; else those of a Python's TensorFlow;
 * else those of a wheel. A source named by the caller is the only one tried. Throws a FailureError that says what
 * failed and what to give instead.
 */
export async function setUpNative(options: SetupOptions): Promise<SetupResult> {
  const tell = options.onProgress ?? (() => undefined);
  const home = path.resolve(options.into);
  const named = Boolean(options.python || options.wheel || options.download);
  if (!named) {
    const present = await prove(home);
    if (typeof present !== 'string') {
      await compileGreetingFilter(packageFolder(home));
      return { ...present, home, source: 'present', how: 'It was set up before and works.', tried: [] };
    }
  }
  // A source that is at hand is looked at before anything is installed.
  const ready = named && !options.download ? await sourceOf(options, home, named, tell) : null;
  await ready?.source.check();
  tell(0.02, 'installing the package of TensorFlow.js for Node');
  await installPackage(home);
  const tried: string[] = [];
  if (!named) {
    tell(0.15, 'fetching its ready-made library');
    const reason = (await officialInstall(home, 180_000)) ?? (await disproof(home));
    if (reason === null)
      return done(home, 'official', 'Its own install script fetched a ready-made library.', tried);
    tried.push(`The ready-made library: ${reason}.`);
  }
  const found = ready ?? (await sourceOf(options, home, named, tell));
  try {
    await found.source.check();
    tell(0.6, 'laying out the library');
    await layOut(packageFolder(home), found.source);
    tell(0.8, 'compiling the addon');
    await compileAddon(home);
    await compileGreetingFilter(packageFolder(home));
  } finally {
    if (found.temporary) await rm(found.temporary, { recursive: true, force: true });
  }
  tell(0.95, 'proving it with a matrix product');
  return done(home, found.kind, found.how, tried);
}

interface Found {
  readonly kind: SetupResult['source'];
  readonly how: string;
  readonly source: LibrarySource;
  readonly temporary?: string;
}

const defaultPythons = process.platform === 'win32' ? ['python', 'py'] : ['python3', 'python'];

async function sourceOf(
  options: SetupOptions,
  home: string,
  named: boolean,
  tell: (fraction: number, text: string) => void,
): Promise<Found> {
  if (options.wheel) {
    const how = `The library comes from ${path.basename(options.wheel)}.`;
    return { kind: 'wheel', how, source: wheelOfTensorFlow(path.resolve(options.wheel)) };
  }
  const pythons = options.python ? [options.python] : defaultPythons;
  const reasons: string[] = [];
  if (!options.download) {
    for (const python of pythons) {
      const tensorflow = await tensorFlowOfPython(python);
      if (typeof tensorflow === 'string') reasons.push(tensorflow);
      else return fromPython(tensorflow);
    }
    if (options.python)
      throw new FailureError(
        `${reasons[0]} Install TensorFlow there ("${options.python} -m pip install tensorflow-cpu"), or let --download fetch the library.`,
      );
  }
  // Not asked for and nothing installed: 270 MB are worth trying, since the user wants the native backend.
  tell(0.25, 'fetching a TensorFlow wheel with pip (some 270 MB)');
  const temporary = path.join(home, 'wheel');
  let last: unknown;
  for (const python of pythons) {
    try {
      const wheel = await downloadWheel(python, temporary);
      const how = `The library comes from ${path.basename(wheel)}, fetched by pip.`;
      return { kind: 'download', how, source: wheelOfTensorFlow(wheel), temporary };
    } catch (error) {
      last = error;
    }
  }
  await rm(temporary, { recursive: true, force: true });
  if (named) throw last;
  throw new FailureError(
    `The native backend could not be set up. The ready-made library could not be fetched, no Python here has TensorFlow, and ${lower(last)} The wasm backend works without it.`,
  );
}

const lower = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function fromPython(found: PythonTensorFlow): Found {
  return {
    kind: 'python',
    how: `The library comes from TensorFlow ${found.version} of ${found.python}.`,
    source: installedTensorFlow(found.folder),
  };
}

async function disproof(home: string): Promise<string | null> {
  const proof = await prove(home);
  return typeof proof === 'string' ? proof : null;
}

async function done(
  home: string,
  source: SetupResult['source'],
  how: string,
  tried: readonly string[],
): Promise<SetupResult> {
  const proof = await prove(home);
  if (typeof proof === 'string')
    throw new FailureError(
      `The native backend was built but does not work: ${proof}. Try another TensorFlow by --wheel or --python, or stay with wasm.`,
    );
  return { ...proof, home, source, how, tried };
}
