import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { FailureError, InputError } from '../../core/errors.js';
import { lastCheckpoint, type RunFile, readRun, readRunFile, writeAtomically } from '../../runs/index.js';
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
import { analyse, type CellResult } from '../sweep/analyse.js';
import { type Cell, gridOf, shardOf } from '../sweep/grid.js';
import { sweepPage } from '../sweep/page.js';

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
  const grid = gridOf(options.vary);
  const cells = shardOf(grid, options.shard);
  const jobs = wholeNumber('--jobs', options.jobs, 1);
  const out = path.resolve(options.out);
  mkdirSync(out, { recursive: true });
  const signal = interruptSignal();
  const progress = new Progress({ enabled: !options.json });
  const fixed = overridesOf(options);
  const share = new Map<string, number>();
  let done = 0;
  const show = (text: string) => {
    const running = [...share.values()].reduce((sum, v) => sum + v, 0);
    progress.update((done + running) / Math.max(1, cells.length), text);
  };
  const queue = [...cells];
  const failures: string[] = [];
  const work = async () => {
    for (let cell = queue.shift(); cell && !signal.aborted; cell = queue.shift()) {
      const error = await runCell(cell, { file, options, out, fixed, signal }, (fraction) => {
        share.set(cell?.id ?? '', fraction);
        show(`${done} of ${cells.length} done, ${cell?.id}`);
      });
      share.delete(cell.id);
      done++;
      if (error) failures.push(`${cell.id}: ${error}`);
      progress.line(error ? `✗ ${cell.id}  ${error}` : `✓ ${cell.id}  ${resultLine(out, cell)}`);
      show(`${done} of ${cells.length} done`);
      saveSweep(file, out, options, grid);
    }
  };
  // The first mistake of the input ends the sweep; a cell that diverges or dies is a result.
  try {
    await Promise.all(Array.from({ length: Math.min(jobs, cells.length) }, work));
  } finally {
    progress.end();
  }
  const results = saveSweep(file, out, options, grid);
  const { fits } = analyse(results);
  if (options.json) printJson({ sweep: out, cells: results, fits });
  else {
    for (const fit of fits)
      process.stdout.write(
        `${fit.metric.padEnd(28)} ~ ${fit.variable}^${fit.slope.toFixed(3)}  [${fit.interval[0].toFixed(2)}, ${fit.interval[1].toFixed(2)}]\n`,
      );
    process.stdout.write(
      `${results.length} of ${grid.length} cells. Page: ${options.html ?? path.join(out, 'index.html')}\n`,
    );
  }
  if (signal.aborted)
    throw new DOMException(
      `Stopped with ${results.length} of ${grid.length} cells done; the same command goes on.`,
      'AbortError',
    );
  if (failures.length > 0)
    throw new FailureError(`${failures.length} cells failed: ${failures.slice(0, 3).join('; ')}`);
}

interface CellContext {
  readonly file: string;
  readonly options: Options;
  readonly out: string;
  readonly fixed: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
}

/** Runs a cell unless it is done; returns why it failed. */
async function runCell(
  cell: Cell,
  context: CellContext,
  progress: (fraction: number) => void,
): Promise<string | null> {
  const { file, options, out, fixed, signal } = context;
  const folder = path.join(out, cell.id);
  const before = existsSync(path.join(folder, 'run.json')) ? readRunFile(folder) : null;
  if (before?.status === 'finished' || before?.status === 'diverged') return null;
  let resume = before !== null && lastCheckpoint(folder) !== null;
  if (before && (!resume || before.status === 'failed')) {
    // What a failed try recorded is kept beside.
    renameSync(folder, `${folder}.${before.status}-${Date.now()}`);
    resume = false;
  }
  let steps = 1;
  try {
    const { ended } = await runInTrainer(
      {
        file: path.resolve(file),
        exportName: options.export ?? '',
        overrides: { ...fixed, ...cell.values },
        data: options.data,
        backend: options.backend,
        runsFolder: out,
        runId: cell.id,
        sweep: path.basename(out),
        resume: resume ? folder : undefined,
      },
      {
        started: (info) => {
          steps = info.steps;
        },
        frame: ({ metrics }) => progress((metrics.step.at(-1) ?? 0) / steps),
      },
      signal,
    );
    return ended.status === 'failed' ? (ended.message ?? 'failed') : null;
  } catch (error) {
    if (error instanceof InputError) throw error;
    return error instanceof Error ? error.message.split('\n')[0] : String(error);
  }
}

/** Writes sweep.json and the page from the run folders of all cells that are there. */
function saveSweep(file: string, out: string, options: Options, grid: readonly Cell[]): CellResult[] {
  const results = grid.flatMap((cell) => {
    const result = resultOfCell(out, cell);
    return result ? [result] : [];
  });
  const { fits } = analyse(results);
  writeAtomically(
    path.join(out, 'sweep.json'),
    `${JSON.stringify({ file: path.resolve(file), vary: options.vary, cells: results, fits }, null, 1)}\n`,
  );
  writeFileSync(
    options.html ?? path.join(out, 'index.html'),
    sweepPage(`Sweep of ${path.basename(file)} over ${options.vary.join(' and ')}`, results),
  );
  return results;
}

function resultOfCell(out: string, cell: Cell): CellResult | null {
  const folder = path.join(out, cell.id);
  if (!existsSync(path.join(folder, 'run.json'))) return null;
  const { run, metrics } = readRun(folder);
  if (run.status === 'running') return null;
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

function resultLine(out: string, cell: Cell): string {
  const result = resultOfCell(out, cell);
  if (!result) return '';
  const { loss, drift } = result.metrics;
  return `${result.status}, loss ${short(loss)}, drift ${short(drift, 3)}, ${result.regime}`;
}
