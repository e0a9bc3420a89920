import path from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { InputError } from '../../core/errors.js';
import { decodeNpy, type NpyArray, toFloat64 } from '../../core/npy.js';
import { decodeNpz } from '../../core/npz.js';
import { say } from '../../core/say.js';
import { fromArrays, type NumberArray } from './arrays.js';
import type { DataContext, Dataset } from './dataset.js';
import { readBytes } from './files.js';
import type { DataSpec } from './spec.js';

type ArraySpec = Extract<DataSpec, { kind: 'npz' | 'npy' }>;
type Role = 'x' | 'y' | 'xTest' | 'yTest';

/** Names that people give to arrays, without case and separators. */
const usual: Readonly<Record<Role, readonly string[]>> = {
  x: [
    'x',
    'xtrain',
    'trainx',
    'xs',
    'inputs',
    'input',
    'features',
    'images',
    'trainimages',
    'data',
    'traindata',
    'traininputs',
  ],
  y: [
    'y',
    'ytrain',
    'trainy',
    'ys',
    'targets',
    'target',
    'labels',
    'label',
    'trainlabels',
    'traintargets',
    'outputs',
    'output',
  ],
  xTest: [
    'xtest',
    'testx',
    'testimages',
    'testdata',
    'testinputs',
    'xval',
    'valx',
    'xvalid',
    'xvalidation',
    'valimages',
  ],
  yTest: [
    'ytest',
    'testy',
    'testlabels',
    'testtargets',
    'yval',
    'valy',
    'yvalid',
    'yvalidation',
    'vallabels',
  ],
};
const bare = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '');

/**
 * Arrays x and y (and a test set xTest, yTest) of an .npz, or .npy files. Other usual names are found, and said; whole
 * numbers are classes. Throws InputErrors that name file, array and place.
 */
export function loadArrays(spec: ArraySpec, context: DataContext): Dataset {
  const file = path.resolve(context.folder, spec.path);
  const notes: string[] = [];
  const arrays = spec.kind === 'npz' ? fromNpz(file, spec, notes) : fromNpy(file, spec, context);
  const { x, y, xTest, yTest } = arrays;
  if (!xTest !== !yTest)
    throw new InputError(
      `${file}: there is only one of xTest and yTest. A test set needs both; take the one out, or name the other in data.xTest or data.yTest.`,
      { file, field: xTest ? 'data.yTest' : 'data.xTest' },
    );
  return fromArrays(
    {
      name: path.basename(file),
      file,
      x,
      y,
      ...(xTest && yTest ? { test: { x: xTest, y: yTest } } : {}),
      notes,
    },
    spec,
    context,
  );
}

type Found = { readonly x: NumberArray; readonly y: NumberArray; xTest?: NumberArray; yTest?: NumberArray };

function decoded<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new InputError(error.message, { file, field: 'data.path' });
  }
}

const numbers = (called: string, array: NpyArray): NumberArray => ({
  called,
  shape: array.shape,
  values: toFloat64(array),
  whole: /^[iub]/.test(array.type),
});

function fromNpz(file: string, spec: ArraySpec, notes: string[]): Found {
  const bytes = readBytes(file);
  const arrays = decoded(file, () => decodeNpz(bytes, file, inflateRawSync));
  const held = [...arrays.keys()];
  const named = (role: Role, required: boolean): NumberArray | undefined => {
    const asked = spec[role];
    const candidates = asked
      ? held.filter((name) => name === asked)
      : held.includes(role)
        ? [role]
        : byUsualNames(held, role);
    const [name] = candidates;
    if (name === undefined && !required && !asked) return undefined;
    if (name === undefined || candidates.length > 1)
      throw new InputError(
        name === undefined
          ? `${file} has no array "${asked ?? role}"; it holds ${held.join(', ')}. Set data.x and data.y.`
          : `${file} holds ${candidates.join(' and ')}; say in data.${role} which one is meant.`,
        { file, field: `data.${role}` },
      );
    if (name !== (asked ?? role))
      notes.push(say`${path.basename(file)}: the array ${name} is taken for ${role}.`);
    return numbers(name, arrays.get(name) as NpyArray);
  };
  const x = named('x', true) as NumberArray;
  const y = named('y', true) as NumberArray;
  const rest = { xTest: named('xTest', false), yTest: named('yTest', false) };
  const taken = [x, y, rest.xTest, rest.yTest].map((array) => array?.called);
  const left = held.filter((name) => !taken.includes(name));
  if (left.length > 0) notes.push(say`${path.basename(file)}: not used are ${left.join(', ')}.`);
  return { x, y, ...rest };
}

/** Arrays whose name is usual for a role: those of the first usual name that is there; arr_0 and arr_1 where nothing else is. */
function byUsualNames(held: readonly string[], role: Role): string[] {
  for (const name of usual[role]) {
    const found = held.filter((candidate) => bare(candidate) === name);
    if (found.length > 0) return found;
  }
  const unnamed = `arr_${['x', 'y', 'xTest', 'yTest'].indexOf(role)}`;
  const plain = held.every((name) => /^arr_\d$/.test(name)) && (held.length === 2 || held.length === 4);
  return plain && held.includes(unnamed) ? [unnamed] : [];
}

function fromNpy(file: string, spec: ArraySpec, context: DataContext): Found {
  if (!spec.targetPath)
    throw new InputError('data.targetPath is missing; with kind "npy" it names the file of the targets.', {
      field: 'data.targetPath',
    });
  const read = (role: string, name: string): NumberArray => {
    const place = path.resolve(context.folder, name);
    const bytes = readBytes(place);
    return numbers(
      role,
      decoded(place, () => decodeNpy(bytes, place)),
    );
  };
  return {
    x: read(path.basename(file), spec.path),
    y: read(path.basename(spec.targetPath), spec.targetPath),
    ...(spec.xTest ? { xTest: read(path.basename(spec.xTest), spec.xTest) } : {}),
    ...(spec.yTest ? { yTest: read(path.basename(spec.yTest), spec.yTest) } : {}),
  };
}
