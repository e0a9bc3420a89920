import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import path from 'node:path';
import { InputError } from '../core/errors.js';
import { writeAtomically } from './files/durable.js';
import { writing } from './files/failure.js';
import { nameOf, ownIdentity } from './files/process.js';
import { files, type RunFile, runIdOf } from './layout.js';
import { readRunFile } from './reader.js';

/** What a run folder may hold, by path: nothing else is taken over. */
const known = [
  /^(metrics|timing|events)\.jsonl$/,
  /^(kernels|spectra)\/\d{8,16}\.npy$/,
  /^arrays\/[A-Za-z][A-Za-z0-9._-]{0,100}\/\d{8,16}\.npy$/,
  /^checkpoints\/\d{8,16}(\.stop)?\.npz$/,
];

/** Plain files of a run folder by path with slashes; links are not followed. */
function knownFiles(source: string): string[] {
  const found: string[] = [];
  const walk = (folder: string, depth: number): void => {
    for (const name of readdirSync(path.join(source, folder))) {
      const place = folder === '' ? name : `${folder}/${name}`;
      const kind = lstatSync(path.join(source, place));
      if (kind.isDirectory() && depth < 2) walk(place, depth + 1);
      else if (kind.isFile() && known.some((pattern) => pattern.test(place))) found.push(place);
    }
  };
  walk('', 0);
  return found;
}

/**
 * Copies a run folder of somebody else among the runs, under a name of our own: its known files, never what a field in
 * it says. Returns the new folder. Throws an InputError for a folder that is no run, or one that lies there already.
 */
export function importRun(source: string, runsFolder: string): string {
  const from = path.resolve(source);
  const run = readRunFile(from);
  if (path.dirname(from) === path.resolve(runsFolder))
    throw new InputError(`${from} lies among the runs already.`, { file: from });
  const wanted =
    path
      .basename(from)
      .replace(/[^A-Za-z0-9._-]/g, '_')
      .replace(/^\.+/, '') || 'run';
  let name = wanted;
  for (let i = 2; existsSync(path.join(runsFolder, name)); i++) name = `${wanted}-${i}`;
  const target = path.join(runsFolder, name);
  const making = path.join(runsFolder, `.${name}.${nameOf(ownIdentity())}.0.tmp`);
  return writing(target, () => {
    try {
      for (const place of knownFiles(from)) {
        const file = path.join(making, place);
        mkdirSync(path.dirname(file), { recursive: true });
        copyFileSync(path.join(from, place), file);
      }
      const original = JSON.parse(readFileSync(path.join(from, files.run), 'utf8')) as RunFile;
      const own: RunFile = {
        ...original,
        info: { ...run.info, run: runIdOf(target), folder: target },
        status: run.status,
        imported: true,
        sweep: undefined,
        cell: undefined,
      };
      writeAtomically(path.join(making, files.run), `${JSON.stringify(own, null, 1)}\n`);
      renameSync(making, target);
      return target;
    } catch (error) {
      rmSync(making, { recursive: true, force: true });
      throw error;
    }
  });
}
