import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeNpz } from '../../src/core/npz.js';
import { Random } from '../../src/core/random.js';
import { cli } from '../helpers/cli.js';
import { temporaryFolder } from '../helpers/folders.js';

const place = temporaryFolder();
const write = (name: string, content: string | Uint8Array) =>
  writeFileSync(path.join(place.path, name), content);
beforeAll(() => {
  const lines = Array.from(
    { length: 30 },
    (_, i) => `${i % 7},${(i * i) % 5},${['alpha', 'beta', 'gamma'][i % 3]}`,
  );
  write('flowers.csv', lines.join('\n'));
  const random = new Random(3);
  const values = (n: number) => Float32Array.from(random.normals(n));
  const x = values(80);
  const y = Float32Array.from({ length: 40 }, (_, i) => x[2 * i]);
  write(
    'data.npz',
    encodeNpz({
      x: { data: x, shape: [40, 2] },
      y: { data: y },
      xTest: { data: values(20), shape: [10, 2] },
      yTest: { data: values(10).map((v) => v + 100) },
    }),
  );
  const experiment = (data: string) =>
    `import { csv, defineExperiment, npz, twoLayer } from 'kernelscope';\nexport default defineExperiment({ model: twoLayer({ width: 16 }), data: ${data}, steps: 5, probe: 8, seed: 1 });`;
  write('table.js', experiment("csv({ path: 'flowers.csv' })"));
  write('split.js', experiment("npz({ path: 'data.npz' })"));
  write('function.js', experiment('async (tf) => ({ x: tf.eye(12), y: tf.range(0, 12).div(12) })'));
  write('bad.js', experiment('async () => { throw new Error("no server"); }'));
});
afterAll(() => place.clean());

const run = (...args: string[]) => cli(['run', ...args, '--backend', 'cpu'], place.path);

describe('data as people have it, on the command line', () => {
  it('takes all rows of a table without names, and says so', () => {
    const { code, stdout, stderr } = run('table.js');
    expect(code).toBe(0);
    const told = `${stdout}${stderr}`;
    expect(told).toMatch(/20 training and 10 test samples/);
    expect(told).toMatch(/flowers\.csv has no names of columns: line 1 is the first sample/);
  });

  it('tests on the test set of the file', () => {
    const { stdout } = run('split.js', '--json');
    const { loss, notes } = JSON.parse(stdout) as { loss: { test: number }; notes: string[] };
    expect(loss.test).toBeGreaterThan(1000);
    expect(notes.some((note) => note.startsWith('Step size'))).toBe(true);
  });

  it('calls a function for its data, and places what it throws', () => {
    expect(run('function.js').stdout).toMatch(/9 training and 3 test samples/);
    const bad = run('bad.js');
    expect(bad.code).toBe(2);
    expect(bad.stderr).toMatch(/bad\.js:2: no server/);
  });

  it('takes a path alone as data', () => {
    write(
      'builder.js',
      "import * as tf from '@tensorflow/tfjs';\nexport const createModel = () => tf.sequential({ layers: [tf.layers.dense({ inputShape: [2], units: 8, activation: 'tanh' }), tf.layers.dense({ units: 3 })] });",
    );
    const { code, stdout } = cli(
      ['predict', 'builder.js', '--data', 'flowers.csv', '--json', '--backend', 'wasm'],
      place.path,
    );
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as { notes: string[] }).notes.join()).toMatch(
      /3 classes \(alpha, beta, gamma\)/,
    );
  });
});
