import { describe, it } from 'vitest';
import type { BackendName } from '../../src/network/backends/index.js';
import { useBackend } from '../../src/network/backends/index.js';
import { findNative } from '../../src/network/backends/native.js';

const off = process.env['KERNELSCOPE_TEST_NATIVE'] === '0';
const found = findNative() !== null;

/** Backends the suites run on: wasm always, native too where it is installed (KERNELSCOPE_TEST_NATIVE=0 leaves it out). */
export const backendsUnderTest: readonly BackendName[] = found && !off ? ['wasm', 'native'] : ['wasm'];

if (!found || off)
  describe.skip(
    off ? 'native backend: KERNELSCOPE_TEST_NATIVE=0' : 'native backend: tfjs-node is not installed here',
    () => {
      it.skip('the suites of this file ran on wasm alone');
    },
  );

/** Starts a backend or fails the suite: a backend that was asked for must never be passed over in silence. */
export async function startBackend(name: BackendName): Promise<void> {
  await useBackend(name);
}
