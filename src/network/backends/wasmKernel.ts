import * as tf from '../tf.js';

export type Info = tf.TensorInfo;
export type WasmBackend = tf.KernelBackend;

export interface KernelCall {
  readonly inputs: Readonly<Record<string, Info>>;
  readonly backend: unknown;
  readonly attrs: Readonly<Record<string, unknown>>;
}
export type Kernel = (call: KernelCall) => Info;

/** The wasm kernel of that name; throws an Error when there is none. */
export function kernelOf(name: string): Kernel {
  const found = tf.getKernel(name, 'wasm');
  if (!found) throw new Error(`The wasm backend has no kernel ${name}.`);
  return found.kernelFunc as unknown as Kernel;
}

/** Puts a kernel in place of the wasm one, which it gets as its first argument; the set-up of the old one is kept. */
export function replaceKernel(name: string, kernel: (original: Kernel, call: KernelCall) => Info): void {
  const old = tf.getKernel(name, 'wasm');
  const original: Kernel = old ? kernelOf(name) : () => ({}) as never;
  if (old) tf.unregisterKernel(name, 'wasm');
  tf.registerKernel({
    ...(old ?? {}),
    kernelName: name,
    backendName: 'wasm',
    kernelFunc: ((call: KernelCall) => kernel(original, call)) as unknown as tf.KernelFunc,
  });
}
