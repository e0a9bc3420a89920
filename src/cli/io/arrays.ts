import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { InputError } from '../../core/errors.js';
import { decodeNpy, type NpyArray, toFloat64 } from '../../core/npy.js';
import { writeAtomically } from '../../runs/index.js';

/** The bytes of a file the user named; an InputError when it cannot be read. */
export function bytesOf(file: string): Uint8Array {
  try {
    // A copy: slices of a Buffer are views into a shared pool, which the npy reader must not see.
    return Uint8Array.from(readFileSync(file));
  } catch (error) {
    throw new InputError(
      `${file} cannot be read (${(error as Error).message}); give the path of an existing file.`,
      { file },
    );
  }
}

/** Turns what a reader of `file` throws into an InputError. */
export function asInput<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof InputError ? error : new InputError((error as Error).message, { file });
  }
}

/** The finite numbers of an npy file; InputErrors name the file and what is wrong. */
export function readNpy(file: string): NpyArray {
  const array = asInput(file, () => decodeNpy(bytesOf(file), file));
  if (array.shape.length === 0 || array.shape[0] === 0)
    throw new InputError(
      `${file} has the shape [${array.shape.join(', ')}]; inputs have the shape [N, ...] with N of at least 1.`,
      { file },
    );
  if (!toFloat64(array).every(Number.isFinite))
    throw new InputError(`${file} holds values that are not finite.`, { file });
  return array;
}

/** Writes a result where the user asked for it; an InputError when that place cannot be written to. */
export function writeResult(file: string, bytes: Uint8Array): void {
  try {
    if (!existsSync(path.dirname(path.resolve(file)))) throw new Error('its folder does not exist');
    writeAtomically(path.resolve(file), bytes);
  } catch (error) {
    throw new InputError(
      `${file} cannot be written (${(error as Error).message}); give --out a file in an existing folder.`,
      { file, field: '--out' },
    );
  }
}
