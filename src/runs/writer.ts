import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { encodeNpy } from '../core/npy.js';
import type { NoteRecord, RegimeRecord, RunEnded, RunRecord, Snapshot } from '../protocol/records.js';
import { files, type RunFile, snapshotPath } from './layout.js';

/** Non-finite numbers become null: JSON has no others, and pandas reads null as NaN. */
const line = (value: Readonly<Record<string, unknown>>): string =>
  `${JSON.stringify(value, (_key, v: unknown) => (typeof v === 'number' && !Number.isFinite(v) ? null : v))}\n`;

/** Writes a file so that a reader sees the old content or the new one, never a part. */
export function writeAtomically(file: string, content: string | Uint8Array): void {
  mkdirSync(path.dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  const handle = openSync(temporary, 'w');
  try {
    writeSync(handle, content as Uint8Array);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(temporary, file);
}

/**
 * Writes one run folder. Every record goes to the disk before the next one is made, in whole lines; arrays and run.json
 * are replaced atomically. A kill at any instant loses at most the record that was being written.
 */
export class RunWriter {
  private readonly startedAt = performance.now();
  private run: RunFile;

  private constructor(
    readonly folder: string,
    run: RunFile,
  ) {
    this.run = run;
  }

  /** Makes the folder (its parent gets a .gitignore of its own) and writes run.json. */
  static create(folder: string, run: RunFile): RunWriter {
    mkdirSync(folder, { recursive: true });
    const ignore = path.join(path.dirname(path.dirname(folder)), '.gitignore');
    if (path.basename(path.dirname(ignore)) === '.kernelscope' && !existsSync(ignore))
      writeFileSync(ignore, '*\n');
    const writer = new RunWriter(folder, run);
    writer.saveRun();
    return writer;
  }

  /** Goes on with a run from a checkpoint: rows after its step are dropped, the status is running again. */
  static resume(folder: string, run: RunFile, step: number): RunWriter {
    for (const name of [files.metrics, files.timing, files.events]) keepUpTo(path.join(folder, name), step);
    const writer = new RunWriter(folder, { ...run, status: 'running', ended: undefined, pid: process.pid });
    writer.saveRun();
    return writer;
  }

  record(record: RunRecord): void {
    switch (record.kind) {
      case 'metrics':
        appendFileSync(
          path.join(this.folder, files.metrics),
          line({ step: record.step, time: record.time, ...withoutClock(record.values) }),
        );
        appendFileSync(
          path.join(this.folder, files.timing),
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

  private array(snapshot: Snapshot): void {
    writeAtomically(
      path.join(this.folder, snapshotPath(snapshot.name, snapshot.step)),
      encodeNpy(snapshot.data, [...snapshot.shape]),
    );
  }

  private event(record: RegimeRecord | NoteRecord): void {
    appendFileSync(path.join(this.folder, files.events), line({ ...record }));
  }

  setInfo(info: RunFile['info']): void {
    this.run = { ...this.run, info };
    this.saveRun();
  }

  end(ended: RunEnded): void {
    this.run = { ...this.run, status: ended.status, ended };
    this.saveRun();
  }

  private saveRun(): void {
    // People may have renamed or pinned the run meanwhile.
    const { label, pinned } = peopleWords(path.join(this.folder, files.run)) ?? this.run;
    this.run = { ...this.run, label, pinned };
    writeAtomically(path.join(this.folder, files.run), `${JSON.stringify(this.run, null, 1)}\n`);
  }
}

/** Label and pin of a run.json, or null when it is not there yet. */
function peopleWords(file: string): Pick<RunFile, 'label' | 'pinned'> | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as RunFile;
  } catch {
    return null;
  }
}

/** Wall-clock shares live in timing.jsonl, so that metrics.jsonl is the same for the same seed. */
function withoutClock(values: Readonly<Record<string, number>>): Record<string, number> {
  const { tax: _tax, ...rest } = values;
  return rest;
}

/** Drops lines of a .jsonl file whose step is above a bound (or that are torn). */
function keepUpTo(file: string, step: number): void {
  if (!existsSync(file)) return;
  const kept = readFileSync(file, 'utf8')
    .split('\n')
    .filter((text) => {
      try {
        return text !== '' && (JSON.parse(text) as { step: number }).step <= step;
      } catch {
        return false;
      }
    });
  writeAtomically(file, kept.map((text) => `${text}\n`).join(''));
}

/** Removes a run and everything in it. */
export function deleteRun(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/** Changes what people may change of a run: its label and whether it is pinned. */
export function editRun(
  folder: string,
  change: { readonly label?: string; readonly pinned?: boolean },
): void {
  const file = path.join(folder, files.run);
  const run = JSON.parse(readFileSync(file, 'utf8')) as RunFile;
  writeAtomically(file, `${JSON.stringify({ ...run, ...change }, null, 1)}\n`);
}
