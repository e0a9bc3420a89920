import * as tf from '../tf.js';
import { repairGradients } from './gradients.js';
import { repairBroadcastProducts } from './kernels/broadcastProducts.js';
import { repairContractions } from './kernels/contraction.js';
import { repairConvolutions } from './kernels/convolution.js';
import { repairCopies } from './kernels/copies.js';
import { repairElementwise } from './kernels/elementwise.js';
import { repairNativeProducts } from './kernels/nativeProducts.js';
import { repairPooling } from './kernels/pooling.js';
import { repairProducts } from './kernels/products.js';
import { repairReductions } from './kernels/reductions.js';
import { repairBatchNormalization, repairVolumes } from './kernels/volumes.js';
import { guardWasmMemory } from './memory.js';
import type { BackendName } from './report.js';

/** The TensorFlow.js version that the repairs were written for; a test fails when the installed one differs. */
export const repairedVersion = '4.22.0';

const repaired = new Set<BackendName>();

/** Puts a backend right once it has started: gradients everywhere, kernels where the backend needs it. */
export function repairBackend(name: BackendName): void {
  repairGradients();
  withoutAdvertisement();
  if (repaired.has(name)) return;
  repaired.add(name);
  if (name === 'wasm') {
    guardWasmMemory();
    repairCopies();
    repairElementwise();
    repairProducts();
    repairConvolutions();
    repairReductions();
  }
  if (name === 'native') repairNativeProducts();
  if (name !== 'cpu') repairVolumes(name);
  if (name !== 'native') {
    repairPooling(name);
    repairContractions(name);
    repairBatchNormalization(name);
    repairBroadcastProducts(name);
  }
}

/** The plain JavaScript backend, which helps out on wasm, would print an advertisement on its first use. */
function withoutAdvertisement(): void {
  const cpu = tf.findBackend('cpu') as { firstUse?: boolean } | null;
  if (cpu) cpu.firstUse = false;
}
