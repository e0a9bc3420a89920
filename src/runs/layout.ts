import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { RunEnded, RunStarted, RunStatus, SnapshotName } from '../protocol/records.js';

export const runSchemaVersion = 1;

/** What run.json holds. */
export interface RunFile {
  readonly schemaVersion: number;
  readonly info: RunStarted;
  readonly status: RunStatus;
  readonly ended?: RunEnded;
  /** What was asked for beside the file itself, so that a resumed run is the same run. */
  readonly request: {
    readonly overrides: Readonly<Record<string, unknown>>;
    readonly data?: string;
  };
  /** Process that writes the run, for finding out that it is gone. */
  readonly pid: number;
  readonly source: { readonly sha256: string; readonly gitCommit: string | null };
  readonly versions: Readonly<Record<string, string>>;
  readonly machine: {
    readonly platform: string;
    readonly arch: string;
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGiB: number;
  };
  /** Name of the sweep that this run is a cell of. */
  readonly sweep?: string;
  readonly label?: string;
  readonly pinned?: boolean;
}

export const files = {
  run: 'run.json',
  metrics: 'metrics.jsonl',
  timing: 'timing.jsonl',
  events: 'events.jsonl',
  checkpoints: 'checkpoints',
} as const;

/** SHA-256 of a model file, as run.json holds it; empty when the file is gone. */
export function sourceHash(file: string): string {
  try {
    return createHash('sha256').update(readFileSync(file)).digest('hex');
  } catch {
    return '';
  }
}

const padded = (step: number): string => String(step).padStart(8, '0');

/** Place of a measured array: kernels/ and spectra/ for the two everybody reads, arrays/<name>/ for the rest. */
export function snapshotPath(name: SnapshotName, step: number): string {
  const folder =
    name === 'kernel' ? 'kernels' : name === 'eigenvalues' ? 'spectra' : path.join('arrays', name);
  return path.join(folder, `${padded(step)}.npy`);
}

export const checkpointPath = (step: number): string => path.join(files.checkpoints, `${padded(step)}.npz`);

/** When a file was last changed, in milliseconds since 1970; 0 where there is none, also below something that is no folder. */
export function changedAt(file: string): number {
  try {
    return statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}
