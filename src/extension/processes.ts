import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import type * as vscode from 'vscode';
import { TrainerClient, type TrainerOptions } from '../trainer/client.js';

/** A program that runs in a terminal of the window. */
export interface TaskOptions {
  readonly name: string;
  readonly folder: vscode.WorkspaceFolder | vscode.TaskScope.Workspace;
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** A process was asked for in a workspace that is not trusted. */
export class UntrustedError extends Error {
  override readonly name = 'UntrustedError';
  constructor(
    message = 'This workspace is not trusted, and training, inspecting and checking run programs in it. Trust the workspace first (command “Workspaces: Manage Workspace Trust”).',
  ) {
    super(message);
  }
}

/**
 * The only place of the extension that starts processes. It refuses while the workspace is not trusted, whoever asks:
 * commands called by name, panels that are restored, the trainer that waits.
 */
export class Processes {
  constructor(private readonly trusted: () => boolean) {}

  /** Whether a process may be started, for those who would rather not ask. */
  get allowed(): boolean {
    return this.trusted();
  }

  /** A trainer that has not been started; starting it rejects with an UntrustedError. */
  trainer(options: TrainerOptions): TrainerClient {
    return new TrainerClient({ ...options, permit: () => this.require() });
  }

  /** Throws an UntrustedError. */
  spawn(program: string, args: readonly string[], options: SpawnOptions): ChildProcess {
    this.require();
    return spawn(program, [...args], options);
  }

  /** Rejects with an UntrustedError. */
  async task(api: typeof vscode, options: TaskOptions): Promise<vscode.TaskExecution> {
    this.require();
    const { name, folder, program, args, cwd, env } = options;
    const execution = new api.ProcessExecution(program, [...args], { cwd, env: { ...env } });
    const task = new api.Task({ type: 'kernelscope.watch' }, folder, name, 'Kernelscope', execution);
    task.presentationOptions = { reveal: api.TaskRevealKind.Always, clear: true };
    return api.tasks.executeTask(task);
  }

  private require(): void {
    if (!this.trusted()) throw new UntrustedError();
  }
}
