import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { FailureError, InputError } from '../../core/errors.js';
import type { Claim } from '../../theory/claim.js';
import type { Verified } from '../../theory/verify.js';

interface Options {
  readonly quick?: boolean;
  readonly full?: boolean;
  readonly sabotage?: boolean;
  readonly seeds: string;
  readonly backend: 'auto' | 'native' | 'wasm' | 'cpu';
  readonly list?: boolean;
  readonly html?: string;
  readonly json?: boolean;
}

export function register(program: Command): void {
  program
    .command('verify')
    .description('measure the statements of theory and say which hold')
    .argument('[claim...]', 'ids of claims; all of them when absent (see --list)')
    .option('--quick', 'small samples and widths, minutes (default)')
    .option('--full', 'the reference settings')
    .option('--sabotage', "plant each claim's own fault in the training code; exit 0 when all turn red")
    .option('--seeds <a,b,c>', 'seeds, one verdict each', '0')
    .option('--backend <name>', 'auto, native, wasm or cpu', 'auto')
    .option('--html <file>', 'write a page with every figure')
    .option('--list', 'only list the claims')
    .option('--json', 'one JSON document on stdout')
    .action(verifyAction);
}

function parseSeeds(text: string): number[] {
  const seeds = text.split(',').map((part) => Number(part.trim() || Number.NaN));
  if (seeds.some((s) => !Number.isInteger(s)))
    throw new InputError(
      `--seeds is "${text}"; it must be whole numbers with commas between, such as --seeds 0,1,2.`,
    );
  return seeds;
}

function choose(all: readonly Claim[], ids: readonly string[]): readonly Claim[] {
  if (ids.length === 0) return all;
  return ids.map((id) => {
    const claim = all.find((c) => c.id === id);
    if (!claim)
      throw new InputError(`There is no claim "${id}". Known claims: ${all.map((c) => c.id).join(', ')}.`);
    return claim;
  });
}

async function verifyAction(ids: readonly string[], options: Options): Promise<void> {
  if (options.quick && options.full) throw new InputError('Give --quick or --full, not both.');
  const { claims } = await import('../../theory/registry.js');
  const chosen = choose(claims, ids);
  if (options.list) {
    list(chosen, options.json ?? false);
    return;
  }
  const seeds = parseSeeds(options.seeds);
  const [{ useBackend }, { verify }, { Progress }] = await Promise.all([
    import('../../network/backends/index.js'),
    import('../../theory/verify.js'),
    import('../progress.js'),
  ]);
  const backend = await useBackend(options.backend);
  const preset = options.full ? 'full' : 'quick';
  const sabotage = options.sabotage ?? false;
  const progress = new Progress({ enabled: !options.json });
  const done: Verified[] = [];
  const total = chosen.length * seeds.length;
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort());
  try {
    for await (const verified of verify({
      claims: chosen,
      seeds,
      preset,
      sabotage,
      backend: backend.name,
      signal: interrupt.signal,
      progress: (claim, seed, fraction, text) =>
        progress.update((done.length + fraction) / total, `${claim.id} (seed ${seed}): ${text}`),
    })) {
      done.push(verified);
      progress.line(resultLine(verified));
    }
  } finally {
    progress.end();
  }
  if (options.html) {
    const { verifyPage } = await import('../../theory/page.js');
    await writeFile(options.html, verifyPage(done, { backend: backend.name, preset, sabotage }));
  }
  if (options.json)
    process.stdout.write(`${JSON.stringify({ claims: done.map((v) => v.result) }, nanToNull, 1)}\n`);
  const wrong = done.filter((v) => v.result.passed === sabotage);
  if (!options.json) {
    const verb = sabotage ? 'turned red under their planted fault' : 'hold';
    process.stdout.write(`\n${done.length - wrong.length} of ${done.length} ${verb}.\n`);
  }
  if (wrong.length > 0) {
    const names = wrong.map((v) => `${v.result.id} (seed ${v.result.seed})`).join(', ');
    throw new FailureError(
      sabotage ? `Still green under their planted fault: ${names}.` : `Did not hold: ${names}.`,
    );
  }
}

const nanToNull = (_key: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isFinite(value) ? null : value;

const short = (value: number): string =>
  Number.isFinite(value) ? String(Number(value.toPrecision(4))) : '-';

function resultLine({ result }: Verified): string {
  const interval = result.interval ? ` [${short(result.interval[0])}, ${short(result.interval[1])}]` : '';
  return `${result.passed ? '✓' : '✗'} ${result.id.padEnd(26)} theory ${short(result.predicted).padEnd(9)} measured ${short(result.measured)}${interval}  ${result.seconds} s  ${result.note}`;
}

function list(claims: readonly Claim[], json: boolean): void {
  if (json) {
    const info = claims.map(({ measure: _measure, ...rest }) => rest);
    process.stdout.write(`${JSON.stringify({ claims: info }, null, 1)}\n`);
    return;
  }
  for (const claim of claims) process.stdout.write(`${claim.id.padEnd(28)} ${claim.statement}\n`);
}
