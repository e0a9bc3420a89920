import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import {
  changedAt,
  type DamagedRun,
  files,
  lossSketch,
  type RunFile,
  readRunFile,
} from '../../runs/index.js';

interface Known {
  readonly changed: number;
  readonly run: RunFile | DamagedRun;
}
interface KnownSketch {
  readonly changed: number;
  readonly sketch: readonly number[];
}

/** The runs on disk. Views ask for them many times a second, so a folder is read again only when it has changed. */
export class RunIndex {
  private readonly runs = new Map<string, Known>();
  private readonly sketches = new Map<string, KnownSketch>();

  /** Folders of the last list that hold a run which cannot be read, with the reason. */
  damaged: readonly DamagedRun[] = [];

  /** Runs of all folders given, newest first; what is not a run is passed over, what is a damaged one told in `damaged`. */
  list(runsFolders: readonly string[]): RunFile[] {
    const found: RunFile[] = [];
    const damaged: DamagedRun[] = [];
    const seen = new Set<string>();
    for (const parent of runsFolders) {
      if (!existsSync(parent)) continue;
      for (const name of namesIn(parent)) {
        if (name.startsWith('.')) continue;
        const folder = path.join(parent, name);
        const run = this.read(folder);
        if (!run) continue;
        seen.add(folder);
        if ('reason' in run) damaged.push(run);
        else found.push(run);
      }
    }
    for (const folder of this.runs.keys()) {
      if (seen.has(folder)) continue;
      this.runs.delete(folder);
      this.sketches.delete(folder);
    }
    this.damaged = damaged;
    return found.sort((a, b) => b.info.startedAt.localeCompare(a.info.startedAt));
  }

  /** A few losses from the start to the end of a run, for a sparkline. */
  sketch(folder: string): readonly number[] {
    const changed = changedAt(path.join(folder, files.metrics));
    const known = this.sketches.get(folder);
    if (known?.changed === changed) return known.sketch;
    const sketch = lossSketch(folder);
    this.sketches.set(folder, { changed, sketch });
    return sketch;
  }

  private read(folder: string): RunFile | DamagedRun | null {
    const changed = changedAt(path.join(folder, files.run));
    if (changed === 0) return null;
    const known = this.runs.get(folder);
    // A run that goes on is looked at again: its process may have died without a word.
    const goesOn = known && 'status' in known.run && /^(running|paused)$/.test(known.run.status);
    if (known?.changed === changed && !goesOn) return known.run;
    const run = readOrReason(folder);
    this.runs.set(folder, { changed, run });
    return run;
  }
}

/** One bad folder does not hide the runs beside it. */
function readOrReason(folder: string): RunFile | DamagedRun {
  try {
    return readRunFile(folder);
  } catch (error) {
    return { folder, reason: (error as Error).message };
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Something that is no folder, or that may not be read.
    return [];
  }
}
