import { closeSync, openSync, readSync } from 'node:fs';
import { InputError } from '../../core/errors.js';

/** Bytes read at once, and those of the longest line. */
const piece = 2 ** 20;
const longest = 2 ** 26;
const lineFeed = 10;

/**
 * The lines of a text file one by one, without its being in memory as a whole; `ended` says whether the line has its line
 * feed, which only the last may lack. Nothing for a file that is not there. Throws an InputError for a line above 64 MiB.
 */
export function* linesOf(file: string): Generator<{ readonly text: string; readonly ended: boolean }> {
  const handle = readable(file, () => openSync(file, 'r'));
  if (handle === null) return;
  try {
    const chunk = Buffer.allocUnsafe(piece);
    let rest: Buffer[] = [];
    let size = 0;
    for (;;) {
      const read = readable(file, () => readSync(handle, chunk, 0, piece, null));
      if (!read) break;
      let from = 0;
      for (;;) {
        const end = chunk.subarray(0, read).indexOf(lineFeed, from);
        if (end < 0) break;
        const text =
          size === 0
            ? chunk.toString('utf8', from, end)
            : Buffer.concat([...rest, chunk.subarray(from, end)]).toString('utf8');
        rest = [];
        size = 0;
        yield { text, ended: true };
        from = end + 1;
      }
      if (from === read) continue;
      rest.push(Buffer.from(chunk.subarray(from, read)));
      size += read - from;
      if (size > longest)
        throw new InputError(
          `${file} has a line of more than ${longest} bytes, which no run writes. The file was changed by something else; restore it.`,
          { file },
        );
    }
    if (size > 0) yield { text: Buffer.concat(rest).toString('utf8'), ended: false };
  } finally {
    closeSync(handle);
  }
}

/** What is read of a file; null where there is none. */
function readable(file: string, read: () => number): number | null {
  try {
    return read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new InputError(`${file} cannot be read (${(error as Error).message}).`, { file });
  }
}
