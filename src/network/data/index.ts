import path from 'node:path';
import { InputError } from '../../core/errors.js';
import { loadArrays } from './arrayFiles.js';
import { loadCsv } from './csv/load.js';
import { type DataContext, type Dataset, withShiftedLabels } from './dataset.js';
import { loadGiven } from './given.js';
import { loadImageFolder } from './imageFolder/load.js';
import { loadDigits, loadMnist } from './images.js';
import type { DataFunction, DataSpec } from './spec.js';
import { loadGaussianMixture, loadTeacher } from './synthetic.js';

export { type DataContext, type Dataset, type Split, targetsOf } from './dataset.js';

/** Reads or makes the data of a spec. Throws an InputError that names file, field and way out. */
export function loadData(spec: DataSpec, context: DataContext): Dataset {
  const data = readable(spec, context);
  return context.sabotage === 'shifted-labels' ? withShiftedLabels(data) : data;
}

/** What a reader of files throws is a mistake in the file that was named. */
function readable(spec: DataSpec, context: DataContext): Dataset {
  try {
    return read(spec, context);
  } catch (error) {
    if (error instanceof InputError || !('path' in spec) || spec.path === undefined) throw error;
    const file = path.resolve(context.folder, spec.path);
    const message = (error as Error).message.replace(/\.$/, '');
    throw new InputError(
      message.startsWith(file)
        ? `${message}.`
        : `${file} cannot be read as ${spec.kind}: ${message}. Mend the file, or name another by data.path.`,
      { file, field: 'data.path' },
    );
  }
}

/** The data of a definition, which may be a function of the model file (`file`, for messages). Errors as in `loadData`. */
export async function dataOf(
  data: DataSpec | DataFunction,
  context: DataContext,
  file: string,
): Promise<Dataset> {
  return typeof data === 'function' ? loadGiven(data, context, file) : loadData(data, context);
}

function read(spec: DataSpec, context: DataContext): Dataset {
  switch (spec.kind) {
    case 'mnist':
      return loadMnist(spec, context);
    case 'digits':
      return loadDigits(spec, context);
    case 'teacher':
      return loadTeacher(spec, context);
    case 'gaussianMixture':
      return loadGaussianMixture(spec, context);
    case 'csv':
      return loadCsv(spec, context);
    case 'npz':
    case 'npy':
      return loadArrays(spec, context);
    case 'images':
      return loadImageFolder(spec, context);
  }
}
