import { spawn } from 'node:child_process';

export interface ProcessResult {
  /** Exit code; -1 when the program could not be started, was stopped, or ran past its time. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProcessOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

const mostKept = 1 << 20;

/** Runs a program to its end and keeps the end of what it wrote. Never throws; a failure is in the result. */
export function runProcess(
  command: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  return new Promise((resolve) => {
    const windows = process.platform === 'win32';
    // npm is a batch file on Windows, which only a shell starts.
    const viaShell = windows && command === 'npm';
    const child = spawn(command, [...args], {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      shell: viaShell,
      // Of its own group, so that running past its time ends its children too.
      detached: !windows,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout = (stdout + chunk).slice(-mostKept);
    });
    child.stderr.on('data', (chunk) => {
      stderr = (stderr + chunk).slice(-mostKept);
    });
    const end = () => {
      try {
        if (child.pid !== undefined && !windows) process.kill(-child.pid, 'SIGKILL');
        else child.kill('SIGKILL');
      } catch {
        // It has ended by itself.
      }
    };
    const interrupted = () => {
      end();
      process.exit(130);
    };
    process.once('SIGINT', interrupted);
    const timer = setTimeout(
      () => {
        stderr += `\nstopped after ${Math.round((options.timeoutMs ?? 0) / 1000)} s`;
        end();
      },
      options.timeoutMs ?? 2 ** 31 - 1,
    );
    const settle = (code: number) => {
      clearTimeout(timer);
      process.off('SIGINT', interrupted);
      resolve({ code, stdout, stderr });
    };
    child.on('error', (error) => {
      stderr += error.message;
      settle(-1);
    });
    child.on('close', (code) => settle(code ?? -1));
  });
}

/** The line of a program's complaint that says most: what names an error first, else its last words. */
export function complaint({ stdout, stderr }: ProcessResult): string {
  const lines = `${stdout}\n${stderr}`
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/npm warn|A complete log|^at |^node:/i.test(line));
  const named = lines.find((line) => /^\w*Error: |\berror: /.test(line));
  const vague = lines.filter((line) => /error|fail|stopped after|cannot|not found/i.test(line));
  const line = named ?? vague[vague.length - 1] ?? lines[lines.length - 1] ?? 'it said nothing';
  return line.replace(/[.:]$/, '').slice(0, 300);
}
