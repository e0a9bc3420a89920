import { fromBase64 } from '../../../core/linalg/wasm/platform.js';
import * as tf from '../../tf.js';
import { binary } from './binary.js';

/** What assembly/index.ts exports; addresses in bytes. */
interface Exports {
  /** Answers whether all numbers were in the function's range; if not, the result is void. */
  each(operation: number, from: number, to: number, count: number): number;
  columnSums(from: number, to: number, rows: number, columns: number): void;
}

interface Namespace {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Exports };
}

interface WasmBackend {
  readonly wasm: { readonly asm?: { readonly memory?: object } };
  readonly dataIdMap: { get(id: object): { readonly memoryOffset: number } };
}

const backend = (): WasmBackend => tf.findBackend('wasm') as unknown as WasmBackend;

/** Our own loops over tensors of the wasm backend where they lie, in its memory; null where that cannot be reached. */
export function inPlace(): Exports | null {
  const memory = backend().wasm.asm?.memory;
  if (!memory) return null;
  const wasm = (globalThis as unknown as { WebAssembly: Namespace }).WebAssembly;
  const module = new wasm.Module(fromBase64(binary));
  return new wasm.Instance(module, { env: { memory } }).exports;
}

/** Address of a tensor's values. */
export const addressOf = (info: tf.TensorInfo): number => backend().dataIdMap.get(info.dataId).memoryOffset;
