import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { encode as encodePng } from 'fast-png';
import { encode as encodeJpeg } from 'jpeg-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DataSpec } from '../../src/experiment/definition.js';
import { loadData } from '../../src/network/data/index.js';
import { temporaryFolder } from '../helpers/folders.js';

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.clean());

const put = (name: string, bytes: Uint8Array | string) => {
  const file = path.join(folder.path, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, bytes);
};
type Spec = Partial<Extract<DataSpec, { kind: 'images' }>>;
const load = (spec: Spec = {}) =>
  loadData({ kind: 'images', path: folder.path, ...spec }, { folder: '.', seed: 1, loss: 'crossEntropy' });

const png = (value: number, more: Partial<Parameters<typeof encodePng>[0]> = {}) => {
  const { width = 2, height = 2, channels = 1, depth = 8 } = more;
  const Values = depth === 16 ? Uint16Array : Uint8Array;
  const data = new Values(width * height * channels).fill(value);
  return encodePng({ width, height, channels, depth, data, ...more } as Parameters<typeof encodePng>[0]);
};
const jpeg = (rgb: readonly number[], width = 2, height = 2) =>
  encodeJpeg(
    { width, height, data: Uint8Array.from({ length: 4 * width * height }, (_, i) => rgb[i % 4]) },
    100,
  ).data;

describe('folders of images by class', () => {
  it('has a class a folder, pixels in [0, 1]', () => {
    for (let i = 0; i < 3; i++) {
      put(`cat/${i}.png`, png(51));
      put(`dog/${i}.png`, png(255));
    }
    const data = load();
    expect(data).toMatchObject({ inputShape: [2, 2, 1], classes: 2, outputs: 2 });
    expect(data.train.size + data.test.size).toBe(6);
    for (let i = 0; i < data.train.size; i++)
      for (const value of data.train.x.subarray(4 * i, 4 * i + 4))
        expect(value).toBeCloseTo(data.train.labels?.[i] === 0 ? 0.2 : 1, 6);
    expect(data.notes?.join()).toMatch(/2 classes \(cat, dog\)/);
    expect(load({ shape: 'flat' }).inputShape).toEqual([4]);
  });

  it('reads 16 bits, colour, alpha (said) and JPEG', () => {
    put('a/deep.png', png(13107, { depth: 16 }));
    put(
      'b/colour.png',
      png(0, { channels: 3, data: Uint8Array.from({ length: 12 }, (_, i) => [255, 0, 51][i % 3]) }),
    );
    put(
      'c/alpha.png',
      png(0, { channels: 4, data: Uint8Array.from({ length: 16 }, (_, i) => [255, 0, 51, 9][i % 4]) }),
    );
    put('d/photo.jpg', jpeg([200, 100, 50, 255]));
    const data = load({ train: 4, test: undefined });
    const of = (label: number) => {
      const i = data.train.labels?.indexOf(label) ?? -1;
      return Array.from(data.train.x.subarray(12 * i, 12 * i + 3));
    };
    expect(data.inputShape).toEqual([2, 2, 3]);
    expect(data.notes?.join()).toMatch(/with 3 channels.*transparent pixels are taken for opaque/);
    for (const value of of(0)) expect(value).toBeCloseTo(0.2, 5);
    for (const label of [1, 2]) expect(of(label).map((v) => Number(v.toFixed(3)))).toEqual([1, 0, 0.2]);
    for (const [c, value] of of(3).entries()) expect(value).toBeCloseTo([200, 100, 50][c] / 255, 1);
  });

  it('keeps a test folder apart', () => {
    for (const part of ['train', 'test'])
      for (const name of ['x', 'y']) put(`${part}/${name}/1.png`, png(part === 'train' ? 0 : 255));
    const data = load();
    expect([data.train.size, data.test.size]).toEqual([2, 2]);
    expect(data.test.x.every((v) => v === 1)).toBe(true);
    put('test/z/1.png', png(0));
    expect(load).toThrow(/holds the classes z, which the training images lack/);
  });

  it('asks for a size where images differ, and brings them to it', () => {
    put('a/small.png', png(255, { width: 2, height: 2 }));
    put('b/large.png', png(255, { width: 8, height: 4 }));
    expect(load).toThrow(/large\.png has 4 x 8 pixels, but .*small\.png 2 x 2\. Set data\.size/);
    const data = load({ size: [3, 5], train: 2 });
    expect(data.inputShape).toEqual([3, 5, 1]);
    for (const value of data.train.x) expect(value).toBeCloseTo(1, 6);
    expect(data.notes?.join()).toMatch(/brought to 3 x 5 pixels/);
  });

  it('shrinks by the mean of what a pixel covers', () => {
    put('a/1.png', png(0, { width: 4, height: 1, data: Uint8Array.of(0, 255, 0, 255) }));
    put('b/1.png', png(255, { width: 4, height: 1 }));
    const data = load({ size: [1, 1], train: 2 });
    const stripes = data.train.labels?.indexOf(0) ?? -1;
    expect(data.train.x[stripes]).toBeCloseTo(0.5, 2);
  });

  it('says what it leaves out and what is damaged', () => {
    put('a/1.png', png(0));
    put('b/1.png', png(9));
    put('b/notes.txt', 'text');
    put('.hidden/1.png', 'x');
    expect(load({ train: 2 }).notes?.join()).toMatch(
      /1 files are no PNG or JPEG and are left out \(notes\.txt\)/,
    );
    put('b/2.png', png(0).slice(0, 40));
    expect(load).toThrow(/2\.png could not be read .*it may be damaged/);
    put('b/2.png', 'GIF89a');
    expect(load).toThrow(/2\.png is no PNG and no JPEG\. Convert it/);
  });

  it('needs two classes', () => {
    expect(load).toThrow(/holds 0 folders; images come in one folder a class/);
    put('only/1.png', png(0));
    expect(load).toThrow(/holds 1 folders/);
    expect(() => load({ path: '/nowhere' })).toThrow(/\/nowhere could not be read as a folder \(ENOENT\)/);
  });
});
