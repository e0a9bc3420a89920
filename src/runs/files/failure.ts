import path from 'node:path';
import { FailureError } from '../../core/errors.js';
import { say } from '../../core/say.js';

/** What the system's codes mean for who reads the message. */
const meanings: Readonly<Record<string, string>> = {
  ENOSPC: say`the disk is full`,
  EDQUOT: say`the disk quota is used up`,
  EROFS: say`the file system is read-only`,
  EACCES: say`this user may not write there`,
  EPERM: say`this user may not write there`,
  ENOENT: say`its folder is gone`,
  ENOTDIR: say`something on the way to it is no folder`,
  EISDIR: say`there is a folder of that name`,
  EIO: say`the disk reports an error`,
  EMFILE: say`too many files are open`,
  ENAMETOOLONG: say`the name is too long`,
  EFBIG: say`the file would be larger than the file system takes`,
};

/** A write that did not happen. What was whole before is whole still. */
export class WriteError extends FailureError {
  constructor(
    readonly file: string,
    readonly code: string,
    reason: string,
  ) {
    super(
      `${file} cannot be written: ${reason}. What was recorded before is whole; make room or choose another place.`,
    );
  }
}

/** What a failing file operation throws, as a sentence with the file; other errors are left as they are. */
export function writeError(file: string, error: unknown): unknown {
  if (error instanceof WriteError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (typeof code !== 'string') return error;
  return new WriteError(path.resolve(file), code, meanings[code] ?? message);
}

/** Does file work; what fails gets its sentence. */
export function writing<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw writeError(file, error);
  }
}
