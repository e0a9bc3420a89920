// Compiles assembly/ to WebAssembly bytes; used by build.mjs and by the test that the committed binary is up to date.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

/** The bytes of the module in a folder of sources. Rejects with the compiler's messages. */
export async function compile(folder = new URL('assembly/', import.meta.url), more = []) {
  let binary;
  const base = fileURLToPath(folder);
  const { error, stderr } = await asc.main(
    ['index.ts', '--outFile', 'out.wasm', '-O3', '--runtime', 'stub', '--noAssert', '--use', 'abort='].concat(
      ['--enable', 'simd', '--disable', 'sign-extension', '--initialMemory', '1', '--baseDir', base],
      more,
    ),
    {
      readFile: (name, folder) =>
        readFile(new URL(name, `file://${folder.endsWith('/') ? folder : `${folder}/`}`), 'utf8').catch(
          () => null,
        ),
      writeFile: (name, contents) => {
        if (name.endsWith('.wasm')) binary = contents;
      },
      listFiles: () => [],
    },
  );
  if (error) throw new Error(`${error.message}\n${stderr.toString()}`);
  return binary;
}

/** The text of binary.ts. */
export function moduleText(bytes) {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,100}/g) ?? [];
  const body = lines.map((line) => `  '${line}'`).join(' +\n');
  return `// Made by build.mjs from assembly/; do not edit.\n\nexport const binary =\n${body};\n`;
}
