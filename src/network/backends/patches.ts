import * as tf from '../tf.js';
import { patchGradients } from './gradients.js';
import { patchBroadcastProducts } from './kernels/broadcastProducts.js';
import { patchContractions } from './kernels/contraction.js';
import { patchConvolutions } from './kernels/convolution.js';
import { patchCopies } from './kernels/copies.js';
import { patchElementwise } from './kernels/elementwise.js';
import { patchNativeProducts } from './kernels/nativeProducts.js';
import { patchPooling } from './kernels/pooling.js';
import { patchProducts } from './kernels/products.js';
import { patchReductions } from './kernels/reductions.js';
import { patchBatchNormalization, patchVolumes } from './kernels/volumes.js';
import { guardWasmMemory } from './memory.js';
import type { BackendName } from './report.js';

/** The TensorFlow.js version that the repairs were written for; a test fails when the installed one differs. */
export const patchedVersion = '4.22.0';

const repaired = new Set<BackendName>();

/** Puts a backend right once it has started: gradients everywhere, kernels where the backend needs it. */
export function patchBackend(name: BackendName): void {
  patchGradients();
  withoutAdvertisement();
  if (repaired.has(name)) return;
  repaired.add(name);
  if (name === 'wasm') {
    guardWasmMemory();
    patchCopies();
    patchElementwise();
    patchProducts();
    patchConvolutions();
    patchReductions();
  }
  if (name === 'native') patchNativeProducts();
  if (name !== 'cpu') patchVolumes(name);
  if (name !== 'native') {
    patchPooling(name);
    patchContractions(name);
    patchBatchNormalization(name);
    patchBroadcastProducts(name);
  }
}

/** The plain JavaScript backend, which helps out on wasm, would print an advertisement on its first use. */
function withoutAdvertisement(): void {
  const cpu = tf.findBackend('cpu') as { firstUse?: boolean } | null;
  if (cpu) cpu.firstUse = false;
}
