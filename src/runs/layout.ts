import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { RunEnded, RunKind, RunStarted, RunStatus, SnapshotName } from '../protocol/records.js';
import type { ProcessIdentity } from './files/process.js';

export const runSchemaVersion = 1;

/** What the numbers of a run depend on beside its definition. */
export interface Fingerprint {
  /** SHA-256 of the model file and the workspace files that it imports, by their path from the model file's folder. */
  readonly files: Readonly<Record<string, string>>;
  /** SHA-256 of the inputs and targets of both sets. */
  readonly data: string;
  readonly threads: number;
}

/** What run.json holds. */
export interface RunFile {
  readonly schemaVersion: number;
  /** Absent: trained. */
  readonly kind?: RunKind;
  readonly info: RunStarted;
  readonly status: RunStatus;
  readonly ended?: RunEnded;
  /** What was asked for beside the file itself, so that a resumed run is the same run. */
  readonly request: {
    readonly overrides: Readonly<Record<string, unknown>>;
    readonly data?: string;
  };
  /** Process that writes, or wrote, the run; that it is there is known by the lock that it holds. */
  readonly pid: number;
  readonly owner?: ProcessIdentity;
  readonly source: { readonly sha256: string; readonly gitCommit: string | null };
  /** What the run was trained on; absent in runs of earlier versions. */
  readonly fingerprint?: Fingerprint;
  readonly versions: Readonly<Record<string, string>>;
  readonly machine: {
    readonly platform: string;
    readonly arch: string;
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGiB: number;
  };
  /** Name of the sweep that this run is a cell of, and hash of what it is trained from there. */
  readonly sweep?: string;
  readonly cell?: string;
  readonly label?: string;
  readonly pinned?: boolean;
  /** It came from another folder: going on with it runs a model file that somebody else named. */
  readonly imported?: boolean;
}

/** Name of a folder for a run that starts now: time, stem of the file, label. Sorts by time and is safe anywhere. */
export function timedName(file: string, label: string): string {
  const time = new Date()
    .toISOString()
    .replace(/[-:]/g, '')
    .replace(/\.(\d+)Z$/, '$1')
    .replace('T', '-');
  const stem = path.basename(file).replace(/\.[^.]*$/, '');
  return `${time}-${stem}${label === '' ? '' : `-${label}`}`.replace(/[^A-Za-z0-9._-]/g, '_');
}

/** Id of a run: its folder's name, after that of its sweep where it is a cell. No field of run.json has a say in it. */
export function runIdOf(folder: string): string {
  const parent = path.dirname(path.resolve(folder));
  const name = path.basename(path.resolve(folder));
  return path.basename(path.dirname(parent)) === 'sweeps' ? `${path.basename(parent)}/${name}` : name;
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

/** Folders of arrays that a run has, with the names of the arrays. */
export function arrayFolders(folder: string): { readonly name: string; readonly place: string }[] {
  const arrays = path.join(folder, 'arrays');
  const others = existsSync(arrays)
    ? readdirSync(arrays, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    : [];
  return [
    { name: 'kernel', place: path.join(folder, 'kernels') },
    { name: 'eigenvalues', place: path.join(folder, 'spectra') },
    ...others.map(({ name }) => ({ name, place: path.join(arrays, name) })),
  ].filter(({ place }) => existsSync(place));
}

export const checkpointPath = (step: number): string => path.join(files.checkpoints, `${padded(step)}.npz`);

/** Place of the checkpoint that an interrupt adds; it goes once the run has gone on. */
export const interruptPath = (step: number): string =>
  path.join(files.checkpoints, `${padded(step)}.stop.npz`);

/** When a file was last changed, in milliseconds since 1970; 0 where there is none, also below something that is no folder. */
export function changedAt(file: string): number {
  try {
    return statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}
