import { closeSync, existsSync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync } from 'node:fs';
import { say } from '../../core/say.js';
import { bytesOf, writeAll } from './durable.js';
import { WriteError, writing } from './failure.js';

/**
 * A file of lines that only grows. A line is there as a whole or not at all: what a failing write left of one is taken
 * away again, and what a killed writer left of one goes when the next one opens the file.
 */
export class AppendLog {
  private handle: number | null = null;
  private length = 0;

  constructor(readonly file: string) {}

  /** Bytes of whole lines. */
  get size(): number {
    return this.length;
  }

  /** Opens the file; with `size`, everything after so many bytes is dropped, else what comes after the last whole line. */
  open(size?: number): void {
    writing(this.file, () => {
      const handle = openSync(this.file, existsSync(this.file) ? 'r+' : 'wx+');
      this.handle = handle;
      const there = fstatSync(handle).size;
      const keep = size === undefined ? wholeLines(handle, there) : Math.min(size, there);
      if (keep < there) ftruncateSync(handle, keep);
      this.length = keep;
    });
  }

  append(text: string): void {
    if (this.handle === null) this.open();
    const handle = this.handle as number;
    // Who has deleted the folder under a run would otherwise be written to for hours.
    if (fstatSync(handle).nlink === 0) throw new WriteError(this.file, 'ENOENT', say`it was deleted`);
    const bytes = bytesOf(text);
    writing(this.file, () => {
      try {
        writeAll(handle, bytes, this.length);
      } catch (error) {
        try {
          ftruncateSync(handle, this.length);
        } catch {
          // A torn last line is dropped by readers too.
        }
        throw error;
      }
    });
    this.length += bytes.length;
  }

  /** Puts everything on the disk. */
  sync(): void {
    if (this.handle !== null) writing(this.file, () => fsyncSync(this.handle as number));
  }

  close(): void {
    if (this.handle !== null) closeSync(this.handle);
    this.handle = null;
  }
}

const lineFeed = 10;

/** Bytes up to the end of the last line that has one. */
function wholeLines(handle: number, size: number): number {
  const piece = new Uint8Array(65536);
  for (let end = size; end > 0; ) {
    const from = Math.max(0, end - piece.length);
    const read = readSync(handle, piece, 0, end - from, from);
    for (let i = read - 1; i >= 0; i--) if (piece[i] === lineFeed) return from + i + 1;
    end = from;
  }
  return 0;
}
