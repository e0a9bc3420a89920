import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeNpy, encodeNpy } from '../../src/core/npy.js';
import { cli } from '../helpers/cli.js';
import { root, temporaryFolder } from '../helpers/folders.js';

const place = temporaryFolder();
const write = (name: string, text: string) => writeFileSync(path.join(place.path, name), text);
const fixture = path.join(root, 'test', 'fixtures', 'keras3', 'seq');
beforeAll(() => {
  const make =
    '(inputShape, units) => tf.sequential({ layers: [tf.layers.dense({ units, inputShape, activation: "tanh" }), tf.layers.dense({ units: 1 })] })';
  write(
    'builder.mjs',
    `import * as tf from '@tensorflow/tfjs';\nconsole.log('loaded');\nconst size = tf.ones([3]).sum().dataSync()[0];\nexport const createModel = ${make};`,
  );
  mkdirSync(path.join(place.path, 'keras'));
  for (const name of ['model.json', 'group1-shard1of1.bin'])
    copyFileSync(path.join(fixture, name), path.join(place.path, 'keras', name));
  writeFileSync(
    path.join(place.path, 'X.npy'),
    encodeNpy(
      Float32Array.from({ length: 12 }, (_, i) => Math.sin(i)),
      [2, 6],
    ),
  );
  write(
    'table.csv',
    [
      'a,b,c,d,e,f,y,z',
      ...Array.from({ length: 20 }, (_, i) =>
        Array.from({ length: 8 }, (_, k) => Math.sin(3 * i + k)).join(','),
      ),
    ].join('\n'),
  );
});
afterAll(() => place.clean());

const data = ['--data', '../table.csv?target=["y","z"]', '--backend', 'wasm'];

describe('model files as people have them, on the command line', () => {
  it('trains, predicts and sweeps a model.json', () => {
    const run = cli(['run', 'keras/model.json', ...data, '--steps', '3', '--json'], place.path);
    expect(run.code).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({ status: 'finished', steps: 3 });
    const predict = cli(['predict', 'keras/model.json', ...data, '--json'], place.path);
    expect(JSON.parse(predict.stdout)).toMatchObject({ parameters: 74 });
    const sweep = cli(
      [
        'sweep',
        'keras/model.json',
        ...data,
        '--set',
        'steps=3',
        '--vary',
        'seed=0,1',
        '--out',
        'sweep',
        '--json',
      ],
      place.path,
    );
    expect(sweep.code).toBe(0);
    expect((JSON.parse(sweep.stdout) as { cells: unknown[] }).cells).toHaveLength(2);
  });

  it('gives a builder what it asks for, and says what nothing is known of', () => {
    const missing = cli(
      ['kernel', 'builder.mjs', '--probe', 'X.npy', '--out', 'K.npy', '--backend', 'cpu'],
      place.path,
    );
    expect(missing.code).toBe(2);
    expect(missing.stderr).toMatch(
      /builder\.mjs:4: the builder createModel takes \(inputShape, units\), and nothing says what units should be/,
    );
    expect(missing.stderr).not.toMatch(/^\s+at /m);
    const given = cli(
      ['kernel', 'builder.mjs', '--probe', 'X.npy', '--arg', 'units=5', '--out', 'K.npy', '--backend', 'cpu'],
      place.path,
    );
    expect(given.code).toBe(0);
    expect(given.stderr).toMatch(/createModel is given inputShape = \[6\]/);
    expect(decodeNpy(new Uint8Array(readFileSync(path.join(place.path, 'K.npy')))).shape).toEqual([2, 2]);
    const swept = cli(
      [
        'sweep',
        'builder.mjs',
        '--data',
        'table.csv',
        '--set',
        'steps=2',
        '--vary',
        'args.units=2,3',
        '--out',
        'units',
        '--json',
        '--backend',
        'wasm',
      ],
      place.path,
    );
    expect(swept.code).toBe(0);
    expect((JSON.parse(swept.stdout) as { cells: unknown[] }).cells).toHaveLength(2);
  });

  it('keeps stdout for the document', () => {
    const { stdout, stderr } = cli(
      ['predict', 'builder.mjs', '--data', 'table.csv', '--arg', 'units=4', '--json', '--backend', 'wasm'],
      place.path,
    );
    expect(JSON.parse(stdout)).toHaveProperty('parameters');
    expect(stderr).toMatch(/loaded/);
  });
});
