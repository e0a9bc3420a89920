import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeZip } from '../../src/core/npz.js';
import { root } from '../helpers/folders.js';
import { TypeScriptServer } from '../helpers/tsserver.js';

const { packageExtension } = createRequire(__filename)('../../.ci/package.js') as {
  packageExtension(file: string): Promise<void>;
};

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
  /** Files of the extension by their path in it. */
  const packed = new Map<string, Uint8Array>();
  const textOf = (file: string): string => Buffer.from(packed.get(file) ?? []).toString('utf8');
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'kernelscope-vsix-'));
    vsix = path.join(folder, 'kernelscope.vsix');
    await packageExtension(vsix);
    for (const [name, bytes] of decodeZip(readFileSync(vsix), vsix, inflateRawSync))
      if (name.startsWith('extension/')) packed.set(name.slice('extension/'.length), bytes);
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is one for every platform, under 5 MB', () => {
    expect(statSync(vsix).size).toBeLessThan(5_000_000);
  });

  it('holds what the manifest names, and no sources', async () => {
    const manifest = textOf('package.json');
    const named = [...manifest.matchAll(/"(?:\.\/)?((?:media|dist)\/[\w./-]+\.\w+)"/g)].map((m) => m[1]);
    expect(named.length).toBeGreaterThan(5);
    for (const file of [...named, 'dist/trainer.js', 'dist/tfjs-backend-wasm-simd.wasm', 'dist/digits.bin'])
      expect([...packed.keys()]).toContain(file);
    expect([...packed.keys()].filter((file) => /^(src|test|webview|\.ci)\//.test(file))).toEqual([]);
  });

  it('holds the plugin that its manifest promises to TypeScript, and no other package', async () => {
    const { contributes, dependencies } = JSON.parse(textOf('package.json')) as {
      contributes: { typescriptServerPlugins: { name: string }[] };
      dependencies: Record<string, string>;
    };
    const [{ name }] = contributes.typescriptServerPlugins;
    expect(Object.keys(dependencies)).toEqual([name]);
    const packages = [...packed.keys()].flatMap((file) => /^node_modules\/([^/]+)\//.exec(file)?.[1] ?? []);
    expect([...new Set(packages)]).toEqual([name]);
    for (const file of ['package.json', 'index.js', 'tensorflow/index.d.ts'])
      expect([...packed.keys()]).toContain(`node_modules/${name}/${file}`);
    expect([...packed.keys()]).toContain('dist/editor/kernelscope.d.ts');
  });

  it('gives a model file its types where it is installed', async () => {
    const extension = path.join(folder, 'installed');
    for (const [name, bytes] of packed) {
      mkdirSync(path.dirname(path.join(extension, name)), { recursive: true });
      writeFileSync(path.join(extension, name), bytes);
    }
    const workspace = path.join(folder, 'workspace');
    mkdirSync(workspace);
    const file = path.join(workspace, 'model.ts');
    const text = readFileSync(path.join(root, 'media', 'templates', 'convolutional.ts'), 'utf8');
    const server = new TypeScriptServer({ extension });
    try {
      server.open(file, text, workspace);
      expect(await server.problems(file)).toEqual([]);
      expect(await server.declaredIn(file, text, 'defineExperiment')).toContain('installed/dist/editor/');
      expect(await server.declaredIn(file, text, 'conv2d')).toContain('installed/node_modules/');
    } finally {
      server.stop();
    }
  });
});
