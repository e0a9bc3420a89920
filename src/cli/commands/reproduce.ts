import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { FailureError, InputError } from '../../core/errors.js';
import type { Reproduced } from '../../theory/reproduction/reproduce.js';
import type { ReferenceCheck, Survey } from '../../theory/reproduction/survey.js';
import { wholeNumber } from '../io/options.js';

interface Options {
  readonly quick?: boolean;
  readonly full?: boolean;
  readonly seed: string;
  readonly backend: 'auto' | 'native' | 'wasm' | 'cpu';
  readonly state?: string;
  readonly list?: boolean;
  readonly out?: string;
  readonly html?: string;
  readonly json?: boolean;
}

export function register(program: Command): void {
  program
    .command('reproduce')
    .description("run the experiments of the survey's authors and set ours beside the published values")
    .argument('[experiment...]', 'names of experiments; all of them when absent (see --list)')
    .option('--quick', 'fewer digits and epochs, smaller widths: up to a minute each (default)')
    .option('--full', "the authors' own settings: minutes to hours each")
    .option('--seed <n>', 'seed of starts, batches and draws', '0')
    .option('--backend <name>', 'auto, native, wasm or cpu', 'auto')
    .option('--state <folder>', 'keep what is done there; the same command goes on after an interruption')
    .option('--out <file>', 'write a page with every figure')
    .option('--html <file>', 'the same as --out')
    .option('--list', 'only list the experiments')
    .option('--json', 'one JSON document on stdout')
    .action(reproduceAction);
}

function choose(all: readonly Survey[], names: readonly string[]): readonly Survey[] {
  if (names.length === 0) return all;
  return names.map((name) => {
    const survey = all.find((s) => s.id === name);
    if (!survey)
      throw new InputError(
        `There is no experiment "${name}". Known experiments: ${all.map((s) => s.id).join(', ')}.`,
      );
    return survey;
  });
}

async function reproduceAction(names: readonly string[], options: Options): Promise<void> {
  if (options.quick && options.full) throw new InputError('Give --quick or --full, not both.');
  const seed = wholeNumber('--seed', options.seed, 0);
  const { surveys } = await import('../../theory/survey/registry.js');
  const chosen = choose(surveys, names);
  if (options.list) {
    list(chosen, options.json ?? false);
    return;
  }
  const [{ useBackend }, { reproduce }, { Progress }] = await Promise.all([
    import('../../network/backends/index.js'),
    import('../../theory/reproduction/reproduce.js'),
    import('../progress.js'),
  ]);
  const backend = await useBackend(options.backend);
  const preset = options.full ? 'full' : 'quick';
  const progress = new Progress({ enabled: !options.json });
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort());
  const done: Reproduced[] = [];
  try {
    for await (const one of reproduce({
      surveys: chosen,
      preset,
      seed,
      backend,
      state: options.state ?? null,
      signal: interrupt.signal,
      progress: (survey, fraction, text) =>
        progress.update((done.length + fraction) / chosen.length, `${survey.id}: ${text}`),
    })) {
      done.push(one);
      for (const line of resultLines(one)) progress.line(line);
    }
  } finally {
    progress.end();
  }
  const page = options.out ?? options.html;
  if (page) {
    const { reproductionPage } = await import('../../theory/reproduction/page.js');
    await writeFile(page, reproductionPage(done));
  }
  if (options.json) printDocument(done);
  conclude(done, chosen, interrupt.signal.aborted, options.state);
}

function printDocument(done: readonly Reproduced[]): void {
  const { argv } = process;
  const document = {
    command: `kernelscope ${argv.slice(2).join(' ')}`,
    date: new Date().toISOString(),
    experiments: done.map((one) => one.result),
  };
  // A column is one line: such documents are kept beside the code.
  const text = JSON.stringify(document, rounded, 1).replace(/\[[^[\]{}"]*\]/g, (list) =>
    list.replace(/\s+/g, ' ').replace('[ ', '[').replace(' ]', ']'),
  );
  process.stdout.write(`${text}\n`);
}

/** Numbers to six digits (curves are for drawing and reading), what is not finite as null. */
const rounded = (_key: string, value: unknown): unknown => {
  if (typeof value !== 'number') return value;
  return Number.isFinite(value) ? Number(value.toPrecision(6)) : null;
};

function conclude(
  done: readonly Reproduced[],
  chosen: readonly Survey[],
  aborted: boolean,
  state: string | undefined,
): void {
  if (aborted)
    throw new DOMException(
      `Stopped with ${done.filter((one) => one.result.complete).length} of ${chosen.length} experiments done; ${state ? 'the same command goes on' : 'with --state FOLDER the same command would go on'}.`,
      'AbortError',
    );
  const missed = done.filter((one) => one.result.passed === false);
  if (missed.length > 0)
    throw new FailureError(
      `Bars were missed in: ${missed.map((one) => `${one.survey.id} (${one.result.bars.filter((b) => b.passed === false).length})`).join(', ')}.`,
    );
}

const short = (value: number | null): string =>
  value === null || !Number.isFinite(value) ? '-' : String(Number(value.toPrecision(4)));

const marks = { true: '✓', false: '✗', null: '·' } as const;

function checkLine(bar: ReferenceCheck): string {
  const published = bar.published === null ? '' : `  published ${short(bar.published)}`;
  return `  ${marks[String(bar.passed) as keyof typeof marks]} ${bar.name}: ${short(bar.measured)}${published}  (${bar.tolerance})`;
}

function resultLines({ result }: Reproduced): string[] {
  const partial = result.complete ? '' : '  PARTIAL';
  return [
    `${marks[String(result.passed) as keyof typeof marks]} ${result.experiment}: ${result.title}  ${result.seconds} s${partial}`,
    ...result.bars.map(checkLine),
  ];
}

function list(chosen: readonly Survey[], json: boolean): void {
  if (json) {
    const experiments = chosen.map(({ stages: _stages, conclude: _conclude, ...info }) => info);
    process.stdout.write(`${JSON.stringify({ experiments }, null, 1)}\n`);
    return;
  }
  for (const survey of chosen) process.stdout.write(`${survey.id.padEnd(24)} ${survey.statement}\n`);
}
