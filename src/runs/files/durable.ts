/**
 * The one place that writes run folders. What it promises: a reader sees the old content of a file or the new one, never
 * a part; a write that fails (full disk, quota, folder gone) is a sentence and harms nothing that was whole; what dead
 * writers left behind is cleaned by the next one.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { writing } from './failure.js';
import { identityOf, isAlive, nameOf, ownIdentity } from './process.js';

const encoder = new TextEncoder();

export const bytesOf = (content: string | Uint8Array): Uint8Array =>
  typeof content === 'string' ? encoder.encode(content) : content;

/** Writes all bytes: the system may take fewer than it was given, on a nearly full disk for one. */
export function writeAll(handle: number, bytes: Uint8Array, position: number | null = null): void {
  let done = 0;
  while (done < bytes.length) {
    const at = position === null ? null : position + done;
    const taken = writeSync(handle, bytes, done, bytes.length - done, at);
    if (taken <= 0) throw Object.assign(new Error(), { code: 'ENOSPC' });
    done += taken;
  }
}

/** Puts the names in a folder on the disk, so that a rename outlasts a power cut. */
export function syncFolder(folder: string): void {
  let handle: number;
  try {
    handle = openSync(folder, 'r');
  } catch (error) {
    // Windows opens no folders and keeps their names by itself.
    if (process.platform === 'win32') return;
    throw error;
  }
  try {
    fsyncSync(handle);
  } catch (error) {
    // Some network file systems sync no folders.
    if (!['EINVAL', 'EPERM', 'ENOTSUP', 'EBADF'].includes((error as NodeJS.ErrnoException).code ?? ''))
      throw error;
  } finally {
    closeSync(handle);
  }
}

const ending = '.tmp';
let count = 0;

export interface WriteOptions {
  /** Whether the name is on the disk when this returns. False: the caller syncs the folder later, once for many files. */
  readonly settled?: boolean;
}

/**
 * Writes a file so that a reader sees the old content or the new one, never a part, and both outlast a power cut. Makes
 * the folder. Throws a WriteError; the old content is then untouched.
 */
export function writeAtomically(
  file: string,
  content: string | Uint8Array,
  { settled = true }: WriteOptions = {},
): void {
  writing(file, () => {
    const folder = path.dirname(file);
    mkdirSync(folder, { recursive: true });
    const temporary = `${file}.${nameOf(ownIdentity())}.${count++}${ending}`;
    try {
      const handle = openSync(temporary, 'w');
      try {
        writeAll(handle, bytesOf(content));
        fsyncSync(handle);
      } finally {
        closeSync(handle);
      }
      renameSync(temporary, file);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
    if (settled) syncFolder(folder);
  });
}

/** Whether a name is that of a file in the making; null: it is none. */
function writerOf(name: string): ReturnType<typeof identityOf> {
  if (!name.endsWith(ending)) return null;
  // `<file>.<pid>-<start>-<boot>.<n>.tmp`, or `<file>.<pid>.tmp` of versions before.
  const match = /\.(\d+-\d*-[0-9a-f]*)\.\d+\.tmp$/.exec(name) ?? /\.(\d+)\.tmp$/.exec(name);
  return match ? identityOf(match[1]) : null;
}

/** Removes what writers that are gone left half-made in a folder and the folders in it. */
export function cleanLeftovers(folder: string, depth = 2): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const place = path.join(folder, entry.name);
    if (entry.isDirectory()) {
      if (depth > 0) cleanLeftovers(place, depth - 1);
      continue;
    }
    const writer = writerOf(entry.name);
    if (writer && !isAlive(writer)) rmSync(place, { force: true });
  }
}
