import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eigenvalues } from '../../src/core/linalg/eigen.js';
import { matrixFrom } from '../../src/core/linalg/matrix.js';
import { decodeNpy, encodeNpy, toFloat64 } from '../../src/core/npy.js';
import { decodeNpz, encodeNpz } from '../../src/core/npz.js';
import { Random } from '../../src/core/random.js';
import { cli } from '../helpers/cli.js';
import { root, temporaryFolder } from '../helpers/folders.js';

const place = temporaryFolder();
const at = (...parts: string[]) => path.join(place.path, ...parts);
const fixture = path.join(root, 'test', 'fixtures', 'keras3', 'seq');
/** Steps of a training that is made up: the weights of the fixture, moved on along one direction. */
const steps = [0, 2, 10];
const shapes = [[6, 8], [8], [8, 2], [2]];
const sizes = shapes.map((shape) => shape.reduce((a, b) => a * b, 1));
let weights: Float32Array[][];

beforeAll(() => {
  const start = new Float32Array(
    Uint8Array.from(readFileSync(path.join(fixture, 'group1-shard1of1.bin'))).buffer,
  );
  const direction = new Random(2).normals(start.length);
  weights = steps.map((step) => {
    const all = start.map((w, i) => w + 0.02 * step * direction[i]);
    const ends = sizes.map((_, i) => sizes.slice(0, i + 1).reduce((a, b) => a + b, 0));
    return sizes.map((size, i) => all.slice(ends[i] - size, ends[i]));
  });
  for (const [k, step] of steps.entries()) {
    mkdirSync(at('saved', `step-${step}`), { recursive: true });
    copyFileSync(path.join(fixture, 'model.json'), at('saved', `step-${step}`, 'model.json'));
    writeFileSync(
      at('saved', `step-${step}`, 'group1-shard1of1.bin'),
      Buffer.concat(weights[k].map((w) => Buffer.from(w.buffer, w.byteOffset, w.byteLength))),
    );
    mkdirSync(at('arrays'), { recursive: true });
    const entries = weights[k].map((data, i) => [String(i), { data, shape: shapes[i] }] as const);
    writeFileSync(at('arrays', `step-${step}.npz`), encodeNpz(Object.fromEntries(entries)));
  }
  copyFileSync(path.join(fixture, 'X.npy'), at('X.npy'));
  writeFileSync(at('wrong.npy'), encodeNpy(new Float32Array(8), [2, 4]));
  writeFileSync(
    at('net.mjs'),
    "import * as tf from '@tensorflow/tfjs';\nexport const createModel = (inputShape) => tf.sequential({ layers: [tf.layers.dense({ units: 8, inputShape, activation: 'tanh' }), tf.layers.dense({ units: 2 })] });",
  );
});
afterAll(() => place.clean());

interface Document {
  readonly checkpoints: readonly { name: string; eigenvalues: number[]; drift: number; movement: number }[];
}
const trace = (...args: string[]) =>
  cli(['trace', ...args, '--probe', 'X.npy', '--backend', 'wasm'], place.path);
const norm = (values: ArrayLike<number>) => Math.hypot(...Array.from(values));

describe('kernelscope trace', () => {
  it('follows kernel, spectrum, drift and movement along what model.save wrote', () => {
    const { code, stdout } = trace('saved', '--json', '--out', 'K.npz');
    expect(code).toBe(0);
    const { checkpoints } = JSON.parse(stdout) as Document;
    expect(checkpoints.map((c) => c.name)).toEqual(['step-0', 'step-2', 'step-10']);
    const kernels = decodeNpz(new Uint8Array(readFileSync(at('K.npz'))), 'K', (b) => inflateRawSync(b));
    const reference = toFloat64(decodeNpy(new Uint8Array(readFileSync(path.join(fixture, 'Kref.npy')))));
    const first = toFloat64(kernels.get('step-0') as never);
    for (const [i, value] of first.entries())
      expect(Math.abs(value - reference[i])).toBeLessThan(1e-5 * Math.max(...reference));
    for (const [k, step] of steps.entries()) {
      const alone = cli(
        [
          'kernel',
          `saved/step-${step}/model.json`,
          '--probe',
          'X.npy',
          '--out',
          'one.npy',
          '--backend',
          'wasm',
        ],
        place.path,
      );
      expect(alone.code).toBe(0);
      const kernel = toFloat64(decodeNpy(new Uint8Array(readFileSync(at('one.npy')))));
      const wanted = eigenvalues(matrixFrom(4, 4, kernel));
      for (const [i, value] of checkpoints[k].eigenvalues.entries())
        expect(Math.abs(value - wanted[i])).toBeLessThan(1e-5 * wanted[0]);
      expect(checkpoints[k].drift).toBeCloseTo(norm(kernel.map((v, i) => v - first[i])) / norm(first), 5);
      const moved = weights[k].flatMap((w, l) => Array.from(w, (v, i) => v - weights[0][l][i]));
      expect(checkpoints[k].movement).toBeCloseTo(
        norm(moved) / norm(weights[0].flatMap((w) => Array.from(w))),
        5,
      );
    }
  });

  it('takes weights alone with the network they are of, to the same numbers', () => {
    const { checkpoints } = JSON.parse(trace('saved', '--json').stdout) as Document;
    const alone = JSON.parse(trace('arrays', '--model', 'net.mjs', '--json').stdout) as Document;
    for (const [k, { eigenvalues: values, drift, movement }] of alone.checkpoints.entries()) {
      expect(drift).toBeCloseTo(checkpoints[k].drift, 5);
      expect(movement).toBeCloseTo(checkpoints[k].movement, 6);
      for (const [i, value] of values.entries())
        expect(Math.abs(value - checkpoints[k].eigenvalues[i])).toBeLessThan(1e-5 * values[0]);
    }
  });

  it('prints a line a checkpoint', () => {
    const { stdout } = trace('saved');
    expect(stdout.split('\n').filter((text) => /^step-\d+ /.test(text))).toHaveLength(3);
  });

  it('says what it needs', () => {
    const refused = (...args: string[]) => {
      const { code, stderr } = trace(...args);
      expect(code).toBe(2);
      return stderr;
    };
    expect(refused('arrays')).toMatch(
      /step-0\.npz holds weights alone\. Say with --model which network they are of/,
    );
    expect(refused('nowhere')).toMatch(/nowhere could not be read as a folder/);
    writeFileSync(at('net2.mjs'), readFileSync(at('net.mjs'), 'utf8').replace('units: 8', 'units: 9'));
    expect(refused('arrays', '--model', 'net2.mjs')).toMatch(
      /step-0\.npz: 0 has the shape \[6, 8\], but .* needs \[6, 9\]/,
    );
    const other = cli(['trace', 'saved', '--probe', 'wrong.npy', '--backend', 'wasm'], place.path);
    expect([other.code, other.stderr]).toEqual([
      2,
      expect.stringMatching(/holds inputs of shape \[4\], but the network takes \[6\]/),
    ]);
  });
});
