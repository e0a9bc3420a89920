import { Command, CommanderError } from 'commander';
import { DivergedError, FailureError, InputError } from '../core/errors.js';
import * as bench from './commands/bench.js';
import * as compare from './commands/compare.js';
import * as doctor from './commands/doctor.js';
import * as exportRun from './commands/export.js';
import * as kernel from './commands/kernel.js';
import * as limit from './commands/limit.js';
import * as native from './commands/native.js';
import * as predict from './commands/predict.js';
import * as report from './commands/report.js';
import * as reproduce from './commands/reproduce.js';
import * as run from './commands/run.js';
import * as sweep from './commands/sweep.js';
import * as trace from './commands/trace.js';
import * as verify from './commands/verify.js';
import * as watch from './commands/watch.js';
import * as verifyWorker from './verify/worker.js';
import { version } from './version.js';

/** Exit codes: 0 done, 1 failed or a claim is red, 2 wrong usage or input, 3 diverged, 130 interrupted. */
function exitCodeOf(error: unknown): number {
  if (error instanceof InputError) return 2;
  if (error instanceof DivergedError) return 3;
  if (error instanceof FailureError) return 1;
  if (error instanceof Error && error.name === 'AbortError') return 130;
  return 1;
}

/** What is told of an error: its sentence; where an unexpected one came from only to those who ask. */
function wordsOf(error: unknown, verbose: boolean): string {
  const message = error instanceof Error ? error.message : String(error);
  const known =
    error instanceof InputError ||
    error instanceof FailureError ||
    error instanceof DivergedError ||
    (error as Error).name === 'AbortError';
  if (verbose && error instanceof Error) return error.stack ?? message;
  if (known) return message;
  const { code, path: place } = error as NodeJS.ErrnoException;
  if (code && place) return `${place} cannot be used (${message}). Check the path and who may use it.`;
  return `Something unexpected went wrong: ${message}. The same command with --verbose says where.`;
}

async function main(): Promise<void> {
  const program = new Command('kernelscope')
    .description('Inspects network training and kernel evolution.')
    .version(version)
    .option('--verbose', 'show where an unexpected error comes from')
    .showHelpAfterError('(see --help)')
    .exitOverride();
  for (const command of [
    run,
    watch,
    sweep,
    predict,
    kernel,
    trace,
    limit,
    verify,
    verifyWorker,
    reproduce,
    report,
    compare,
    exportRun,
    native,
    doctor,
    bench,
  ])
    command.register(program);
  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2;
      return;
    }
    process.stderr.write(`${wordsOf(error, program.opts()['verbose'] === true)}\n`);
    process.exitCode = exitCodeOf(error);
  }
}

// A closed pipe (| head) is the reader's wish, not a failure.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
  });

// Backends keep timers and threads; what is done is done.
void main().then(() => process.exit());
