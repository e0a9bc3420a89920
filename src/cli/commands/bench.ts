import path from 'node:path';
import { type Command, Option } from 'commander';
import { type BenchReport, type BenchResult, benchKernels } from '../../bench/ntk.js';
import { type BenchRow, benchRows, describeRow } from '../../bench/rows.js';
import { benchSpectral, type SpectralReport } from '../../bench/spectral.js';
import { InputError } from '../../core/errors.js';
import { type BackendPreference, type BackendReport, useBackend } from '../../network/backends/index.js';
import { spectraOnThreads } from '../../network/backends/simd/index.js';
import { Progress } from '../progress.js';
import { packageRoot } from '../version.js';
import { registerRegimeBench } from './benchRegime.js';

interface Options {
  readonly rows?: string;
  readonly python?: string;
  readonly backend: BackendPreference;
  readonly rounds: string;
  readonly json?: boolean;
}

/** Adds `kernelscope bench`: how fast kernels and their spectra come on this machine, beside Python's libraries. */
export function register(program: Command): void {
  const names = benchRows.map((row) => `  ${row.name.padEnd(3)} ${describeRow(row)}`);
  const bench = program.command('bench').description('measure speed and verdicts on this machine');
  registerRegimeBench(bench);
  bench
    .command('spectral')
    .description('time all eigenvalues, all label energies and the top 50 vectors of kernels')
    .option('--python <path>', 'compare with the numpy of this Python')
    .option('--sizes <numbers>', 'sizes of the kernels', '512,1024,2048')
    .option('--rounds <n>', 'measurements of each, of which the median is told', '7')
    .option('--json', 'answer in JSON')
    .action(spectralAction);
  bench
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
  const rounds = wholeNumber('--rounds', options.rounds);
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

function wholeNumber(field: string, given: string, least = 1): number {
  const value = Number(given);
  if (!Number.isInteger(value) || value < least)
    throw new InputError(`${field} is "${given}"; it must be a whole number of at least ${least}.`, {
      field,
    });
  return value;
}

async function spectralAction(
  options: Pick<Options, 'python' | 'rounds' | 'json'> & { readonly sizes: string },
): Promise<void> {
  const sizes = options.sizes.split(',').map((size) => wholeNumber('--sizes', size.trim(), 64));
  const rounds = wholeNumber('--rounds', options.rounds);
  const progress = new Progress({ enabled: !options.json });
  spectraOnThreads();
  let report: SpectralReport;
  try {
    report = await benchSpectral({
      sizes,
      rounds,
      python: options.python,
      script: path.join(packageRoot, 'media', 'eigh_peer.py'),
      onProgress: (f, text) => progress.update(f, text),
    });
  } finally {
    progress.end();
  }
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : spectralText(report));
}

function spectralText({ numpy, missing, results }: SpectralReport): string {
  const lines = results.map((r) => {
    const versus =
      r.eigh &&
      `; numpy ${numpy} eigh with vectors ${all(r.eigh)}: ours takes ${times(r.ratio)} (${times(r.fastestRatio)}, ${times(r.cpuRatio)}) of it`;
    return `${r.size} x ${r.size}  ${all(r.spectral)}, eigenvalues alone ${all(r.values)}${versus ?? ''}`;
  });
  if (missing) lines.push(`No comparison with numpy: ${missing}`);
  lines.push('', 'Medians; in brackets the fastest round and the least processor time of all threads.');
  return `${lines.join('\n')}\n`;
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
const times = (value: number | null): string => (value === null ? '?' : value.toPrecision(3));
const all = (t: { ms: number | null; fastestMs: number | null; cpuMs: number | null }): string =>
  `${ms(t.ms ?? 0)} (${ms(t.fastestMs ?? 0)}, ${ms(t.cpuMs ?? 0)})`;
const percent = (value: number): string => `${(100 * value).toFixed(0)} %`;

function text(backend: BackendReport, report: BenchReport): string {
  const lines = [`Backend: ${backend.name}. ${backend.why}`];
  for (const result of report.results) lines.push('', ...rowLines(result));
  for (const [library, reason] of Object.entries(report.missing))
    lines.push('', `No comparison with ${library}: ${reason}`);
  lines.push('', 'Medians; in brackets the fastest round and the least processor time of all threads.');
  return `${lines.join('\n')}\n`;
}

function rowLines(r: BenchResult): string[] {
  const product = { ms: r.matMulMs, fastestMs: r.fastestMatMulMs, cpuMs: r.matMulCpuMs };
  const rates = `${percent(r.ofMatMulRate)} (${percent(r.fastestOfMatMulRate)}, ${percent(r.cpuOfMatMulRate)})`;
  const own = [
    `  here ${all(r)}${mb(r.peakMB)}`,
    `  ${r.gigaOperations.toFixed(2)}e9 operations at ${rates} of the rate of a 1024 x 1024 product, ${all(product)}`,
  ];
  const peers = r.peers.map((p) => {
    if (p.ms === null) return `  ${p.method}: not run, ${p.skipped}`;
    const share = p.measuredShare === null ? '' : `, reckoned from ${percent(p.measuredShare)} of the work`;
    const ratios = `${times(p.ratio)} (${times(p.fastestRatio)}, ${times(p.cpuRatio)}) times ours`;
    return `  ${p.method} ${p.version}: ${all(p)}${mb(p.peakMB)}, ${ratios}${share}`;
  });
  return [`${r.row}  ${r.what}`, ...own, ...peers];
}
