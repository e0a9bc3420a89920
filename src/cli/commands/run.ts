import path from 'node:path';
import type { Command } from 'commander';
import { sparkline } from '../../core/series/index.js';
import type { NoteRecord, RegimeRecord, RunStarted, Snapshot } from '../../protocol/records.js';
import type { MetricsFrame, RunRequest } from '../../protocol/trainerWire.js';
import { readRun, readSnapshots } from '../../runs/index.js';
import {
  type ModelOptions,
  modelOptions,
  overridesOf,
  printJson,
  short,
  wholeNumber,
} from '../io/options.js';
import { interruptSignal, requireFinished, runInTrainer } from '../io/trainer.js';
import { Progress } from '../progress.js';
import { writeReport } from './report.js';

interface Options extends ModelOptions {
  readonly out?: string;
  readonly steps?: string;
  readonly resume?: string;
  readonly report?: string;
  readonly json?: boolean;
}

export function register(program: Command): void {
  modelOptions(
    program
      .command('run')
      .description('train an experiment of a model file; prints spectrum, movement and regime on the way')
      .argument('[file]', 'model file (.ts, .js) or layers model.json; not needed with --resume'),
  )
    .option('--steps <n>', 'short for --set steps=n')
    .option('--out <folder>', 'run folder (default: a new one in .kernelscope/runs)')
    .option('--resume <run>', 'go on with a run from its last checkpoint')
    .option('--report <file>', 'also write a self-contained HTML report')
    .option('--json', 'one JSON document on stdout, nothing else')
    .action(runAction);
}

function requestOf(file: string | undefined, options: Options): RunRequest {
  const overrides = overridesOf(options);
  if (options.steps !== undefined) overrides['steps'] = wholeNumber('--steps', options.steps, 1);
  const out = options.out === undefined ? null : path.resolve(options.out);
  return {
    file: path.resolve(file ?? '.'),
    exportName: options.export ?? '',
    overrides,
    data: options.data,
    backend: options.backend,
    runsFolder: out ? path.dirname(out) : path.resolve('.kernelscope', 'runs'),
    runId: out ? path.basename(out) : undefined,
    resume: options.resume === undefined ? undefined : path.resolve(options.resume),
  };
}

async function runAction(file: string | undefined, options: Options, command: Command): Promise<void> {
  if (file === undefined && options.resume === undefined)
    command.error("error: missing required argument 'file'", { exitCode: 2 });
  const signal = interruptSignal();
  const progress = new Progress({ enabled: !options.json });
  const teller = new Teller(progress);
  const { info, ended } = await runInTrainer(
    requestOf(file, options),
    {
      progress: (stage) => progress.update(0, stage),
      started: (started) => teller.start(started),
      frame: (frame) =>
        teller.frame(
          frame.metrics,
          frame.events.filter((e): e is RegimeRecord => e.kind === 'regime'),
          frame.snapshots.filter((s) => s.name === 'eigenvalues'),
          frame.events.filter((e): e is NoteRecord => e.kind === 'note'),
        ),
    },
    signal,
  ).finally(() => progress.end());
  if (info && options.json) printJson(resultOf(info.folder));
  if (info && !options.json) process.stdout.write(`${closing(info.folder)}\n`);
  if (info && options.report) {
    const place = writeReport([info.folder], options.report);
    if (!options.json) process.stdout.write(`Report: ${place}\n`);
  }
  requireFinished(ended, signal.aborted);
}

/** `run --json`: what the run folder says about its end. */
export function resultOf(folder: string): Record<string, unknown> {
  const { run, metrics, events } = readRun(folder);
  const spectra = readSnapshots(folder, ['eigenvalues']);
  const summary = run.ended?.summary;
  const last = (name: string) => {
    const values = metrics.columns[name];
    return (values && Array.from(values).reverse().find(Number.isFinite)) ?? null;
  };
  return {
    run: folder,
    status: run.status,
    steps: run.ended?.step ?? 0,
    loss: { train: summary?.loss.train ?? last('loss'), test: summary?.loss.test ?? last('testLoss') },
    accuracy: summary?.accuracy ?? last('accuracy'),
    kernel: { eigenvalues: spectra.at(-1)?.data ?? [], drift: summary?.drift ?? last('drift') },
    movement: summary?.movement ?? {},
    regime: summary?.regime ?? 'undetermined',
    backend: run.info.backend.name,
    notes: events.filter((e): e is NoteRecord => e.kind === 'note').map((e) => e.text),
    ...(run.ended?.message ? { message: run.ended.message } : {}),
  };
}

function closing(folder: string): string {
  const { run } = readRun(folder);
  const { summary, status, step } = run.ended ?? {};
  if (!summary) return `${status ?? run.status} at step ${step ?? 0}.\nRun folder: ${folder}`;
  const movement = Object.entries(summary.movement)
    .map(([layer, value]) => `${layer} ${short(value, 3)}`)
    .join(', ');
  const accuracy =
    summary.accuracy === null ? '' : `, test accuracy ${(100 * summary.accuracy).toFixed(2)} %`;
  return [
    '',
    `${status === 'stopped' ? 'Stopped' : 'Finished'} after ${step} steps in ${short(summary.seconds, 3)} s on the ${run.info.backend.name} backend.`,
    `Loss: training ${short(summary.loss.train)}${summary.loss.test === null ? '' : `, test ${short(summary.loss.test)}`}${accuracy}`,
    `Kernel drift ${short(summary.drift, 3)}; relative movement: ${movement}`,
    `Verdict: ${summary.regime}`,
    `Run folder: ${folder}`,
  ].join('\n');
}

const spectrumWidth = 12;

/** Eigenvalues as bars over a logarithmic index, on a logarithmic scale down to the noise. */
const pictureOf = ({ data, noiseFloor }: Snapshot): string =>
  sparkline(data, { width: spectrumWidth, logIndex: true, floor: noiseFloor });

/** Says what happens during a run: a bar for the steps, a line for each measured kernel. */
class Teller {
  private info: RunStarted | null = null;
  private loss = Number.NaN;
  private header = false;

  constructor(private readonly progress: Progress) {}

  start(info: RunStarted): void {
    this.info = info;
    const { backend, parameters, train, test, probe, learningRate } = info;
    this.progress.line(
      `${info.name}: ${parameters.toLocaleString('en')} parameters, ${train} training and ${test} test samples`,
    );
    this.progress.line(`Backend ${backend.name}. ${backend.why}`);
    this.progress.line(`Step size ${short(learningRate)}; kernel on ${probe.size} inputs; seed ${info.seed}`);
  }

  frame(
    metrics: MetricsFrame,
    events: readonly RegimeRecord[],
    spectra: readonly Snapshot[],
    notes: readonly NoteRecord[],
  ): void {
    const { step, columns } = metrics;
    for (const { text, level } of notes) this.progress.line(level === 'warning' ? `! ${text}` : text);
    for (let i = 0; i < step.length; i++) {
      const at = (name: string) => columns[name]?.[i] ?? Number.NaN;
      if (Number.isFinite(at('loss'))) this.loss = at('loss');
      if (!Number.isFinite(at('lambdaMax'))) continue;
      const names = ['loss', 'lambdaMax', 'lambdaMin', 'drift', 'movement'];
      const spectrum = spectra.find((s) => s.step === step[i]);
      const regime = events.find((e) => e.step === step[i])?.regime ?? '';
      this.tell(step[i], names.map(at), spectrum ? pictureOf(spectrum) : '', regime);
    }
    const now = step.length > 0 ? step[step.length - 1] : 0;
    this.progress.update(
      now / (this.info?.steps ?? 1),
      `step ${now} of ${this.info?.steps ?? '?'}, loss ${short(this.loss)}`,
    );
  }

  private tell(step: number, values: readonly number[], spectrum: string, regime: string): void {
    if (!this.header)
      this.progress.line(
        `    step      loss     λ max     λ min     drift  movement  ${'spectrum'.padEnd(spectrumWidth)}  regime`,
      );
    this.header = true;
    const cells = values.map((value) => short(value, 3).padStart(9)).join(' ');
    const verdict = regime === 'undetermined' ? '' : regime;
    this.progress.line(
      `${String(step).padStart(8)} ${cells}  ${spectrum.padEnd(spectrumWidth)}  ${verdict}`.trimEnd(),
    );
  }
}
