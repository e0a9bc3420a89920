import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../helpers/folders.js';

interface Metafile {
  readonly inputs: Readonly<Record<string, { readonly imports: readonly { readonly path: string }[] }>>;
}

/** Everything that went into a bundle, and everything it still asks for at run time. */
function contents(name: string): { inputs: string[]; asks: string[] } {
  const meta = JSON.parse(readFileSync(path.join(root, 'dist', 'meta', `${name}.json`), 'utf8')) as Metafile;
  return {
    inputs: Object.keys(meta.inputs),
    asks: Object.values(meta.inputs).flatMap((input) => input.imports.map((i) => i.path)),
  };
}

const size = (file: string): number => statSync(path.join(root, 'dist', file)).size;

describe('the bundles', () => {
  it('keep TensorFlow out of the extension host, in under 300 kB', () => {
    const { inputs, asks } = contents('extension');
    expect([...inputs, ...asks].filter((place) => place.includes('tensorflow'))).toEqual([]);
    expect(inputs.filter((place) => /src\/(network|theory)\//.test(place))).toEqual([]);
    expect(size('extension.js')).toBeLessThan(300_000);
  });

  it('keep vscode out of the trainer, the command line and the library', () => {
    for (const name of ['trainer', 'cli', 'library'])
      expect(
        contents(name).asks.filter((place) => place === 'vscode'),
        name,
      ).toEqual([]);
  });

  it('keep Node and VS Code out of the webview', () => {
    for (const name of ['dashboard', 'report']) {
      const { inputs, asks } = contents(name);
      expect(
        asks.filter((place) => place.startsWith('node:') || place === 'vscode'),
        name,
      ).toEqual([]);
      expect(
        inputs.filter((place) => /src\/(network|trainer|runs|cli|extension)\//.test(place)),
        name,
      ).toEqual([]);
    }
  });
});

describe('the extension package', () => {
  let folder: string;
  let vsix: string;
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'kernelscope-vsix-'));
    vsix = path.join(folder, 'kernelscope.vsix');
    const vsce = createRequire(__filename)('@vscode/vsce') as {
      createVSIX(options: object): Promise<void>;
    };
    await vsce.createVSIX({ cwd: root, packagePath: vsix, dependencies: false });
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is one for every platform, under 5 MB', () => {
    expect(statSync(vsix).size).toBeLessThan(5_000_000);
  });

  it('holds what the manifest names, and no sources', async () => {
    const vsce = createRequire(__filename)('@vscode/vsce') as {
      listFiles(options: object): Promise<string[]>;
    };
    const files = await vsce.listFiles({ cwd: root, dependencies: false });
    const manifest = readFileSync(path.join(root, 'package.json'), 'utf8');
    const named = [...manifest.matchAll(/"(?:\.\/)?((?:media|dist)\/[\w./-]+\.\w+)"/g)].map((m) => m[1]);
    expect(named.length).toBeGreaterThan(5);
    for (const file of [...named, 'dist/trainer.js', 'dist/tfjs-backend-wasm-simd.wasm', 'dist/digits.bin'])
      expect(files).toContain(file);
    expect(files.filter((file) => /^(src|test|webview|node_modules|\.ci)\//.test(file))).toEqual([]);
  });
});
