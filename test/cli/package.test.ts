import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root, temporaryFolder } from '../helpers/folders.js';

/** A project of a user who has installed the packed package; its dependencies are linked rather than fetched. */
let place: ReturnType<typeof temporaryFolder>;
let installed: string;
const run = (command: string, args: readonly string[], cwd = place.path) => {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  return { code: status, stdout, stderr };
};

beforeAll(() => {
  place = temporaryFolder();
  const packed = run('npm', ['pack', '--ignore-scripts', '--pack-destination', place.path], root);
  expect(packed.code, packed.stderr).toBe(0);
  const tarball = readdirSync(place.path).find((name) => name.endsWith('.tgz'));
  expect(run('tar', ['-xzf', String(tarball)]).code).toBe(0);
  const modules = path.join(place.path, 'node_modules');
  mkdirSync(modules);
  installed = path.join(modules, 'kernelscope');
  symlinkSync(path.join(place.path, 'package'), installed, 'junction');
  const { dependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  // Node resolves from where a package really lies.
  for (const name of [...Object.keys(dependencies), '@tensorflow/tfjs', '@types/node'])
    for (const folder of [modules, path.join(place.path, 'package', 'node_modules')]) {
      const at = path.join(folder, name);
      mkdirSync(path.dirname(at), { recursive: true });
      symlinkSync(path.join(root, 'node_modules', name), at, 'junction');
    }
}, 120_000);
afterAll(() => place.clean());

const page = readFileSync(path.join(root, 'docs', 'library.md'), 'utf8');
const examples = [...page.matchAll(/^```js\n([\s\S]*?)^```\n\n```text\n([\s\S]*?)^```/gm)].map(
  ([, code, printed], i) => [`${i + 1}`, code, printed] as const,
);

describe('the packed package', () => {
  it('holds what runs and nothing of the sources or the tests', () => {
    const files = readdirSync(installed, { recursive: true, encoding: 'utf8' }).filter(
      (file) => !file.includes('node_modules'),
    );
    for (const wanted of ['dist/index.js', 'dist/cli.js', 'dist/types/index.d.ts', 'docs/library.md'])
      expect(files.map((file) => file.split(path.sep).join('/'))).toContain(wanted);
    expect(
      files.filter((file) => /^(src|test|webview|node_modules)\b|\.host|extension\.js/.test(file)),
    ).toEqual([]);
  });

  it('has as many examples with output in its documentation as examples', () => {
    expect(examples.length).toBe([...page.matchAll(/^```js$/gm)].length);
    expect(examples.length).toBeGreaterThan(7);
  });

  it.each(examples)('runs example %s of docs/library.md and prints what it says', (name, code, printed) => {
    const file = path.join(place.path, `example${name}.mjs`);
    writeFileSync(file, code);
    const { code: exit, stdout, stderr } = run(process.execPath, [file]);
    expect(stderr).toBe('');
    expect(stdout).toBe(printed);
    expect(exit).toBe(0);
  });

  it('is a CommonJS module too, and takes models of another copy of TensorFlow.js of its version', () => {
    const file = path.join(place.path, 'user.cjs');
    writeFileSync(
      file,
      `const tf = require('@tensorflow/tfjs');
       const { empiricalKernel, useBackend } = require('kernelscope');
       useBackend('wasm').then(async () => {
         const model = tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [3] })] });
         const k = await empiricalKernel(model, tf.eye(3));
         console.log(Array.from(k.data), tf.getBackend());
       });`,
    );
    const { stdout } = run(process.execPath, [file]);
    expect(stdout).toContain('[\n  2, 1, 1, 1, 2,\n  1, 1, 1, 2\n] wasm');
  });

  it.each(['node16', 'bundler'])('has types under moduleResolution %s', (resolution) => {
    writeFileSync(
      path.join(place.path, 'typed.mts'),
      `import { type EmpiricalKernel, empiricalKernel, eigh, matrix, tf } from 'kernelscope';
       const kernel: Promise<EmpiricalKernel> = empiricalKernel(tf.sequential(), tf.zeros([1, 2]), { mode: 'full' });
       const values: Float64Array = eigh(matrix(2, 2)).values;
       // @ts-expect-error there is no such mode
       void empiricalKernel(tf.sequential(), tf.zeros([1]), { mode: 'half' });
       void [kernel, values];`,
    );
    const { code, stdout } = run(process.execPath, [
      path.join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
      ...['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022', '--types', 'node'],
      ...['--module', resolution === 'bundler' ? 'esnext' : 'node16', '--moduleResolution', resolution],
      'typed.mts',
    ]);
    expect(stdout).toBe('');
    expect(code).toBe(0);
  });

  it('has a command line', () => {
    const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
      version: string;
    };
    const { stdout, code } = run(process.execPath, [path.join(installed, 'dist', 'cli.js'), '--version']);
    expect(stdout.trim()).toBe(version);
    expect(code).toBe(0);
  });
});
