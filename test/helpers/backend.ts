import type { BackendName } from '../../src/network/backends/index.js';
import { useBackend } from '../../src/network/backends/index.js';

/** Backends the suites run on: wasm always, native too when KERNELSCOPE_TEST_NATIVE=1 says that it is installed. */
export const backendsUnderTest: readonly BackendName[] =
  process.env['KERNELSCOPE_TEST_NATIVE'] === '1' ? ['wasm', 'native'] : ['wasm'];

/** Starts a backend or fails the suite: a backend that was asked for must never be passed over in silence. */
export async function startBackend(name: BackendName): Promise<void> {
  await useBackend(name);
}
