import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import type { Command } from 'commander';
import { InputError } from '../../core/errors.js';
import { files } from '../../runs/index.js';
import { preloadOption, settingsVariable, type WatchSettings } from '../../watch/settings.js';
import { readNpy } from '../io/arrays.js';

interface Options {
  readonly probe?: string;
  readonly out?: string;
  readonly runs?: string;
  readonly model?: string;
}

export function register(program: Command): void {
  program
    .command('watch')
    .description('run a program that trains with TensorFlow.js, unchanged, and record its trainings')
    .argument('<command...>', 'the program, after "--": node train.js, npm run train, npx tsx train.ts')
    .usage('[options] -- <command...>')
    .option('--probe <file>', 'inputs to measure the kernel on, npy [N, ...]; else from the first batches')
    .option('--out <folder>', 'where to write: the run itself, or one run folder a model where several train')
    .option('--runs <folder>', 'folder of the run folders (default: .kernelscope/runs)')
    .option('--model <name>', 'watch only the model of this name')
    .option('--verbose', 'say on stderr what is watched')
    .action(watchAction);
}

async function watchAction(command: string[], options: Options, self: Command): Promise<void> {
  if (options.out !== undefined && options.runs !== undefined)
    throw new InputError('--out and --runs both say where runs are written; give one of them.', {
      field: '--out',
    });
  const out = options.out === undefined ? null : path.resolve(options.out);
  if (out && existsSync(out) && readdirSync(out).length > 0)
    throw new InputError(
      `${out} is not empty; nothing recorded is overwritten. Choose another folder, or delete it.`,
      {
        file: out,
        field: '--out',
      },
    );
  if (options.probe !== undefined) readNpy(options.probe);
  const session = mkdtempSync(path.join(tmpdir(), 'kernelscope-watch-'));
  const announce = path.join(session, 'runs');
  closeSync(openSync(announce, 'w'));
  const settings: WatchSettings = {
    runs: out ?? path.resolve(options.runs ?? path.join('.kernelscope', 'runs')),
    announce,
    ...(options.probe === undefined ? {} : { probe: path.resolve(options.probe) }),
    ...(options.model === undefined ? {} : { model: options.model }),
    // The program has an option of that name too, and takes it.
    ...(self.optsWithGlobals()['verbose'] === true ? { verbose: true } : {}),
  };
  try {
    const { code, signal } = await runWatched(command, settings);
    const runs = readFileSync(announce, 'utf8').split('\n').filter(Boolean);
    process.stderr.write(`${summaryOf(out ? settled(out, runs) : runs)}\n`);
    rmSync(session, { recursive: true, force: true });
    if (signal) dieOf(signal);
    process.exitCode = code ?? 1;
  } finally {
    rmSync(session, { recursive: true, force: true });
  }
}

/** The environment in which every Node process observes what it trains. */
function watchedEnvironment(settings: WatchSettings): Record<string, string> {
  const option = preloadOption(__dirname);
  const before = process.env['NODE_OPTIONS'];
  return {
    NODE_OPTIONS: before ? `${before} ${option}` : option,
    [settingsVariable]: JSON.stringify(settings),
  };
}

const forwarded: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

function runWatched(
  [name, ...args]: string[],
  settings: WatchSettings,
): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }> {
  const child = spawn(name, args, {
    stdio: 'inherit',
    env: { ...process.env, ...watchedEnvironment(settings) },
    shell: process.platform === 'win32',
  });
  // A terminal sends its interrupt to the program as well as to us: once is enough.
  const terminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  const listeners = forwarded.map((signal) => {
    const listener = (): void => {
      if (!(terminal && (signal === 'SIGINT' || signal === 'SIGQUIT'))) child.kill(signal);
    };
    process.on(signal, listener);
    return () => process.removeListener(signal, listener);
  });
  return new Promise((resolve, reject) => {
    child.on('error', (error: NodeJS.ErrnoException) =>
      reject(
        new InputError(
          error.code === 'ENOENT'
            ? `There is no program "${name}" to watch. Give the command as in a terminal, after "--": kernelscope watch -- node train.js.`
            : `"${name}" could not be started (${error.message}).`,
          { field: 'command' },
        ),
      ),
    );
    child.on('close', (code, signal) => {
      for (const remove of listeners) remove();
      resolve({ code, signal });
    });
  });
}

/** Where one model was trained, the folder that was asked for is its run. */
function settled(out: string, runs: readonly string[]): readonly string[] {
  if (runs.length !== 1 || path.dirname(runs[0]) !== out || !existsSync(path.join(runs[0], files.run)))
    return runs;
  for (const name of readdirSync(runs[0])) renameSync(path.join(runs[0], name), path.join(out, name));
  rmSync(runs[0], { recursive: true, force: true });
  return [out];
}

function summaryOf(runs: readonly string[]): string {
  if (runs.length === 0) return 'kernelscope: no training with TensorFlow.js was seen.';
  return `kernelscope: ${runs.length === 1 ? 'watched run' : `${runs.length} watched runs`}: ${runs.join(', ')}`;
}

/** Ends as the program did, so that a shell sees the same. */
function dieOf(signal: NodeJS.Signals): void {
  process.exitCode = 128 + constants.signals[signal];
  process.kill(process.pid, signal);
}
