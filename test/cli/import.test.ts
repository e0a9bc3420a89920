import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../helpers/folders.js';

/** A project that has the library and TensorFlow.js installed. */
const project = mkdtempSync(path.join(tmpdir(), 'kernelscope-import-'));
const run = (program: string) => {
  writeFileSync(path.join(project, 'program.cjs'), program);
  return spawnSync(process.execPath, ['program.cjs'], { cwd: project, encoding: 'utf8' });
};

describe('importing the library', () => {
  beforeAll(() => {
    const modules = path.join(project, 'node_modules');
    mkdirSync(modules);
    symlinkSync(root, path.join(modules, 'kernelscope'), 'junction');
    symlinkSync(
      path.join(root, 'node_modules', '@tensorflow'),
      path.join(modules, '@tensorflow'),
      'junction',
    );
  });
  afterAll(() => rmSync(project, { recursive: true }));

  it.each([
    ['before it', `require('kernelscope'); const tf = require('@tensorflow/tfjs');`],
    ['after it', `const tf = require('@tensorflow/tfjs'); require('kernelscope');`],
  ])('leaves the backend of a program alone that loads TensorFlow.js %s', (_name, load) => {
    const { stdout, stderr } = run(
      `${load} const y = tf.square(tf.scalar(3)); console.log(tf.getBackend(), y.dataSync()[0]);`,
    );
    expect(stdout.trim().split('\n').at(-1)).toBe('cpu 9');
    // TensorFlow.js advertises its native backend by itself.
    expect(stderr).not.toMatch(/registered|priority|wasm/);
  });

  it('draws nothing from Math.random', () => {
    const { stdout } = run(`
      let draws = 0;
      const own = Math.random;
      const counting = () => (draws++, own());
      Math.random = counting;
      require('kernelscope');
      console.log(draws, Math.random === counting);`);
    expect(stdout.trim()).toBe('0 true');
  });

  it('prints nothing', () => {
    const { stdout, stderr } = run(`require('@tensorflow/tfjs'); require('kernelscope');`);
    expect(stdout + stderr).toBe('');
  });

  it('makes wasm the backend when it is asked for', () => {
    const { stdout, stderr } = run(`
      const { useBackend, tf } = require('kernelscope');
      useBackend('wasm').then(({ name }) => console.log(name, tf.getBackend()));`);
    expect(stderr).toBe('');
    expect(stdout.trim()).toBe('wasm wasm');
  });
});
