import { type Command, Option } from 'commander';
import { judged } from '../../bench/regime.js';
import { benchRegime, type RegimeReport, type RegimeScore } from '../../bench/regimeReport.js';
import { InputError } from '../../core/errors.js';
import { type BackendPreference, type BackendReport, useBackend } from '../../network/backends/index.js';
import { Progress } from '../progress.js';

interface Options {
  readonly widths: string;
  readonly scales: string;
  readonly seeds: string;
  readonly samples: string;
  readonly probes?: string;
  readonly classes?: boolean;
  readonly deep?: boolean;
  readonly backend: BackendPreference;
  readonly json?: boolean;
}

/** Adds `kernelscope bench regime`: how often the verdict lazy or rich is right, by the linearised twin of the whole run. */
export function registerRegimeBench(bench: Command): void {
  bench
    .command('regime')
    .description(
      'judge the verdict lazy or rich by the gap to the linearised twin, over scales, widths and tasks',
    )
    .option('--widths <list>', 'widths m', '64,512')
    .option('--scales <list>', 'exponents t of alpha = m^t', '0,0.25,0.5,0.75,1')
    .option('--seeds <list>', 'seeds of task and start', '11')
    .option('--samples <n>', 'training inputs', '128')
    .option('--probes <list>', 'probe inputs; all training inputs when absent')
    .option('--classes', 'tasks of several outputs too')
    .option('--deep', 'deep networks too')
    .addOption(
      new Option('--backend <name>', 'backend').choices(['auto', 'native', 'wasm', 'cpu']).default('auto'),
    )
    .option('--json', 'answer in JSON')
    .action(action);
}

function numbers(text: string, option: string, fits: (value: number) => boolean, what: string): number[] {
  const values = text.split(',').map((part) => Number(part.trim() || Number.NaN));
  if (!values.every(fits))
    throw new InputError(`${option} is "${text}"; it must be ${what}, parted by commas.`, { field: option });
  return values;
}

const sizes = (text: string, most: number): number[] =>
  numbers(
    text,
    '--probes',
    (v) => Number.isInteger(v) && v >= 2 && v <= most,
    `whole numbers from 2 to ${most}`,
  );

const isWidth = (v: number): boolean => Number.isInteger(v) && v >= 2 && v % 2 === 0;

async function action(options: Options): Promise<void> {
  const widths = numbers(options.widths, '--widths', isWidth, 'even whole numbers of at least 2');
  const inScale = (v: number) => v >= 0 && v <= 1;
  const exponents = numbers(options.scales, '--scales', inScale, 'numbers between 0 and 1');
  const seeds = numbers(options.seeds, '--seeds', Number.isInteger, 'whole numbers');
  const isSize = (v: number) => Number.isInteger(v) && v >= 2;
  const [samples] = numbers(options.samples, '--samples', isSize, 'a whole number of at least 2');
  const probes = options.probes === undefined ? {} : { probes: sizes(options.probes, samples) };
  const backend = await useBackend(options.backend);
  const progress = new Progress({ enabled: !options.json });
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort());
  try {
    const onProgress = (f: number, text: string) => progress.update(f, text);
    const report = await benchRegime({
      widths,
      exponents,
      seeds,
      samples,
      ...probes,
      classes: options.classes,
      deep: options.deep,
      onProgress,
      signal: interrupt.signal,
    });
    progress.end();
    process.stdout.write(
      options.json ? `${JSON.stringify({ backend, ...report }, null, 1)}\n` : text(backend, report),
    );
  } finally {
    progress.end();
  }
}

function text(
  backend: BackendReport,
  { known, heldOut, classes }: Pick<RegimeReport, 'known' | 'heldOut' | 'classes'>,
): string {
  return [
    `Backend: ${backend.name}. ${backend.why}`,
    ...block('Tasks that the rule was made on', known),
    ...block('Tasks that it has not seen', heldOut),
    ...(classes ? block('Tasks of several outputs', classes) : []),
    '',
  ].join('\n');
}

const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;

function block(title: string, score: RegimeScore): string[] {
  const table = (m: RegimeScore['confusion']) => [
    `    ${'truth \\ verdict'.padEnd(18)}${judged.map((j) => j.padStart(12)).join('')}`,
    ...judged.map((j, i) => `    ${j.padEnd(18)}${m[i].map((n) => String(n).padStart(12)).join('')}`),
  ];
  return [
    '',
    `${title}: ${score.runs} runs`,
    `  at the end of the run, ${percent(score.right)} right`,
    ...table(score.confusion),
    `  within the first tenth, ${percent(score.rightEarly)} right`,
    ...table(score.early),
    `  before the first step, ${percent(score.rightBefore)} right`,
    `  ${percent(score.stable)} keep the verdict of the first tenth; ${percent(score.opposite)} call lazy rich or rich lazy`,
    `  the gap that the first tenth expects is off by a factor of ${score.off.median.toFixed(3)} (median), ${score.off.most.toFixed(2)} (19 of 20 runs)`,
    '    true gap from the nearer bar   runs   right at the end   in the first tenth',
    ...score.byDistance.map(
      ({ from, below, runs, right, rightEarly }) =>
        `    ${`x${from} to ${below === Number.POSITIVE_INFINITY ? 'any' : `x${below}`}`.padEnd(30)}${String(runs).padStart(5)}${percent(right).padStart(19)}${percent(rightEarly).padStart(21)}`,
    ),
  ];
}
