import { existsSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { homedir } from 'node:os';
import path from 'node:path';
import util from 'node:util';
import * as tf from '../tf.js';
import { greetingFilter } from './setup/greeting.js';

const packageName = '@tensorflow/tfjs-node';

/** Per-user folder into which `kernelscope native` installs. */
export function nativeHome(): string {
  const data = process.env['XDG_DATA_HOME'];
  return data ? path.join(data, 'kernelscope', 'native') : path.join(homedir(), '.kernelscope', 'native');
}

/** A folder and those above it. */
function* upwards(folder: string): Generator<string> {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    yield at;
    if (path.dirname(at) === at) return;
  }
}

/**
 * Places that may hold the native package, most particular first. What is found is run, so the current folder is none of
 * them; `project` is the folder of a model file that is run as well, and the package is looked for as that file would.
 */
export function nativeCandidates(chosen?: string, project?: string): readonly string[] {
  const roots = [
    chosen,
    process.env['KERNELSCOPE_NATIVE'],
    ...(project === undefined ? [] : upwards(project)),
    nativeHome(),
    path.join(__dirname, '..'),
  ];
  return roots
    .filter((root): root is string => Boolean(root))
    .flatMap((root) => [path.join(root, 'node_modules', packageName), root]);
}

const isPackage = (folder: string): boolean =>
  existsSync(path.join(folder, 'dist', 'index.js')) &&
  existsSync(path.join(folder, 'package.json')) &&
  folder.includes('tfjs-node');

const hasAddon = (folder: string): boolean =>
  existsSync(path.join(folder, 'lib', 'napi-v8', 'tfjs_binding.node'));

/**
 * Folder of the native package that would be loaded, or null. One without its addon, which npm leaves behind when
 * install scripts are off, gives way to a whole one further down.
 */
export function findNative(chosen?: string, project?: string): string | null {
  const packages = nativeCandidates(chosen, project).filter(isPackage);
  return packages.find(hasAddon) ?? packages[0] ?? null;
}

/**
 * Loads tfjs-node, which registers the backend 'tensorflow'. Throws an Error with the reason when it is not there or
 * does not load.
 */
export function loadNative(chosen?: string, project?: string): void {
  const found = findNative(chosen, project);
  if (!found) throw new Error('tfjs-node is not installed ("kernelscope native" installs it).');
  restoreRemovedUtilities();
  // TensorFlow greets on stderr; warnings and errors stay. The greeting of its oneDNN kernels comes before it reads this.
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '1';
  withoutGreeting(found);
  withOurTensorFlow(() => createRequire(path.join(found, 'package.json'))(found));
}

/** Loads the module that `kernelscope native` compiles to keep that greeting away, where there is one. */
function withoutGreeting(folder: string): void {
  const filter = greetingFilter(folder);
  if (!existsSync(filter)) return;
  try {
    createRequire(filter)(filter);
  } catch {
    // The greeting does no harm.
  }
}

/** tfjs-node calls two functions that Node 23 removed from `util`. */
function restoreRemovedUtilities(): void {
  const target = util as unknown as Record<string, unknown>;
  target['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined;
  target['isArray'] ??= Array.isArray;
}

interface Loader {
  _load(request: string, parent: unknown, isMain: boolean): unknown;
}

/** A class that can also be called: tfjs-node is ES5, whose subclasses call their parent without `new`. */
function callable<T extends object>(parent: abstract new () => T): object {
  function Parent(this: T): T {
    return Reflect.construct(parent, [], this.constructor) as T;
  }
  Parent.prototype = parent.prototype;
  return Parent;
}

/** While `load` runs, the '@tensorflow/tfjs' that anything requires is ours: two cores would not share their tensors. */
function withOurTensorFlow(load: () => void): void {
  const loader = Module as unknown as Loader;
  const original = loader._load;
  const ours = { ...tf, KernelBackend: callable(tf.KernelBackend) };
  loader._load = function (this: unknown, request, parent, isMain) {
    if (request === '@tensorflow/tfjs' || request === '@tensorflow/tfjs-core') return ours;
    return original.call(this, request, parent, isMain);
  };
  try {
    load();
  } finally {
    loader._load = original;
  }
}
