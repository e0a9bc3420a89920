import { existsSync } from 'node:fs';
import path from 'node:path';
import { say } from '../../core/say.js';
import {
  files,
  type RunFile,
  readRun,
  type SweepRequest,
  sweepFiles,
  writeAtomically,
} from '../../runs/index.js';
import { analyse, type CellResult, type SweepFit } from './analyse.js';
import type { Cell } from './grid.js';
import { sweepPage } from './page.js';

/** What the folder of a sweep holds of its cells. A cell that is over is read once. */
export class SweepResults {
  private readonly over = new Map<string, CellResult>();

  constructor(
    private readonly folder: string,
    readonly grid: readonly Cell[],
    private readonly request: SweepRequest,
    /** Where the page goes; beside sweep.json when absent. */
    private readonly page = path.join(folder, sweepFiles.page),
  ) {}

  /** A cell's result, or null while it waits or goes on. */
  of(cell: Cell): CellResult | null {
    const known = this.over.get(cell.id);
    if (known) return known;
    const folder = path.join(this.folder, cell.id);
    if (!existsSync(path.join(folder, files.run))) return null;
    const result = resultOf(folder, cell);
    if (result && result.status !== 'stopped' && result.status !== 'interrupted')
      this.over.set(cell.id, result);
    return result;
  }

  /** Forgets what was read of a cell that is about to run. */
  forget(cell: Cell): void {
    this.over.delete(cell.id);
  }

  /** Writes sweep.json and the page from the folders of all cells that are there. */
  save(): { readonly cells: readonly CellResult[]; readonly fits: readonly SweepFit[] } {
    const cells = this.grid.flatMap((cell) => this.of(cell) ?? []);
    const { fits, figures } = analyse(cells);
    const { request, grid } = this;
    writeAtomically(
      path.join(this.folder, sweepFiles.data),
      `${JSON.stringify({ request, total: grid.length, cells, fits }, null, 1)}\n`,
    );
    const running = new Set(
      grid
        .filter((cell) => !this.of(cell) && existsSync(path.join(this.folder, cell.id, files.run)))
        .map((cell) => cell.id),
    );
    const title = say`Sweep of ${path.basename(request.file)} over ${request.vary.join(' and ')}`;
    writeAtomically(this.page, sweepPage({ title, grid, cells, fits, figures, running }));
    return { cells, fits };
  }
}

function resultOf(folder: string, cell: Cell): CellResult | null {
  const { run, metrics } = readRun(folder);
  if (run.status === 'running' || run.status === 'paused') return null;
  const last = (values: Float64Array) => Array.from(values).findLast(Number.isFinite) ?? null;
  return {
    id: cell.id,
    values: cell.values,
    run: folder,
    status: run.status,
    steps: run.ended?.step ?? 0,
    seconds: run.ended?.summary?.seconds ?? null,
    message: run.ended?.message,
    regime: run.ended?.summary?.regime ?? 'undetermined',
    metrics: {
      ...Object.fromEntries(Object.entries(metrics.columns).map(([name, values]) => [name, last(values)])),
      ...summaryMetrics(run),
    },
  };
}

function summaryMetrics(run: RunFile): Record<string, number | null> {
  const summary = run.ended?.summary;
  if (!summary) return {};
  return {
    loss: summary.loss.train,
    testLoss: summary.loss.test,
    accuracy: summary.accuracy,
    drift: summary.drift,
  };
}
