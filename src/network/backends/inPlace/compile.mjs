// Compiles assembly/ to run in the memory of another module; used by build.mjs and by the test that binary.ts is up to date.
import { compile } from '../../../core/linalg/wasm/compile.mjs';

export const compileInPlace = () => compile(new URL('assembly/', import.meta.url), ['--importMemory']);
