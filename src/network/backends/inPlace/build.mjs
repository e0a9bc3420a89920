// node src/network/backends/inPlace/build.mjs   compiles assembly/ and writes binary.ts
import { writeFile } from 'node:fs/promises';
import { moduleText } from '../../../core/linalg/wasm/compile.mjs';
import { compileInPlace } from './compile.mjs';

const bytes = await compileInPlace();
await writeFile(new URL('binary.ts', import.meta.url), moduleText(bytes));
console.log(`binary.ts: ${bytes.length} bytes of WebAssembly`);
