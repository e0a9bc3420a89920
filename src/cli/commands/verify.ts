import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { FailureError, InputError } from '../../core/errors.js';
import type { Claim } from '../../theory/claim.js';
import type { Verified } from '../../theory/verify.js';
import { type BackendOption, parseBackend, wholeNumber } from '../io/options.js';
import { interruptSignal } from '../io/trainer.js';

interface Options {
  readonly quick?: boolean;
  readonly full?: boolean;
  readonly sabotage?: boolean;
  readonly seeds: string;
  readonly jobs: string;
  readonly backend: BackendOption;
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
    .option('--jobs <n>', 'measurements at the same time', String(Math.min(4, availableParallelism())))
    .option('--backend <name>', 'auto, native, wasm or cpu', parseBackend, 'auto' as BackendOption)
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
  const parallel = wholeNumber('--jobs', options.jobs, 1);
  const [{ useBackend }, { verifyAll }, { Progress }] = await Promise.all([
    import('../../network/backends/index.js'),
    import('../verify/pool.js'),
    import('../progress.js'),
  ]);
  const backend = await useBackend(options.backend);
  const preset = options.full ? 'full' : 'quick';
  const sabotage = options.sabotage ?? false;
  const progress = new Progress({ enabled: !options.json });
  const jobs = chosen.flatMap((claim) => seeds.map((seed) => ({ claim, seed })));
  const share = new Map<object, number>();
  const done: Verified[] = [];
  const signal = interruptSignal();
  try {
    for await (const verified of verifyAll({
      jobs,
      parallel,
      preset,
      sabotage,
      backend: backend.name,
      signal,
      progress: (job, fraction, text) => {
        share.set(job, fraction);
        const sum = [...share.values()].reduce((a, b) => a + b, 0);
        const alone = parallel === 1 || jobs.length === 1;
        const running = jobs.filter((j) => (share.get(j) ?? 1) < 1).map((j) => j.claim.id);
        progress.update(
          sum / jobs.length,
          alone
            ? `${job.claim.id} (seed ${job.seed}): ${text}`
            : `${done.length} of ${jobs.length} done, ${running.join(' and ')}`,
        );
      },
    })) {
      done.push(verified);
      const job = jobs.find((j) => j.claim === verified.claim && j.seed === verified.result.seed);
      if (job) share.set(job, 1);
      progress.line(resultLine(verified));
      progress.event('verdict', verified.result);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    progress.end();
  }
  // In the order of the registry, whichever was done first.
  const place = ({ claim, result }: Verified) =>
    jobs.findIndex((job) => job.claim === claim && job.seed === result.seed);
  done.sort((a, b) => place(a) - place(b));
  if (options.html) {
    const { verifyPage } = await import('../../theory/page.js');
    await writeFile(options.html, verifyPage(done, { backend: backend.name, preset, sabotage }));
  }
  if (signal.aborted)
    throw new DOMException(`Stopped with ${done.length} of ${jobs.length} measured.`, 'AbortError');
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
