import { existsSync } from 'node:fs';
import path from 'node:path';

const binary = 'tfjs-backend-wasm-simd.wasm';
let prepared = false;

/** Tells the wasm backend where its binaries are: beside the bundle, or in node_modules when run from source. */
export async function loadWasm(chosen?: string): Promise<void> {
  if (prepared) return;
  const places = [
    chosen,
    __dirname,
    path.join(__dirname, '..', '..', '..', 'node_modules', '@tensorflow', 'tfjs-backend-wasm', 'dist'),
  ];
  const folder = places.find((place) => place !== undefined && existsSync(path.join(place, binary)));
  if (!folder) throw new Error(`${binary} is missing beside the program; reinstall Kernelscope.`);
  // Loaded where it is asked for: it makes itself the default of every program that has it.
  const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
  setWasmPaths(folder + path.sep);
  prepared = true;
}

const events = ['uncaughtException', 'unhandledRejection'] as const;

/**
 * Runs `start`, then takes off the process listeners it installed: the wasm program's own turn any error of the user's
 * code into an abort.
 */
export async function withoutNewListeners<T>(start: () => Promise<T>): Promise<T> {
  const of = (event: (typeof events)[number]) => process.listeners(event as 'uncaughtException');
  const before = events.map((event) => new Set(of(event)));
  try {
    return await start();
  } finally {
    for (const [i, event] of events.entries()) {
      for (const listener of of(event)) if (!before[i].has(listener)) process.removeListener(event, listener);
    }
  }
}
