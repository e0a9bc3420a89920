import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { InputError } from '../core/errors.js';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../network/training/index.js';
import {
  checkpointPath,
  checkpointsOf,
  interruptPath,
  type Marks,
  type RunWriter,
  reaches,
  writeAtomically,
} from '../runs/index.js';

/** What a run goes on from. */
export interface SavedCheckpoint {
  readonly checkpoint: Checkpoint;
  /** Absent in checkpoints of earlier versions. */
  readonly marks?: Marks;
  /** Newer ones that cannot be read, with the reason. */
  readonly damaged: readonly string[];
}

/** Writes a checkpoint into a run folder, after everything that was recorded before it; `planned` are those of the cadence. */
export function saveCheckpoint(writer: RunWriter, checkpoint: Checkpoint, planned: boolean): void {
  const marks = writer.settle();
  const place = planned ? checkpointPath(checkpoint.step) : interruptPath(checkpoint.step);
  writeAtomically(path.join(writer.folder, place), encodeCheckpoint(checkpoint, marks));
  if (!planned) return;
  for (const file of checkpointsOf(writer.folder))
    if (file.endsWith('.stop.npz')) rmSync(file, { force: true });
}

function load(file: string): { readonly checkpoint: Checkpoint; readonly marks?: Marks } {
  const { more, ...checkpoint } = decodeCheckpoint(Uint8Array.from(readFileSync(file)), file, inflateRawSync);
  return { checkpoint, marks: more as Marks | undefined };
}

/** The newest checkpoint that is whole; null where a run has none. Throws an InputError where all are damaged. */
export function loadCheckpoint(folder: string): SavedCheckpoint | null {
  const damaged: string[] = [];
  for (const file of checkpointsOf(folder)) {
    try {
      const { checkpoint, marks } = load(file);
      if (!marks || reaches(folder, marks)) return { checkpoint, marks, damaged };
      damaged.push(`${path.basename(file)} knows of more rows than there are`);
    } catch (error) {
      damaged.push(`${path.basename(file)}: ${(error as Error).message}`);
    }
  }
  if (damaged.length === 0) return null;
  throw new InputError(
    `No checkpoint of ${folder} can be read (${damaged.slice(0, 3).join('; ')}). Start the run anew in another folder; what was recorded stays readable.`,
    { file: folder },
  );
}
