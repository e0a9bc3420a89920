// node src/core/linalg/wasm/build.mjs   compiles assembly/ and writes binary.ts
import { writeFile } from 'node:fs/promises';
import { compile, moduleText } from './compile.mjs';

const bytes = await compile();
await writeFile(new URL('binary.ts', import.meta.url), moduleText(bytes));
console.log(`binary.ts: ${bytes.length} bytes of WebAssembly`);
