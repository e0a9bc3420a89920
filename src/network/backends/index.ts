import { availableParallelism } from 'node:os';
import { FailureError } from '../../core/errors.js';
import * as tf from '../tf.js';
import { loadNative } from './native.js';
import { patchBackend } from './patches.js';
import type { BackendFallback, BackendName, BackendPreference, BackendReport } from './report.js';
import { spectraOnThreads, threadCount } from './simd/index.js';
import { loadWasm, withoutNewListeners } from './wasm.js';

export type { BackendFallback, BackendName, BackendPreference, BackendReport } from './report.js';

export interface BackendOptions {
  /** Folder that holds `node_modules/@tensorflow/tfjs-node`, or that package itself. */
  readonly nativePath?: string;
  /** Folder of the model file that is run: its project may have the native backend installed. */
  readonly project?: string;
  /** Folder of the .wasm files; found by itself otherwise. */
  readonly wasmPath?: string;
}

let current: BackendReport | null = null;

/** The backend in use, as chosen by the last `useBackend`. */
export const backendInUse = (): BackendReport | null => current;

/**
 * Chooses the TensorFlow.js backend: the native one if it proves itself, else WebAssembly with its repairs, else plain
 * JavaScript. Asking for one by name never falls back: it throws a FailureError that says why and how to get it.
 */
export async function useBackend(
  preference: BackendPreference,
  options: BackendOptions = {},
): Promise<BackendReport> {
  if (current && (preference === 'auto' || preference === current.name)) {
    await tf.setBackend(tensorflowName[current.name]);
    current = { ...current, requested: preference };
    return current;
  }
  const candidates: readonly BackendName[] = preference === 'auto' ? ['native', 'wasm', 'cpu'] : [preference];
  const fallbacks: BackendFallback[] = [];
  for (const name of candidates) {
    const reason = await start(name, options);
    if (reason === null) {
      spectraOnThreads();
      current = {
        name,
        requested: preference,
        why: explain(name, preference, fallbacks),
        versions: versions(name),
        threads: threadsOf[name](),
        fallbacks,
      };
      return current;
    }
    fallbacks.push({ backend: name, reason });
  }
  const reasons = fallbacks.map((f) => `${f.backend}: ${f.reason}`).join(' ');
  throw new FailureError(`The ${preference} backend does not run here. ${reasons}`);
}

const threadsOf: Readonly<Record<BackendName, () => number>> = {
  native: availableParallelism,
  wasm: threadCount,
  cpu: () => 1,
};

const tensorflowName: Readonly<Record<BackendName, string>> = {
  native: 'tensorflow',
  wasm: 'wasm',
  cpu: 'cpu',
};

/** Whether the program has the kernels of a backend already: a second copy would warn of each. */
const isRegistered = (name: string): boolean => tf.getKernelsForBackend(name).length > 0;

/** Starts one backend and proves it with a product; null when it works, else the reason. */
async function start(name: BackendName, options: BackendOptions): Promise<string | null> {
  try {
    if (!isRegistered('cpu')) await import('@tensorflow/tfjs-backend-cpu');
    if (name === 'native') loadNative(options.nativePath, options.project);
    if (name === 'wasm') await loadWasm(options.wasmPath);
    if (!(await withoutNewListeners(() => tf.setBackend(tensorflowName[name]))))
      return 'TensorFlow.js could not start it.';
    patchBackend(name);
    const product = tf.tidy(() =>
      tf.matMul(tf.tensor2d([1, 2, 3, 4], [2, 2]), tf.tensor2d([5, 6, 7, 8], [2, 2])),
    );
    const values = Array.from(await product.data());
    product.dispose();
    return values.join() === '19,22,43,50'
      ? null
      : `A 2 x 2 matrix product came out as ${values.join(', ')}.`;
  } catch (error) {
    return error instanceof Error ? error.message.split('\n')[0] : String(error);
  }
}

function explain(
  name: BackendName,
  preference: BackendPreference,
  fallbacks: readonly BackendFallback[],
): string {
  if (preference === name) return `The ${name} backend was asked for.`;
  if (name === 'native') return 'The native backend was found and proved itself.';
  return `Without ${fallbacks.map((f) => `${f.backend} (${f.reason.replace(/\.$/, '')})`).join(', ')}; "kernelscope native" sets the fastest one up.`;
}

function versions(name: BackendName): Readonly<Record<string, string>> {
  const found: Record<string, string> = { tfjs: tf.version_core, node: process.versions.node };
  const binding = (tf.backend() as { binding?: { TF_Version?: string } }).binding;
  if (name === 'native' && binding?.TF_Version) found['tensorflow'] = binding.TF_Version;
  return found;
}
