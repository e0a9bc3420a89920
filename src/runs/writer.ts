import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { InputError } from '../core/errors.js';
import { encodeNpy } from '../core/npy.js';
import type { NoteRecord, RegimeRecord, RunEnded, RunRecord, Snapshot } from '../protocol/records.js';
import { sizeUpTo } from './arrears.js';
import { AppendLog } from './files/appendLog.js';
import { cleanLeftovers, syncFolder, writeAtomically } from './files/durable.js';
import { writing } from './files/failure.js';
import { FolderLock } from './files/lock.js';
import { ownIdentity } from './files/process.js';
import { arrayFolders, files, type RunFile, snapshotPath } from './layout.js';
import { keepPeoplesWords, saveRunFile } from './runJson.js';

/** Non-finite numbers become null: JSON has no others, and pandas reads null as NaN. */
const line = (value: Readonly<Record<string, unknown>>): string =>
  `${JSON.stringify(value, (_key, v: unknown) => (typeof v === 'number' && !Number.isFinite(v) ? null : v))}\n`;

const logs = ['metrics', 'timing', 'events'] as const;

/** Bytes of the files of lines at the moment of a checkpoint: what came later is not the run's any more once it is resumed. */
export type Marks = Readonly<Record<(typeof logs)[number], number>>;

/** The checkpoint from which a run goes on. */
export interface ResumePoint {
  readonly step: number;
  /** Whether the arrays of that very step belong to what was recorded before it. */
  readonly measured: boolean;
  /** Absent in checkpoints of earlier versions: rows up to the step are kept. */
  readonly marks?: Marks;
}

/** Takes the lock of a run folder, which it makes where there is none. Throws an InputError that says who has it. */
export function claimRun(folder: string): FolderLock {
  writing(folder, () => mkdirSync(folder, { recursive: true }));
  const lock = FolderLock.acquire(folder);
  if (lock instanceof FolderLock) return lock;
  const where = lock.host === os.hostname() ? '' : ` on ${lock.host}`;
  throw new InputError(
    `Process ${lock.pid}${where} writes the run in ${folder} at the moment, and a run has one writer. Stop it, or wait until it has ended.`,
    { file: folder },
  );
}

/**
 * Writes one run folder. Every record goes to the disk before the next one is made, in whole lines; arrays and run.json
 * are replaced atomically, and everything is synced before a checkpoint counts. A kill at any instant loses at most the
 * record that was being written. Holds the folder's lock until `end` or `close`.
 */
export class RunWriter {
  private readonly startedAt = performance.now();
  private readonly logs: Readonly<Record<(typeof logs)[number], AppendLog>>;
  /** Folders with names that are not on the disk yet. */
  private readonly unsettled = new Set<string>();

  private constructor(
    readonly folder: string,
    private run: RunFile,
    private readonly lock: FolderLock,
  ) {
    const log = (name: keyof typeof files) => new AppendLog(path.join(folder, files[name]));
    this.logs = { metrics: log('metrics'), timing: log('timing'), events: log('events') };
  }

  /** Makes the folder (its parent gets a .gitignore of its own) and writes run.json. */
  static create(folder: string, run: RunFile, lock = claimRun(folder)): RunWriter {
    const ignore = path.join(path.dirname(path.dirname(folder)), '.gitignore');
    if (path.basename(path.dirname(ignore)) === '.kernelscope' && !existsSync(ignore))
      writeAtomically(ignore, '*\n');
    const writer = new RunWriter(folder, run, lock);
    cleanLeftovers(folder);
    writer.saveRun();
    writing(folder, () => syncFolder(path.dirname(folder)));
    return writer;
  }

  /**
   * Goes on with a run from a checkpoint, or from nothing: what was recorded after it is dropped, the status is running
   * again.
   */
  static resume(folder: string, run: RunFile, from: ResumePoint | null, lock = claimRun(folder)): RunWriter {
    const owner = ownIdentity();
    const writer = new RunWriter(
      folder,
      { ...run, status: 'running', ended: undefined, pid: owner.pid, owner },
      lock,
    );
    cleanLeftovers(folder);
    // First the status: a folder whose end is gone must not say that the run has finished.
    writer.saveRun();
    for (const name of logs) {
      const log = writer.logs[name];
      log.open(from === null ? 0 : (from.marks?.[name] ?? sizeUpTo(log.file, from.step)));
    }
    dropArrays(folder, from);
    return writer;
  }

  record(record: RunRecord): void {
    this.lock.touch();
    switch (record.kind) {
      case 'metrics':
        this.logs.metrics.append(
          line({ step: record.step, time: record.time, ...withoutClock(record.values) }),
        );
        this.logs.timing.append(
          line({
            step: record.step,
            seconds: (performance.now() - this.startedAt) / 1000,
            ...('tax' in record.values ? { tax: record.values['tax'] } : {}),
          }),
        );
        return;
      case 'snapshot':
        this.array(record);
        return;
      case 'regime':
      case 'note':
        this.event(record);
    }
  }

  /** Puts everything recorded so far on the disk and says how far that is: what a checkpoint has to know. */
  settle(): Marks {
    for (const name of logs) this.logs[name].sync();
    for (const folder of this.unsettled) writing(folder, () => syncFolder(folder));
    this.unsettled.clear();
    return {
      metrics: this.logs.metrics.size,
      timing: this.logs.timing.size,
      events: this.logs.events.size,
    };
  }

  private array(snapshot: Snapshot): void {
    const file = path.join(this.folder, snapshotPath(snapshot.name, snapshot.step));
    const place = path.dirname(file);
    // A new folder's own name lies in the one above.
    for (let at = place; at !== this.folder && !existsSync(at); at = path.dirname(at))
      this.unsettled.add(path.dirname(at));
    writeAtomically(file, encodeNpy(snapshot.data, [...snapshot.shape]), { settled: false });
    this.unsettled.add(place);
  }

  private event(record: RegimeRecord | NoteRecord): void {
    this.logs.events.append(line({ ...record }));
  }

  setInfo(info: RunFile['info']): void {
    this.run = { ...this.run, info };
    this.saveRun();
  }

  /** Whether the run is held between two steps. */
  setStatus(status: 'running' | 'paused'): void {
    this.run = { ...this.run, status };
    this.saveRun();
  }

  /** Writes how the run ended and lets go of the folder. */
  end(ended: RunEnded): void {
    try {
      this.settle();
      this.run = { ...this.run, status: ended.status, ended };
      this.saveRun();
    } finally {
      this.close();
    }
  }

  /** Lets go of the folder. */
  close(): void {
    for (const name of logs) this.logs[name].close();
    this.lock.release();
  }

  private saveRun(): void {
    this.run = saveRunFile(this.folder, (file) => keepPeoplesWords(this.run, file));
  }
}

/** Wall-clock shares live in timing.jsonl, so that metrics.jsonl is the same for the same seed. */
function withoutClock(values: Readonly<Record<string, number>>): Record<string, number> {
  const { tax: _tax, ...rest } = values;
  return rest;
}

/** Removes arrays and checkpoints from after the point at which a run goes on. */
function dropArrays(folder: string, from: ResumePoint | null): void {
  const last = from === null ? -1 : from.measured ? from.step : from.step - 1;
  for (const { name, place } of arrayFolders(folder))
    for (const file of readdirSync(place)) {
      const step = Number.parseInt(file, 10);
      // What is measured at the end only is measured again.
      if (file.endsWith('.npy') && (step > last || atEnd.has(name)))
        writing(file, () => rmSync(path.join(place, file), { force: true }));
    }
  const checkpoints = path.join(folder, files.checkpoints);
  if (!existsSync(checkpoints)) return;
  for (const file of readdirSync(checkpoints))
    if (from === null || Number.parseInt(file, 10) > from.step)
      writing(file, () => rmSync(path.join(checkpoints, file), { force: true }));
}

const atEnd: ReadonlySet<string> = new Set(['landscape', 'weightPath', 'lossLine']);

/** Whether the files of a run hold everything that a checkpoint counts on. */
export const reaches = (folder: string, marks: Marks): boolean =>
  logs.every((name) => {
    const file = path.join(folder, files[name]);
    return (existsSync(file) ? statSync(file).size : 0) >= marks[name];
  });
