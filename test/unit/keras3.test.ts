import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeNpy, toFloat64 } from '../../src/core/npy.js';
import { loadLayersModel } from '../../src/experiment/layersModel.js';
import { useBackend } from '../../src/network/backends/index.js';
import { empiricalKernel } from '../../src/network/kernel/index.js';
import * as tf from '../../src/network/tf.js';
import { temporaryFolder } from '../helpers/folders.js';

// Written by Keras 3.15 with the converter's form of files; Kref is the kernel computed in TensorFlow with GradientTape.
const fixture = (...parts: string[]) => path.join(__dirname, '..', 'fixtures', 'keras3', ...parts);
const npy = (name: string, file: string) => decodeNpy(new Uint8Array(readFileSync(fixture(name, file))));
const folder = temporaryFolder();
beforeAll(async () => {
  await useBackend('cpu');
});
afterAll(() => folder.clean());

const changed = (name: string, change: (text: string) => string, weights = true): string => {
  const place = path.join(folder.path, `${Math.random()}`);
  mkdirSync(place);
  writeFileSync(path.join(place, 'model.json'), change(readFileSync(fixture(name, 'model.json'), 'utf8')));
  if (weights)
    writeFileSync(
      path.join(place, 'group1-shard1of1.bin'),
      readFileSync(fixture(name, 'group1-shard1of1.bin')),
    );
  return path.join(place, 'model.json');
};

describe('a model.json of Keras 3', () => {
  it.each(['seq', 'func', 'conv', 'act', 'lrelu', 'gelu', 'lstm'])(
    '%s: the kernel is that of TensorFlow',
    async (name) => {
      const model = (await loadLayersModel(fixture(name, 'model.json')))(tf);
      const { data, shape } = npy(name, 'X.npy');
      const kernel = await empiricalKernel(model, tf.tensor(data as Float32Array, [...shape]), {
        mode: 'trace',
      });
      const reference = toFloat64(npy(name, 'Kref.npy'));
      const largest = Math.max(...reference.map(Math.abs));
      for (const [i, value] of reference.entries())
        expect(Math.abs(kernel.data[i] - value)).toBeLessThan(1e-5 * largest);
    },
  );

  const refused: [string, () => string, RegExp][] = [
    [
      'GRU with reset_after',
      () => fixture('gru', 'model.json'),
      /the layer l cannot be read: TensorFlow\.js has no GRU with reset_after\. Train it with reset_after=False/,
    ],
    [
      'hard_sigmoid',
      () => changed('seq', (t) => t.replace('"activation": "tanh"', '"activation": "hard_sigmoid"')),
      /the layer d1 cannot be read: TensorFlow\.js has no activation "hard_sigmoid"/,
    ],
    [
      'a layer of the user',
      () => changed('seq', (t) => t.replace('"class_name": "Dense"', '"class_name": "MyDense"')),
      /the layer d1 is a MyDense, which TensorFlow\.js does not have\. Write the class in a model file, register it/,
    ],
    [
      'weights of another model',
      () => changed('seq', (t) => t.replace('"units": 2', '"units": 3')),
      /its weights do not fit its layers: 4 arrays for 4 weights; d2\/kernel needs the shape \[8, 3\]/,
    ],
    [
      'weights that are cut off',
      () => {
        const file = changed('seq', (t) => t);
        writeFileSync(path.join(path.dirname(file), 'group1-shard1of1.bin'), Buffer.alloc(8));
        return file;
      },
      /its files of weights do not hold what it says/,
    ],
  ];
  it.each(refused)('refuses %s in a sentence', async (_, file, message) => {
    await expect(loadLayersModel(file())).rejects.toThrow(message);
  });

  it('takes weights in order where names differ', async () => {
    const file = changed('seq', (t) =>
      t.replaceAll('"name": "d1/', '"name": "other/').replaceAll('"name": "d2/', '"name": "more/'),
    );
    const model = (await loadLayersModel(file))(tf);
    const known = (await loadLayersModel(fixture('seq', 'model.json')))(tf);
    for (const [i, weight] of model.getWeights().entries())
      expect(Array.from(weight.dataSync())).toEqual(Array.from(known.getWeights()[i].dataSync()));
  });

  it('starts from its initialisers without weights', async () => {
    const build = await loadLayersModel(changed('seq', (t) => t, false));
    expect((build as unknown as { keepsWeights: boolean }).keepsWeights).toBe(false);
  });
});
