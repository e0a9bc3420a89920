import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Place {
  readonly file: string;
  readonly line?: number;
}

/** Folders that hold files of ours alone. */
const ours: readonly string[] = [__dirname, path.dirname(__dirname)];
const frame = /^\s+at (?:.*\()?(?:async )?((?:file:\/\/\/|\/|[A-Za-z]:[\\/])[^()]*?):(\d+):\d+\)?$/;

/**
 * Where in the user's files a training was begun: the first frame outside of packages and of us, else the program that Node
 * was started with.
 */
export function placeOfCaller(): Place {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 60;
  const stack = String(new Error().stack).split('\n');
  Error.stackTraceLimit = limit;
  for (const line of stack) {
    const found = frame.exec(line);
    if (!found) continue;
    const file = found[1].startsWith('file:') ? fileURLToPath(found[1]) : found[1];
    if (/[\\/]node_modules[\\/]/.test(file) || ours.includes(path.dirname(file))) continue;
    // The source maps of packages name files that nobody has.
    if (!existsSync(file)) continue;
    return { file, line: Number(found[2]) };
  }
  return { file: path.resolve(process.argv[1] ?? '.') };
}
