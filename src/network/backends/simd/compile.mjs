// Compiles assembly/ for a memory that threads share; used by build.mjs and by the test that binary.ts is up to date.
import { compile } from '../../../core/linalg/wasm/compile.mjs';

/** Most pages of 64 KiB that the memory may have: 2 GiB. */
const pages = '32768';

export const compileShared = () =>
  compile(new URL('assembly/', import.meta.url), [
    '--enable',
    'threads',
    '--importMemory',
    '--sharedMemory',
    '--maximumMemory',
    pages,
  ]);
