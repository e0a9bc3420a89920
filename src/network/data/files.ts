import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { InputError } from '../../core/errors.js';

/** The bytes of a file of the data; an InputError when it cannot be read, or is a folder. */
export function readBytes(file: string): Buffer {
  try {
    if (statSync(file).isDirectory())
      throw new InputError(
        `${file} is a folder, not a file. Give data.path a file, or take images({ path: '${path.basename(file)}' }) for folders of images.`,
        { file, field: 'data.path' },
      );
    return readFileSync(file);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(
      `${file} could not be read (${(error as NodeJS.ErrnoException).code}). data.path is relative to the model file.`,
      { file, field: 'data.path' },
    );
  }
}
