import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { FailureError } from '../core/errors.js';
import { writeAtomically } from './files/durable.js';
import { writing } from './files/failure.js';
import { alone, ownerOf } from './files/lock.js';
import { files, type RunFile } from './layout.js';
import { readRunFile } from './reader.js';

/** Changes run.json; two who change it at the same time do so one after the other. */
export function saveRunFile(folder: string, change: (file: string) => RunFile): RunFile {
  const file = path.join(folder, files.run);
  return alone(folder, 'change', () => {
    const run = change(file);
    writeAtomically(file, `${JSON.stringify(run, null, 1)}\n`);
    return run;
  });
}

/** A run with the label and the pin that people may have given it meanwhile. */
export function keepPeoplesWords(run: RunFile, file: string): RunFile {
  try {
    const { label, pinned } = JSON.parse(readFileSync(file, 'utf8')) as RunFile;
    return { ...run, label, pinned };
  } catch {
    // Not there yet.
    return run;
  }
}

/** Changes what people may change of a run: its label and whether it is pinned. */
export function editRun(
  folder: string,
  change: { readonly label?: string; readonly pinned?: boolean },
): void {
  readRunFile(folder);
  saveRunFile(folder, (file) => ({ ...(JSON.parse(readFileSync(file, 'utf8')) as RunFile), ...change }));
}

/** Removes a run and everything in it. Throws a FailureError while a process writes it. */
export function deleteRun(folder: string): void {
  const owner = ownerOf(folder);
  if (owner)
    throw new FailureError(
      `Process ${owner.pid} writes the run in ${folder} at the moment; stop it before you delete the run.`,
    );
  writing(folder, () => rmSync(folder, { recursive: true, force: true }));
}
