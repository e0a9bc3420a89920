import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { InputError } from '../core/errors.js';
import { decodeNpy } from '../core/npy.js';
import { say } from '../core/say.js';
import type { NoteRecord, RegimeRecord, Snapshot, SnapshotName } from '../protocol/records.js';
import type { MetricsFrame } from '../protocol/trainerWire.js';
import { files, type RunFile, runSchemaVersion } from './layout.js';

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

/** Whether a process is still there. */
function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * run.json of a folder. A run that says it is running while its process is gone is `interrupted`. Throws an InputError
 * for anything that is not a run folder or that a newer version wrote.
 */
export function readRunFile(folder: string): RunFile {
  const file = path.join(folder, files.run);
  let run: RunFile;
  try {
    run = JSON.parse(readFileSync(file, 'utf8')) as RunFile;
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'ENOENT'
        ? say`there is no run.json in it`
        : say`run.json cannot be read (${(error as Error).message})`;
    throw new InputError(`${folder} is not a run folder: ${reason}. Run folders lie in .kernelscope/runs.`, {
      file,
    });
  }
  if (typeof run.schemaVersion !== 'number' || run.schemaVersion > runSchemaVersion)
    throw new InputError(
      `${file} has schema version ${run.schemaVersion}, and this Kernelscope reads up to ${runSchemaVersion}. Update Kernelscope.`,
      { file },
    );
  const info = { ...run.info, folder };
  if ((run.status === 'running' || run.status === 'paused') && !alive(run.pid))
    return { ...run, info, status: 'interrupted' };
  return { ...run, info };
}

/** Parsed lines of a .jsonl file; a torn last line is dropped, anything else torn is an error with its line. */
export function readLines<T>(file: string): T[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  const out: T[] = [];
  for (const [i, text] of lines.entries()) {
    if (text === '') continue;
    try {
      out.push(JSON.parse(text) as T);
    } catch {
      if (i < lines.length - 1 && lines.slice(i + 1).some((rest) => rest !== ''))
        throw new InputError(
          `${file}:${i + 1} is not JSON: "${text.slice(0, 60)}". The file was changed by something else; restore it or remove the line.`,
          { file, line: i + 1 },
        );
    }
  }
  return out;
}

/** Rows as columns, in the order of first appearance; NaN where a row lacks one. */
export function framesOf(rows: readonly Readonly<Record<string, number | null>>[]): MetricsFrame {
  const names = new Set<string>();
  for (const row of rows) for (const name of Object.keys(row)) names.add(name);
  const column = (name: string) => Float64Array.from(rows, (row) => row[name] ?? Number.NaN);
  names.delete('step');
  names.delete('time');
  return {
    step: column('step'),
    time: column('time'),
    columns: Object.fromEntries([...names].map((name) => [name, column(name)])),
  };
}

/** Everything of a run but its arrays. */
export function readRun(folder: string): StoredRun {
  const absolute = path.resolve(folder);
  const run = readRunFile(absolute);
  const rows = readLines<Record<string, number | null>>(path.join(absolute, files.metrics));
  const events = readLines<RegimeRecord | NoteRecord>(path.join(absolute, files.events));
  const metrics = framesOf(rows);
  const timing = new Map(
    readLines<{ step: number; seconds?: number; tax?: number }>(path.join(absolute, files.timing)).map(
      (line) => [line.step, line],
    ),
  );
  const tax = metrics.step.map((step) => timing.get(step)?.tax ?? Number.NaN);
  const seconds = metrics.step.map((step) => timing.get(step)?.seconds ?? Number.NaN);
  return { folder: absolute, run, metrics, tax, seconds, events };
}

/** Arrays of a run in the order of their steps; only those of the names given, when given. */
export function readSnapshots(folder: string, names?: readonly string[]): Snapshot[] {
  const out: Snapshot[] = [];
  const times = new Map(
    readLines<{ step: number; time: number }>(path.join(folder, files.metrics)).map((row) => [
      row.step,
      row.time,
    ]),
  );
  const read = (name: string, place: string) => {
    if ((names && !names.includes(name)) || !existsSync(place)) return;
    for (const file of readdirSync(place)
      .filter((f) => f.endsWith('.npy'))
      .sort()) {
      const step = Number(file.slice(0, -4));
      const { shape, data } = decodeNpy(readFileSync(path.join(place, file)), path.join(place, file));
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
  };
  read('kernel', path.join(folder, 'kernels'));
  read('eigenvalues', path.join(folder, 'spectra'));
  const arrays = path.join(folder, 'arrays');
  if (existsSync(arrays)) for (const name of readdirSync(arrays)) read(name, path.join(arrays, name));
  return out.sort((a, b) => a.step - b.step);
}

/** Folders of all runs below a runs folder, newest first; what is not a run is passed over. */
export function listRuns(runsFolder: string): RunFile[] {
  if (!existsSync(runsFolder)) return [];
  const runs: RunFile[] = [];
  for (const name of readdirSync(runsFolder)) {
    const folder = path.join(runsFolder, name);
    try {
      if (statSync(folder).isDirectory()) runs.push(readRunFile(folder));
    } catch {
      // Half-made or foreign folders do not hide the runs beside them.
    }
  }
  return runs.sort((a, b) => b.info.startedAt.localeCompare(a.info.startedAt));
}

/** The last checkpoint of a run, or null. */
export function lastCheckpoint(folder: string): string | null {
  const place = path.join(folder, files.checkpoints);
  if (!existsSync(place)) return null;
  const all = readdirSync(place)
    .filter((f) => f.endsWith('.npz'))
    .sort();
  return all.length > 0 ? path.join(place, all[all.length - 1]) : null;
}
