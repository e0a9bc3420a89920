import path from 'node:path';
import { type Command, Option } from 'commander';
import { type BenchReport, type BenchResult, benchKernels } from '../../bench/ntk.js';
import { type BenchRow, benchRows, describeRow } from '../../bench/rows.js';
import { InputError } from '../../core/errors.js';
import { type BackendPreference, type BackendReport, useBackend } from '../../network/backends/index.js';
import { Progress } from '../progress.js';
import { packageRoot } from '../version.js';

interface Options {
  readonly rows?: string;
  readonly python?: string;
  readonly backend: BackendPreference;
  readonly rounds: string;
  readonly json?: boolean;
}

/** Adds `kernelscope bench ntk`: how fast kernels come on this machine, beside PyTorch and neural-tangents. */
export function register(program: Command): void {
  const names = benchRows.map((row) => `  ${row.name.padEnd(3)} ${describeRow(row)}`);
  program
    .command('bench')
    .description('measure speed on this machine')
    .command('ntk')
    .description('time empirical neural tangent kernels')
    .option('--rows <names>', 'rows to measure, such as A,D (default: all)')
    .option('--python <path>', 'compare with the PyTorch and neural-tangents of this Python')
    .addOption(
      new Option('--backend <name>', 'backend to measure')
        .choices(['auto', 'native', 'wasm', 'cpu'])
        .default('auto'),
    )
    .option('--rounds <n>', 'measurements of each, of which the median is told', '7')
    .option('--json', 'answer in JSON')
    .addHelpText('after', `\nRows:\n${names.join('\n')}`)
    .action(benchAction);
}

async function benchAction(options: Options): Promise<void> {
  const rows = rowsOf(options.rows);
  const rounds = Number(options.rounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new InputError(`--rounds is "${options.rounds}"; it must be a whole number of at least 1.`, {
      field: '--rounds',
    });
  const backend = await useBackend(options.backend);
  const progress = new Progress({ enabled: !options.json });
  let report: BenchReport;
  try {
    report = await benchKernels({
      rows,
      rounds,
      python: options.python,
      script: path.join(packageRoot, 'media', 'ntk_peer.py'),
      onProgress: (f, text) => progress.update(f, text),
    });
  } finally {
    progress.end();
  }
  process.stdout.write(
    options.json ? `${JSON.stringify({ backend, ...report }, null, 2)}\n` : text(backend, report),
  );
}

function rowsOf(given: string | undefined): readonly BenchRow[] {
  if (given === undefined) return benchRows;
  return given.split(',').map((name) => {
    const row = benchRows.find((r) => r.name.toLowerCase() === name.trim().toLowerCase());
    if (!row)
      throw new InputError(
        `--rows names "${name}"; there are ${benchRows.map((r) => r.name).join(', ')}, parted by commas.`,
        { field: '--rows' },
      );
    return row;
  });
}

const ms = (value: number): string => `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`;
const mb = (value: number | null): string => (value === null ? '' : `, ${value.toFixed(0)} MB`);

function text(backend: BackendReport, report: BenchReport): string {
  const lines = [`Backend: ${backend.name}. ${backend.why}`];
  for (const result of report.results) lines.push('', ...rowLines(result));
  for (const [library, reason] of Object.entries(report.missing))
    lines.push('', `No comparison with ${library}: ${reason}`);
  return `${lines.join('\n')}\n`;
}

function rowLines(r: BenchResult): string[] {
  const own = `  here ${ms(r.ms)}${mb(r.peakMB)}; ${r.inMatMuls.toFixed(2)} times a 1024 x 1024 product (${ms(r.matMulMs)})`;
  const peers = r.peers.map((p) =>
    p.ms === null
      ? `  ${p.method}: not run, ${p.skipped}`
      : `  ${p.method} ${p.version}: ${ms(p.ms)}${mb(p.peakMB)}, ${p.ratio?.toFixed(2)} times ours`,
  );
  return [`${r.row}  ${r.what}`, own, ...peers];
}
