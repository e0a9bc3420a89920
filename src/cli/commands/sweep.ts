import { existsSync, mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { FailureError, InputError } from '../../core/errors.js';
import {
  cleanLeftovers,
  deleteRun,
  lastCheckpoint,
  ownerOf,
  readRunFile,
  type SweepRequest,
  sweepFiles,
  writing,
} from '../../runs/index.js';
import {
  type ModelOptions,
  modelOptions,
  overridesOf,
  printJson,
  short,
  wholeNumber,
} from '../io/options.js';
import { interruptSignal, runInTrainer } from '../io/trainer.js';
import { Progress } from '../progress.js';
import type { CellResult } from '../sweep/analyse.js';
import { type Cell, gridOf, shardOf } from '../sweep/grid.js';
import { type KnownCell, knownCells, requireSameSweep } from '../sweep/identity.js';
import { claimSweep } from '../sweep/owner.js';
import { SweepResults } from '../sweep/results.js';

interface Options extends ModelOptions {
  readonly vary: readonly string[];
  readonly jobs: string;
  readonly shard?: string;
  readonly out: string;
  readonly html?: string;
  readonly json?: boolean;
}

export function register(program: Command): void {
  modelOptions(
    program
      .command('sweep')
      .description('train over a grid of values; goes on where an earlier call with the same folder ended')
      .argument('<file>', 'model file'),
  )
    .requiredOption(
      '--vary <path=values>',
      'values of a field, path=a,b,c or path=a..b; several times for a grid',
      (value: string, all: readonly string[] | undefined) => [...(all ?? []), value],
    )
    .option('--jobs <n>', 'runs at the same time', '1')
    .option('--shard <i/n>', 'only every n-th cell, counted from the i-th')
    .requiredOption('--out <folder>', 'folder of the sweep: one run folder a cell, sweep.json, index.html')
    .option('--html <file>', 'where to write the page (default: index.html in the folder)')
    .option('--json', 'one JSON document on stdout')
    .action(sweepAction);
}

async function sweepAction(file: string, options: Options): Promise<void> {
  const jobs = wholeNumber('--jobs', options.jobs, 1);
  const out = path.resolve(options.out);
  const fixed = overridesOf(options);
  const request = requestOf(file, options);
  const grid = await knownCells(gridOf(options.vary), request, fixed);
  const cells = shardOf(grid, options.shard);
  writing(out, () => mkdirSync(out, { recursive: true }));
  const claim = claimSweep(out, options.shard);
  // Other machines see by it that this one is still there.
  const pulse = setInterval(() => claim.touch(), 30_000);
  try {
    requireSameSweep(out, request, grid);
    cleanLeftovers(out, 0);
    await runSweep({ options, out, fixed, request, grid, cells, jobs });
  } finally {
    clearInterval(pulse);
    claim.release();
  }
}

interface Sweep {
  readonly options: Options;
  readonly out: string;
  readonly fixed: Readonly<Record<string, unknown>>;
  readonly request: SweepRequest;
  /** All cells, and those of this shard. */
  readonly grid: readonly KnownCell[];
  readonly cells: readonly KnownCell[];
  readonly jobs: number;
}

async function runSweep({ options, out, fixed, request, grid, cells, jobs }: Sweep): Promise<void> {
  const signal = interruptSignal();
  const progress = new Progress({ enabled: !options.json });
  const share = new Map<string, number>();
  let done = 0;
  const show = (text: string) => {
    const running = [...share.values()].reduce((sum, v) => sum + v, 0);
    progress.update((done + running) / Math.max(1, cells.length), text);
  };
  const results = new SweepResults(out, grid, request, options.html);
  results.save();
  const queue = [...cells];
  const failures: string[] = [];
  const work = async () => {
    for (let cell = queue.shift(); cell && !signal.aborted; cell = queue.shift()) {
      const { id } = cell;
      results.forget(cell);
      const error = await runCell(
        cell,
        { file: request.file, options, out, fixed, signal },
        {
          started: () => results.save(),
          progress: (fraction) => {
            share.set(id, fraction);
            show(`${done} of ${cells.length} done, ${id}`);
          },
        },
      );
      share.delete(id);
      if (!signal.aborted) done++;
      if (error) failures.push(`${id}: ${error}`);
      progress.line(error ? `✗ ${id}  ${error}` : `✓ ${id}  ${resultLine(results.of(cell))}`);
      show(`${done} of ${cells.length} done`);
      results.save();
    }
  };
  // The first mistake of the input ends the sweep; a cell that diverges or dies is a result.
  try {
    await Promise.all(Array.from({ length: Math.min(jobs, cells.length) }, work));
  } finally {
    progress.end();
  }
  const { cells: over, fits } = results.save();
  if (options.json) printJson({ sweep: out, cells: over, fits });
  else {
    for (const fit of fits)
      process.stdout.write(
        `${fit.metric.padEnd(28)} ~ ${fit.variable}^${fit.slope.toFixed(3)}  [${fit.interval[0].toFixed(2)}, ${fit.interval[1].toFixed(2)}]\n`,
      );
    process.stdout.write(
      `${over.length} of ${grid.length} cells. Page: ${options.html ?? path.join(out, sweepFiles.page)}\n`,
    );
  }
  if (signal.aborted)
    throw new DOMException(
      `Stopped with ${over.filter((c) => c.status !== 'stopped').length} of ${grid.length} cells done; the same command goes on.`,
      'AbortError',
    );
  if (failures.length > 0)
    throw new FailureError(`${failures.length} cells failed: ${failures.slice(0, 3).join('; ')}`);
}

/** Makes room for a new try. What a failed one recorded is kept; what a stopped one did comes again from the same seed. */
function setAside(out: string, cell: Cell, failed: boolean): void {
  const folder = path.join(out, cell.id);
  if (!failed) {
    deleteRun(folder);
    return;
  }
  const place = path.join(out, 'failed', `${cell.id}-${Date.now()}`);
  mkdirSync(path.dirname(place), { recursive: true });
  renameSync(folder, place);
}

const requestOf = (file: string, options: Options): SweepRequest => ({
  file: path.resolve(file),
  export: options.export,
  vary: options.vary,
  set: options.set,
  seed: options.seed,
  data: options.data,
});

interface CellContext {
  readonly file: string;
  readonly options: Options;
  readonly out: string;
  readonly fixed: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
}

/** Runs a cell unless it is done; returns why it failed. */
async function runCell(
  cell: KnownCell,
  context: CellContext,
  told: { readonly started: () => void; readonly progress: (fraction: number) => void },
): Promise<string | null> {
  const { file, options, out, fixed, signal } = context;
  const folder = path.join(out, cell.id);
  const before = existsSync(path.join(folder, 'run.json')) ? readRunFile(folder) : null;
  if (before?.status === 'finished' || before?.status === 'diverged') return null;
  if (before?.status === 'running' || before?.status === 'paused')
    return `process ${ownerOf(folder)?.pid ?? before.pid} trains this cell at the moment`;
  const resume = before !== null && before.status !== 'failed' && lastCheckpoint(folder) !== null;
  if (before && !resume) setAside(out, cell, before.status === 'failed');
  let steps = 1;
  try {
    const { ended } = await runInTrainer(
      {
        file,
        exportName: options.export ?? '',
        overrides: { ...fixed, ...cell.values },
        data: options.data,
        backend: options.backend,
        runsFolder: out,
        runId: cell.id,
        sweep: path.basename(out),
        cell: cell.hash,
        resume: resume ? folder : undefined,
      },
      {
        started: (info) => {
          steps = info.steps ?? steps;
          told.started();
        },
        frame: ({ metrics }) => told.progress((metrics.step.at(-1) ?? 0) / steps),
      },
      signal,
    );
    return ended.status === 'failed' ? (ended.message ?? 'failed') : null;
  } catch (error) {
    if (error instanceof InputError) throw error;
    return error instanceof Error ? error.message.split('\n')[0] : String(error);
  }
}

function resultLine(result: CellResult | null): string {
  if (!result) return '';
  const { loss, drift } = result.metrics;
  return `${result.status}, loss ${short(loss)}, drift ${short(drift, 3)}, ${result.regime}`;
}
