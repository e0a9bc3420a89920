import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import path from 'node:path';

export interface Row {
  readonly step: number;
  readonly loss: number | null;
}

export interface FoundRun {
  readonly id: string;
  readonly folder: string;
  readonly status: string;
  readonly rows: readonly Row[];
}

/** Runs of a workspace, the oldest first. */
export function runsOf(workspace: string): FoundRun[] {
  const place = path.join(workspace, '.kernelscope', 'runs');
  if (!existsSync(place)) return [];
  return readdirSync(place)
    .sort()
    .map((id) => {
      const folder = path.join(place, id);
      const { status } = JSON.parse(readFileSync(path.join(folder, 'run.json'), 'utf8')) as {
        status: string;
      };
      const metrics = path.join(folder, 'metrics.jsonl');
      // A run that was stopped before its first row has no such file.
      const lines = existsSync(metrics) ? readFileSync(metrics, 'utf8').split('\n') : [];
      // A running trainer may be in the middle of its last line.
      const rows = lines.slice(0, -1).map((line) => JSON.parse(line) as Row);
      return { id, folder, status, rows };
    });
}

export function newestRun(workspace: string): FoundRun {
  const run = runsOf(workspace).at(-1);
  if (!run) throw new Error(`There is no run in ${workspace}.`);
  return run;
}

/** Trainers that work in a workspace: their command lines. Linux only. */
export function processesIn(workspace: string): string[] {
  const place = realpathSync(workspace);
  return readdirSync('/proc').flatMap((pid) => {
    try {
      if (!/^\d+$/.test(pid) || readlinkSync(`/proc/${pid}/cwd`) !== place) return [];
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      return /trainer\.js/.test(line) ? [line] : [];
    } catch {
      // It has ended meanwhile, or is none of ours.
      return [];
    }
  });
}
