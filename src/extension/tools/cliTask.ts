import * as vscode from 'vscode';
import { processes } from '../gate.js';
import type { Places } from '../places.js';
import { settings } from '../settings.js';
import { spoken } from '../spoken/spoken.js';

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliListeners {
  /** Results that the tool tells before it ends, by name. */
  readonly event?: (name: string, value: unknown) => void;
}

/**
 * Runs our own command line in a child process with a cancellable progress notification: long tools (verify, reproduce,
 * sweep, setting up the native backend) are the same program in the editor and in the terminal.
 */
export function runCli(
  places: Places,
  args: readonly string[],
  title: string,
  log: vscode.LogOutputChannel,
  { event }: CliListeners = {},
): Thenable<CliResult> {
  const cwd = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  return vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title, cancellable: true },
    (progress, token) =>
      new Promise<CliResult>((resolve, reject) => {
        const child = processes.spawn(
          settings.nodePath ?? process.execPath,
          [places.dist('cli.js'), ...args],
          {
            cwd,
            env: {
              ...process.env,
              ELECTRON_RUN_AS_NODE: '1',
              KERNELSCOPE_PROGRESS: '1',
              ...(settings.nativePath ? { KERNELSCOPE_NATIVE: settings.nativePath } : {}),
            },
            stdio: ['ignore', 'pipe', 'pipe'],
          },
        );
        let stdout = '';
        let stderr = '';
        let done = 0;
        let rest = '';
        const line = (text: string) => {
          const progressed = /^\s*(\d+) % {2}(.*)$/.exec(text);
          const told = /^@(\w+) (.*)$/.exec(text);
          if (progressed) {
            const now = Number(progressed[1]);
            progress.report({ message: spoken(progressed[2]), increment: Math.max(0, now - done) });
            done = Math.max(done, now);
          } else if (told) event?.(told[1], JSON.parse(told[2]));
          else {
            stderr += `${text}\n`;
            log.info(text);
          }
        };
        child.stdout?.setEncoding('utf8').on('data', (text: string) => {
          stdout += text;
        });
        child.stderr?.setEncoding('utf8').on('data', (text: string) => {
          // A line may come in two pieces.
          const lines = (rest + text).split('\n');
          rest = lines.pop() ?? '';
          for (const whole of lines) if (whole) line(whole);
        });
        child.on('error', reject);
        child.on('close', (code) => {
          clearTimeout(timer);
          if (rest) line(rest);
          resolve({ code, stdout, stderr });
        });
        let timer: NodeJS.Timeout | undefined;
        token.onCancellationRequested(() => {
          progress.report({ message: vscode.l10n.t('stopping; what is done is kept') });
          child.kill('SIGINT');
          // A trainer that does not listen gets 2 s, then 3 s; the tool needs a little longer than its trainers.
          timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
        });
      }),
  );
}
