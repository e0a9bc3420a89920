import { FailureError } from '../../core/errors.js';
import * as tf from '../tf.js';

/**
 * Bytes that tensors may take on wasm. Its memory can grow to 4 GiB, of which the kernels' own workspaces need a part;
 * and when it is full it hands out address 0, whose use destroys what lies there.
 */
const defaultBudget = 2.5 * 2 ** 30;

let budget = defaultBudget;
let held = 0;

/** A tensor that did not fit. What existed before is intact, and the backend goes on working. */
export class OutOfMemoryError extends FailureError {}

const mb = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20).toLocaleString('en')} MB`;

interface WasmModule {
  _malloc(bytes: number): number;
  _free(at: number): void;
}

/** Makes the wasm backend throw where its memory ends. To be called once, when it has started. */
export function guardWasmMemory(): void {
  const { wasm } = tf.backend() as unknown as { wasm: WasmModule };
  // The first call of either puts another function in its place.
  wasm._free(wasm._malloc(1));
  const sizes = new Map<number, number>();
  const allocate = wasm._malloc;
  const release = wasm._free;
  wasm._malloc = (bytes) => {
    // Sizes of 4 GiB and more would wrap around and get too little.
    const at = held + bytes > budget ? 0 : allocate(bytes) >>> 0;
    if (at === 0 && bytes > 0)
      throw new OutOfMemoryError(
        `A tensor of ${mb(bytes)} does not fit in the memory of the wasm backend, of which ${mb(held)} of ${mb(budget)} are taken. Use fewer inputs or a smaller network, or the native backend ("kernelscope native").`,
      );
    sizes.set(at, bytes);
    held += bytes;
    return at;
  };
  wasm._free = (at) => {
    const place = at >>> 0;
    held -= sizes.get(place) ?? 0;
    sizes.delete(place);
    release(at);
  };
}

/** Sets the wasm budget, for a while or (without a number) back to what it was. Returns the one before. */
export function limitWasmMemory(bytes = defaultBudget): number {
  const before = budget;
  budget = bytes;
  return before;
}

/** Bytes that new tensors of the wasm backend may take. */
export const wasmBytes = (): number => budget - held;

/** Whether an error says that memory ran out: our guard, TensorFlow's status 8, or JavaScript's own arrays. */
export function isOutOfMemory(error: unknown): boolean {
  if (error instanceof OutOfMemoryError) return true;
  const text = error instanceof Error ? error.message : String(error);
  return /TF_Status 8\b|Status: 8\b|OOM when allocating|RESOURCE_EXHAUSTED|Array buffer allocation failed|Invalid typed array length/i.test(
    text,
  );
}
