// node src/network/backends/simd/build.mjs   compiles assembly/ and writes binary.ts
import { writeFile } from 'node:fs/promises';
import { moduleText } from '../../../core/linalg/wasm/compile.mjs';
import { compileShared } from './compile.mjs';

const bytes = await compileShared();
await writeFile(new URL('binary.ts', import.meta.url), moduleText(bytes));
console.log(`binary.ts: ${bytes.length} bytes of WebAssembly`);
