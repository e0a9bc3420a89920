import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { changedAt, files, lossSketch, type RunFile, readRunFile } from '../../runs/index.js';

interface Known {
  readonly changed: number;
  readonly run: RunFile;
}
interface KnownSketch {
  readonly changed: number;
  readonly sketch: readonly number[];
}

/** The runs on disk. Views ask for them many times a second, so a folder is read again only when it has changed. */
export class RunIndex {
  private readonly runs = new Map<string, Known>();
  private readonly sketches = new Map<string, KnownSketch>();

  /** Runs of all folders given, newest first; what is not a run is passed over. */
  list(runsFolders: readonly string[]): RunFile[] {
    const found: RunFile[] = [];
    const seen = new Set<string>();
    for (const parent of runsFolders) {
      if (!existsSync(parent)) continue;
      for (const name of readdirSync(parent)) {
        const folder = path.join(parent, name);
        const run = this.read(folder);
        if (!run) continue;
        seen.add(folder);
        found.push(run);
      }
    }
    for (const folder of this.runs.keys()) {
      if (seen.has(folder)) continue;
      this.runs.delete(folder);
      this.sketches.delete(folder);
    }
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

  private read(folder: string): RunFile | null {
    const changed = changedAt(path.join(folder, files.run));
    if (changed === 0) return null;
    const known = this.runs.get(folder);
    // A run that goes on is looked at again: its process may have died without a word.
    if (known?.changed === changed && known.run.status !== 'running' && known.run.status !== 'paused')
      return known.run;
    try {
      const run = readRunFile(folder);
      this.runs.set(folder, { changed, run });
      return run;
    } catch {
      // Half-made or foreign folders do not hide the runs beside them.
      return null;
    }
  }
}
