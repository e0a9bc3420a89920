import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { root } from './folders.js';

export interface CliOutcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built command line as a user would. */
export function cli(
  args: readonly string[],
  cwd = root,
  env: Readonly<Record<string, string>> = {},
): CliOutcome {
  const result = spawnSync(process.execPath, [path.join(root, 'dist', 'cli.js'), ...args], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    maxBuffer: 1 << 28,
  });
  return { code: result.status, stdout: result.stdout, stderr: result.stderr };
}
