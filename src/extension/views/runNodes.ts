import path from 'node:path';
import type { RunStatus } from '../../protocol/records.js';
import { type DamagedRun, type RunFile, readSweepFile, type SweepFile } from '../../runs/index.js';
import type { RunModel } from '../runs/liveRun.js';

/** The runs and sweeps of a model file. */
export interface RunGroup {
  readonly kind: 'group';
  readonly label: string;
  readonly file: string;
  readonly children: readonly (RunItem | SweepNode)[];
}

export interface SweepNode {
  readonly kind: 'sweep';
  readonly name: string;
  readonly folder: string;
  /** Null while it is not written yet or cannot be read. */
  readonly sweep: SweepFile | null;
  readonly runs: readonly RunItem[];
}

export interface RunItem {
  readonly kind: 'run';
  readonly id: string;
  readonly folder: string;
  readonly name: string;
  readonly status: RunStatus;
  readonly pinned: boolean;
  readonly startedAt: string;
  readonly file: RunFile | null;
  /** What the window holds of a run that it started itself and that goes on. */
  readonly model: RunModel | null;
}

/** A folder with a run that cannot be read. */
export interface DamagedItem extends DamagedRun {
  readonly kind: 'damaged';
}

export type RunNode = RunGroup | SweepNode | RunItem | DamagedItem;

/** A run that this window trains; `stored` is its run.json. */
export const liveItem = (model: RunModel, stored: RunFile | undefined): RunItem => ({
  kind: 'run',
  id: model.id,
  folder: model.info.folder,
  name: model.name,
  status: model.status,
  pinned: stored?.pinned ?? false,
  startedAt: model.info.startedAt,
  file: stored ?? null,
  model,
});

export const storedItem = (file: RunFile): RunItem => ({
  kind: 'run',
  id: file.info.run,
  folder: file.info.folder,
  name: file.label ?? (file.sweep ? path.basename(file.info.folder) : file.info.name),
  status: file.status,
  pinned: file.pinned ?? false,
  startedAt: file.info.startedAt,
  file,
  model: null,
});

/** Pinned runs first, then the newest. */
const order = (a: RunItem, b: RunItem): number =>
  Number(b.pinned) - Number(a.pinned) || b.startedAt.localeCompare(a.startedAt);

/** Runs by model file, and within a file the cells of each sweep together. Files come in the order of their newest run. */
export function groupRuns(items: readonly RunItem[]): RunGroup[] {
  const files = new Map<string, RunItem[]>();
  for (const item of items) {
    const file = (item.file?.info ?? item.model?.info)?.source.file ?? '';
    files.set(file, [...(files.get(file) ?? []), item]);
  }
  return [...files].map(([file, members]) => {
    const sweeps = new Map<string, RunItem[]>();
    for (const item of members) {
      if (!item.file?.sweep) continue;
      const folder = path.dirname(item.folder);
      sweeps.set(folder, [...(sweeps.get(folder) ?? []), item]);
    }
    const nodes = [...sweeps].map(([folder, runs]): SweepNode => {
      const named = runs.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
      return {
        kind: 'sweep',
        name: path.basename(folder),
        folder,
        sweep: readSweepFile(folder),
        runs: named,
      };
    });
    const alone = members.filter((item) => !item.file?.sweep).sort(order);
    const newestFirst = nodes.sort((a, b) => b.name.localeCompare(a.name));
    return { kind: 'group', label: path.basename(file), file, children: [...newestFirst, ...alone] };
  });
}
