import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { InputError } from '../core/errors.js';
import { decodeNpy } from '../core/npy.js';
import { say } from '../core/say.js';
import type { NoteRecord, RegimeRecord, Snapshot, SnapshotName } from '../protocol/records.js';
import type { MetricsFrame } from '../protocol/trainerWire.js';
import { ownerOf } from './files/lock.js';
import { arrayFolders, changedAt, files, type RunFile, runIdOf, runSchemaVersion } from './layout.js';
import { framesOf, rowsOf } from './rows.js';
import { checked, runFileSchema } from './schema.js';

export interface StoredRun {
  readonly folder: string;
  readonly run: RunFile;
  readonly metrics: MetricsFrame;
  /** Share of the wall time spent on diagnostics at the rows of `metrics`, NaN where it was not measured. */
  readonly tax: Float64Array;
  /** Seconds since the start of the process that wrote each row, NaN where not known. */
  readonly seconds: Float64Array;
  readonly events: readonly (RegimeRecord | NoteRecord)[];
}

/**
 * run.json of a folder. A run that says it is running while nobody holds its lock is `interrupted`. Throws an InputError
 * for anything that is not a run folder or that a newer version wrote.
 */
export function readRunFile(folder: string): RunFile {
  const file = path.join(folder, files.run);
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'ENOENT'
        ? say`there is no run.json in it`
        : say`run.json cannot be read (${(error as Error).message})`;
    throw new InputError(`${folder} is not a run folder: ${reason}. Run folders lie in .kernelscope/runs.`, {
      file,
    });
  }
  const version = (value as { schemaVersion?: unknown } | null)?.schemaVersion;
  if (typeof version === 'number' && version > runSchemaVersion)
    throw new InputError(
      `${file} has schema version ${version}, and this Kernelscope reads up to ${runSchemaVersion}. Update Kernelscope.`,
      { file },
    );
  const run = checked<RunFile>(runFileSchema, value, file);
  const info = { ...run.info, run: runIdOf(folder), folder: path.resolve(folder) };
  if ((run.status === 'running' || run.status === 'paused') && !ownerOf(folder))
    return { ...run, info, status: 'interrupted' };
  return { ...run, info };
}

/** Parsed lines of a .jsonl file; a torn last line is dropped, anything else torn is an error with its line. */
export const readLines = <T>(file: string): T[] => [...rowsOf(file)] as T[];

/** Everything of a run but its arrays. */
export function readRun(folder: string): StoredRun {
  const absolute = path.resolve(folder);
  const run = readRunFile(absolute);
  const metrics = framesOf(rowsOf(path.join(absolute, files.metrics)));
  const events = readLines<RegimeRecord | NoteRecord>(path.join(absolute, files.events)).filter(
    (event) =>
      (event.kind === 'note' && typeof event.text === 'string') ||
      (event.kind === 'regime' && typeof event.regime === 'string' && Array.isArray(event.reasons)),
  );
  const timing = new Map(
    [...rowsOf(path.join(absolute, files.timing))].map((row) => [row['step'], row] as const),
  );
  const timed = (name: string) =>
    metrics.step.map((step) => {
      const value = timing.get(step)?.[name];
      return typeof value === 'number' ? value : Number.NaN;
    });
  return { folder: absolute, run, metrics, tax: timed('tax'), seconds: timed('seconds'), events };
}

function arrayOf(file: string): ReturnType<typeof decodeNpy> {
  try {
    return decodeNpy(readFileSync(file), file);
  } catch (error) {
    throw error instanceof InputError ? error : new InputError((error as Error).message, { file });
  }
}

/** Training times of some steps, from rows that are read already or from the file. */
function timesOf(folder: string, steps: readonly number[], rows?: MetricsFrame): Map<number, number> {
  const times = new Map<number, number>(steps.map((step) => [step, Number.NaN]));
  const take = (step: number, time: unknown) => {
    if (typeof time === 'number' && times.has(step)) times.set(step, time);
  };
  if (rows) for (const [i, step] of rows.step.entries()) take(step, rows.time[i]);
  else if (times.size > 0)
    for (const { step, time } of rowsOf(path.join(folder, files.metrics))) take(step, time);
  return times;
}

/** Arrays of a run in the order of their steps; only those of the names given, when given. `rows` are its metrics, where they are read already. */
export function readSnapshots(folder: string, names?: readonly string[], rows?: MetricsFrame): Snapshot[] {
  const out: Snapshot[] = [];
  const places = arrayFolders(folder).filter(({ name }) => !names || names.includes(name));
  const found = places.flatMap(({ name, place }) =>
    readdirSync(place)
      .filter((file) => file.endsWith('.npy'))
      .sort()
      .map((file) => ({ name, file: path.join(place, file), step: Number.parseInt(file, 10) })),
  );
  const times = timesOf(
    folder,
    found.map(({ step }) => step),
    rows,
  );
  for (const { name, file, step } of found) {
    const { shape, data } = arrayOf(file);
    if (!(data instanceof Float32Array || data instanceof Float64Array)) continue;
    out.push({
      kind: 'snapshot',
      name: name as SnapshotName,
      step,
      time: times.get(step) ?? Number.NaN,
      shape,
      data,
    });
  }
  return out.sort((a, b) => a.step - b.step);
}

/** A folder that holds a run.json which cannot be read. */
export interface DamagedRun {
  readonly folder: string;
  /** A sentence. */
  readonly reason: string;
}

function everyRun(runsFolder: string): (RunFile | DamagedRun)[] {
  if (!existsSync(runsFolder)) return [];
  return readdirSync(runsFolder).flatMap((name): (RunFile | DamagedRun)[] => {
    const folder = path.join(runsFolder, name);
    // Half-made and foreign folders are none of ours.
    if (name.startsWith('.') || changedAt(path.join(folder, files.run)) === 0) return [];
    try {
      return [readRunFile(folder)];
    } catch (error) {
      return [{ folder, reason: (error as Error).message }];
    }
  });
}

/** All runs below a runs folder, newest first; what is not a run is passed over. */
export const listRuns = (runsFolder: string): RunFile[] =>
  everyRun(runsFolder)
    .filter((run): run is RunFile => 'info' in run)
    .sort((a, b) => b.info.startedAt.localeCompare(a.info.startedAt));

/** Folders below a runs folder that hold a damaged run. */
export const damagedRuns = (runsFolder: string): DamagedRun[] =>
  everyRun(runsFolder).filter((run): run is DamagedRun => 'reason' in run);

/** Checkpoints of a run, the newest first; that of an interrupt stands for its step. */
export function checkpointsOf(folder: string): string[] {
  const place = path.join(folder, files.checkpoints);
  if (!existsSync(place)) return [];
  return readdirSync(place)
    .filter((f) => /^\d+(\.stop)?\.npz$/.test(f))
    .sort((a, b) => Number.parseInt(b, 10) - Number.parseInt(a, 10))
    .map((f) => path.join(place, f));
}

/** The last checkpoint of a run, or null. */
export const lastCheckpoint = (folder: string): string | null => checkpointsOf(folder)[0] ?? null;
