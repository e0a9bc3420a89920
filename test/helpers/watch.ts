import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { root } from './folders.js';

export const programs = path.join(root, 'test', 'fixtures', 'watch');
const cliFile = path.join(root, 'dist', 'cli.js');

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  /** Without the line that we add at the end. */
  readonly stderr: string;
  /** That line; empty without the watch. */
  readonly last: string;
}

function outcomeOf(command: readonly string[], watched: boolean): Outcome {
  const result = spawnSync(command[0], command.slice(1), { cwd: programs, encoding: 'utf8' });
  const { status, signal, stdout } = result;
  // TensorFlow's own messages carry the time and the thread.
  const stderr = result.stderr.replace(/^I0000 \S+\s+\d+/gm, 'I0000');
  if (!watched) return { code: status, signal, stdout, stderr, last: '' };
  const lines = stderr.split('\n');
  const last = lines.splice(-2, 1)[0];
  return { code: status, signal, stdout, stderr: lines.join('\n'), last };
}

/** Runs a program as it is. */
export const plain = (...command: string[]): Outcome => outcomeOf(command, false);

/** Runs a program under the watch, which writes to a folder. */
export const watched = (out: string, ...command: string[]): Outcome =>
  outcomeOf([process.execPath, cliFile, 'watch', '--out', out, '--', ...command], true);

export const startWatched = (out: string, ...command: string[]): ChildProcess =>
  spawn(process.execPath, [cliFile, 'watch', '--out', out, '--', ...command], {
    cwd: programs,
    stdio: ['ignore', 'pipe', 'pipe'],
  });

/** Run folders below an output folder: itself, or those inside. */
export function runsIn(out: string): string[] {
  if (existsSync(path.join(out, 'run.json'))) return [out];
  return readdirSync(out)
    .sort()
    .map((name) => path.join(out, name));
}
