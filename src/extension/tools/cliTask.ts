import { spawn } from 'node:child_process';
import * as vscode from 'vscode';
import type { Places } from '../places.js';
import { settings } from '../settings.js';

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
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
  cwd = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath,
): Thenable<CliResult> {
  return vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title, cancellable: true },
    (progress, token) =>
      new Promise<CliResult>((resolve, reject) => {
        const child = spawn(settings.nodePath ?? process.execPath, [places.dist('cli.js'), ...args], {
          cwd,
          env: {
            ...process.env,
            ELECTRON_RUN_AS_NODE: '1',
            KERNELSCOPE_PROGRESS: '1',
            ...(settings.nativePath ? { KERNELSCOPE_NATIVE: settings.nativePath } : {}),
          },
          stdio: ['ignore', 'pipe', 'pipe'],
        });
        let stdout = '';
        let stderr = '';
        let done = 0;
        child.stdout.setEncoding('utf8').on('data', (text: string) => {
          stdout += text;
        });
        child.stderr.setEncoding('utf8').on('data', (text: string) => {
          for (const line of text.split('\n').filter(Boolean)) {
            const match = /^\s*(\d+) % {2}(.*)$/.exec(line);
            if (match) {
              const now = Number(match[1]);
              progress.report({ message: match[2], increment: Math.max(0, now - done) });
              done = Math.max(done, now);
            } else {
              stderr += `${line}\n`;
              log.info(line);
            }
          }
        });
        child.on('error', reject);
        child.on('close', (code) => resolve({ code, stdout, stderr }));
        token.onCancellationRequested(() => {
          child.kill('SIGINT');
          setTimeout(() => child.kill('SIGKILL'), 5000).unref();
        });
      }),
  );
}
