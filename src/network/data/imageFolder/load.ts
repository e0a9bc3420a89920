import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { InputError } from '../../../core/errors.js';
import { listed } from '../../../core/listed.js';
import { say } from '../../../core/say.js';
import { classify, type LabelledSource } from '../classified.js';
import type { DataContext, Dataset } from '../dataset.js';
import { readBytes } from '../files.js';
import type { DataSpec } from '../spec.js';
import { decodePicture, type Picture, resized, withChannels } from './decode.js';

type ImagesSpec = Extract<DataSpec, { kind: 'images' }>;

const pictureName = /\.(?:png|jpe?g)$/i;
const hidden = /^\.|^(?:thumbs\.db|__MACOSX)$/i;
const trainNames = ['train', 'training'];
const testNames = ['test', 'testing', 'val', 'valid', 'validation'];

/**
 * One folder of images a class, or such folders within `train` and `test`; pixels in [0, 1]. Throws an InputError that
 * names the file that differs, is damaged, or is no image.
 */
export function loadImageFolder(spec: ImagesSpec, context: DataContext): Dataset {
  const folder = path.resolve(context.folder, spec.path);
  const notes: string[] = [];
  const parts = foldersOf(folder, folder);
  const trainName = parts.find((name) => trainNames.includes(name.toLowerCase()));
  const testName = parts.find((name) => testNames.includes(name.toLowerCase()));
  const parted =
    trainName !== undefined && parts.every((n) => [...trainNames, ...testNames].includes(n.toLowerCase()));
  const root = parted ? path.join(folder, trainName) : folder;
  const classes = foldersOf(root, root);
  if (classes.length < 2)
    throw new InputError(
      `${root} holds ${classes.length} folders; images come in one folder a class, at least two.`,
      { file: root, field: 'data.path' },
    );
  const train = picturesOf(root, classes, notes);
  const test = parted && testName ? picturesOf(path.join(folder, testName), classes, notes) : null;
  const all = [...train, ...(test ?? [])];
  const shape = commonShape(all, spec, notes);
  const name = path.basename(folder);
  notes.push(say`${name}: ${classes.length} classes (${listed(classes)}).`);
  if (all.some(({ picture }) => picture.transparent))
    notes.push(say`${name}: transparent pixels are taken for opaque.`);
  const inputShape = spec.shape === 'flat' ? [shape[0] * shape[1] * shape[2]] : shape;
  const source = (pictures: readonly Labelled[]) => sourceOf(name, pictures, classes.length, shape);
  return { ...classify(source(train), test && source(test), spec, inputShape, context), notes };
}

interface Labelled {
  readonly file: string;
  readonly label: number;
  readonly picture: Picture;
}

function foldersOf(folder: string, field: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => !hidden.test(name) && statSync(path.join(folder, name)).isDirectory())
      .sort();
  } catch (error) {
    throw new InputError(
      `${field} could not be read as a folder (${(error as NodeJS.ErrnoException).code}). data.path is relative to the model file.`,
      { file: folder, field: 'data.path' },
    );
  }
}

function picturesOf(root: string, classes: readonly string[], notes: string[]): Labelled[] {
  const others = foldersOf(root, root).filter((name) => !classes.includes(name));
  if (others.length > 0)
    throw new InputError(
      `${root} holds the classes ${others.join(', ')}, which the training images lack. Both must have the same folders.`,
      { file: root, field: 'data.path' },
    );
  const found: Labelled[] = [];
  for (const [label, name] of classes.entries()) {
    const folder = path.join(root, name);
    let names: string[] = [];
    try {
      names = readdirSync(folder)
        .filter((file) => !hidden.test(file))
        .sort();
    } catch {
      // A class may have no test images.
    }
    const pictures = names.filter((file) => pictureName.test(file));
    const left = names.filter((file) => !pictureName.test(file));
    if (left.length > 0)
      notes.push(
        say`${folder}: ${left.length} files are no PNG or JPEG and are left out (${listed(left, 3)}).`,
      );
    for (const file of pictures) {
      const place = path.join(folder, file);
      found.push({ file: place, label, picture: decodePicture(readBytes(place), place) });
    }
  }
  if (found.length === 0)
    throw new InputError(`${root} holds no PNG or JPEG images.`, { file: root, field: 'data.path' });
  return found;
}

/** Height, width and channels of every input. */
function commonShape(all: readonly Labelled[], spec: ImagesSpec, notes: string[]): [number, number, number] {
  const first = all[0];
  const [height, width] = spec.size ?? [first.picture.height, first.picture.width];
  const other = all.find(({ picture }) => picture.height !== height || picture.width !== width);
  if (other && !spec.size)
    throw new InputError(
      `${other.file} has ${other.picture.height} x ${other.picture.width} pixels, but ${first.file} ${height} x ${width}. Set data.size to [height, width]; images are then brought to it.`,
      { file: other.file, field: 'data.size' },
    );
  if (other) notes.push(say`${path.basename(spec.path)}: images are brought to ${height} x ${width} pixels.`);
  const colours = new Set(all.map(({ picture }) => picture.channels));
  const channels = spec.channels ?? (colours.has(3) ? 3 : 1);
  if (colours.size > 1 || !colours.has(channels))
    notes.push(
      say`${path.basename(spec.path)}: all images are taken with ${channels} channels (data.channels says otherwise).`,
    );
  return [height, width, channels];
}

function sourceOf(
  name: string,
  pictures: readonly Labelled[],
  classes: number,
  [height, width, channels]: readonly [number, number, number],
): LabelledSource {
  return {
    name,
    size: pictures.length,
    labels: pictures.map(({ label }) => label),
    classes: Array.from({ length: classes }, (_, i) => i),
    inputSize: height * width * channels,
    row: (i, out, at) => {
      const { picture } = pictures[i];
      const pixels = withChannels(picture, channels as 1 | 3);
      const same = picture.height === height && picture.width === width;
      out.set(
        same ? pixels : resized(pixels, [picture.height, picture.width, channels], [height, width]),
        at,
      );
    },
  };
}
