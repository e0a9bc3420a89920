import { readFileSync } from 'node:fs';
import path from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../network/training/index.js';
import { checkpointPath, writeAtomically } from '../runs/index.js';

/** Writes a checkpoint into a run folder. */
export function saveCheckpoint(folder: string, checkpoint: Checkpoint): void {
  writeAtomically(path.join(folder, checkpointPath(checkpoint.step)), encodeCheckpoint(checkpoint));
}

export function loadCheckpoint(file: string): Checkpoint {
  return decodeCheckpoint(Uint8Array.from(readFileSync(file)), file, (bytes) => inflateRawSync(bytes));
}
