import { existsSync } from 'node:fs';
import { copyFile, link, mkdir, readdir, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { FailureError } from '../../../core/errors.js';
import { complaint, runProcess } from './process.js';
import { listZip, unzip, type ZipMember } from './zip.js';

/** Folders of TensorFlow's include tree that the C interface needs (2.12 to 2.21 part them differently). */
const headerFolders = [
  'tensorflow/c/',
  'tensorflow/core/platform/',
  'tsl/platform/',
  'xla/tsl/c/',
  'xla/tsl/platform/',
];

const neededHeader = (name: string): boolean =>
  name.endsWith('.h') && headerFolders.some((folder) => name.startsWith(folder));

/** What the shared libraries of a Python package are called on this platform; null where none was ever tried. */
function libraryNames(): { readonly core: string; readonly framework: string } | null {
  if (process.platform === 'linux')
    return { core: 'libtensorflow_cc.so.2', framework: 'libtensorflow_framework.so.2' };
  if (process.platform === 'darwin')
    return { core: 'libtensorflow_cc.2.dylib', framework: 'libtensorflow_framework.2.dylib' };
  return null;
}

/** Names under which tfjs-node asks for the libraries, and the library behind each. */
function aliases(core: string, framework: string): Readonly<Record<string, string>> {
  if (process.platform === 'darwin')
    return {
      'libtensorflow.2.dylib': core,
      'libtensorflow.dylib': core,
      'libtensorflow_framework.dylib': framework,
    };
  return {
    'libtensorflow.so': core,
    'libtensorflow_framework.so': framework,
    // Its install script downloads nothing when the version it knows is there.
    'libtensorflow.so.2.9.1': core,
  };
}

export interface LibrarySource {
  /** Refuses a source that lacks the libraries, before anything is installed. */
  check(): Promise<void>;
  /** Fetches headers and libraries into `deps/include` and `deps/lib`. */
  into(deps: string): Promise<void>;
}

function required(): { readonly core: string; readonly framework: string } {
  const names = libraryNames();
  if (!names)
    throw new FailureError(
      'The native backend can be built from a Python TensorFlow on Linux and macOS only; the wasm backend works here without it.',
    );
  return names;
}

/** Lays out `deps/{include,lib}` of tfjs-node from a source, with the names that its build asks for. */
export async function layOut(packageFolder: string, source: LibrarySource): Promise<void> {
  const { core, framework } = required();
  const deps = path.join(packageFolder, 'deps');
  await rm(deps, { recursive: true, force: true });
  const lib = path.join(deps, 'lib');
  await mkdir(lib, { recursive: true });
  await source.into(deps);
  for (const [alias, target] of Object.entries(aliases(core, framework)))
    await symlink(target, path.join(lib, alias));
}

/** Headers and libraries of an installed Python package; `folder` is `site-packages/tensorflow`. */
export function installedTensorFlow(folder: string): LibrarySource {
  return {
    async check() {
      for (const name of Object.values(required()))
        if (!existsSync(path.join(folder, name)))
          throw new FailureError(
            `The Python TensorFlow in ${folder} holds no ${name}; it must be 2.12 or later. Install a newer one, or give a wheel by --wheel.`,
          );
    },
    async into(deps) {
      const include = path.join(folder, 'include');
      for (const part of headerFolders)
        await copyHeaders(path.join(include, part), path.join(deps, 'include', part));
      for (const name of Object.values(required()))
        await linkOrCopy(path.join(folder, name), path.join(deps, 'lib', name));
    },
  };
}

async function copyHeaders(from: string, to: string): Promise<void> {
  const entries = await readdir(from, { withFileTypes: true }).catch(() => []);
  await mkdir(to, { recursive: true });
  for (const entry of entries) {
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)];
    if (entry.isDirectory()) await copyHeaders(source, target);
    else if (entry.name.endsWith('.h')) await copyFile(source, target);
  }
}

/** A hard link costs no disk and outlives the Python package; another disk gets a copy. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch {
    try {
      await copyFile(from, to);
    } catch (error) {
      throw new FailureError(
        `${path.basename(from)} of the Python TensorFlow cannot be copied: ${error instanceof Error ? error.message : String(error)}.`,
      );
    }
  }
}

/** Headers and libraries out of a wheel of tensorflow or tensorflow-cpu. */
export function wheelOfTensorFlow(wheel: string): LibrarySource {
  const prefix = 'tensorflow/include/';
  const needed = async (): Promise<readonly ZipMember[]> => {
    const libraries = Object.values(required()).map((name) => `tensorflow/${name}`);
    const members = await listZip(wheel);
    for (const name of libraries)
      if (!members.some((member) => member.name === name))
        throw new FailureError(
          `${path.basename(wheel)} holds no ${name}; it must be a wheel of tensorflow-cpu (2.12 or later) for this platform.`,
        );
    return members.filter(
      ({ name }) =>
        libraries.includes(name) || (name.startsWith(prefix) && neededHeader(name.slice(prefix.length))),
    );
  };
  return {
    check: async () => void (await needed()),
    async into(deps) {
      await unzip(wheel, await needed(), ({ name }) =>
        name.startsWith(prefix)
          ? path.join(deps, 'include', name.slice(prefix.length))
          : path.join(deps, 'lib', path.basename(name)),
      );
    },
  };
}

const probe = `
import importlib.util, importlib.metadata, os, sys
spec = importlib.util.find_spec('tensorflow')
if spec is None or not spec.submodule_search_locations:
    sys.exit(3)
for name in ('tensorflow-cpu', 'tensorflow', 'tensorflow-intel', 'tensorflow-macos'):
    try:
        print(importlib.metadata.version(name)); break
    except importlib.metadata.PackageNotFoundError:
        pass
else:
    print('unknown')
print(os.path.realpath(list(spec.submodule_search_locations)[0]))
`;

export interface PythonTensorFlow {
  readonly python: string;
  readonly version: string;
  readonly folder: string;
}

/** TensorFlow of a Python, found without importing it; a string says why not. */
export async function tensorFlowOfPython(python: string): Promise<PythonTensorFlow | string> {
  const result = await runProcess(python, ['-c', probe], { timeoutMs: 20_000 });
  if (result.code === 3) return `${python} has no TensorFlow.`;
  if (result.code !== 0) return `${python} does not run as a Python (${complaint(result)}).`;
  const [version, folder] = result.stdout.trim().split(/\r?\n/);
  return { python, version, folder };
}

/** Lets pip fetch the wheel of tensorflow-cpu into `folder`; returns its path. */
export async function downloadWheel(python: string, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const packageName =
    process.platform === 'linux' && process.arch === 'x64' ? 'tensorflow-cpu' : 'tensorflow';
  const result = await runProcess(
    python,
    ['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--dest', folder, `${packageName}>=2.12`],
    { timeoutMs: 1_800_000 },
  );
  const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
  if (result.code !== 0 || !wheel)
    throw new FailureError(
      `pip could not download ${packageName}: ${result.stderr.trim().split('\n').pop() ?? ''} Fetch the wheel elsewhere and give it by --wheel.`,
    );
  return path.join(folder, wheel);
}
