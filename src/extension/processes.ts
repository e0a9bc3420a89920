import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { TrainerClient, type TrainerOptions } from '../trainer/client.js';

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

  private require(): void {
    if (!this.trusted()) throw new UntrustedError();
  }
}
