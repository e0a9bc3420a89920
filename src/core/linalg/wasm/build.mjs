// node src/core/linalg/wasm/build.mjs   compiles assembly/ and writes binary.ts
import { writeFile } from 'node:fs/promises';
import { compile } from './compile.mjs';

const bytes = await compile();
const lines =
  Buffer.from(bytes)
    .toString('base64')
    .match(/.{1,100}/g) ?? [];
const text = `// Made by build.mjs from assembly/; do not edit.\n
export const binary =\n${lines.map((line) => `  '${line}'`).join(' +\n')};\n`;
await writeFile(new URL('binary.ts', import.meta.url), text);
console.log(`binary.ts: ${bytes.length} bytes of WebAssembly`);
