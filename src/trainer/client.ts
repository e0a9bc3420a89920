import { type ChildProcess, fork } from 'node:child_process';
import os from 'node:os';
import { say } from '../core/say.js';
import type { Disposable } from '../protocol/disposable.js';
import { Emitter } from '../protocol/disposable.js';
import {
  type FromHost,
  type FromTrainer,
  type Inspection,
  type InspectRequest,
  type RunRequest,
  trainerWireVersion,
} from '../protocol/trainerWire.js';
import { hostReceiver, Sender } from '../protocol/validate.js';

export interface TrainerOptions {
  /** dist/trainer.js. */
  readonly trainerPath: string;
  /** Runtime of the child; this process's own when absent. */
  readonly execPath?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Throws where the child must not be started. */
  readonly permit?: () => void;
  /** Lets everything else go first: who trains in an editor goes on editing. */
  readonly background?: boolean;
}

export interface TrainerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** End of what the child wrote to stderr. */
  readonly stderr: string;
}

/** Milliseconds a child has to follow a request to stop, then SIGTERM, before SIGKILL; and to leave when it is let go. */
const gracePeriods = { message: 2000, term: 3000, farewell: 4000 };
const keptStderr = 4000;

/** A trainer that could not be started, died, or refused; the message is a sentence. */
export class TrainerError extends Error {
  override readonly name = 'TrainerError';
  constructor(
    message: string,
    readonly place: {
      readonly field?: string;
      readonly file?: string;
      readonly line?: number;
      readonly column?: number;
    } = {},
  ) {
    super(message);
  }
}

/**
 * The parent's end of a trainer child process. Knows no TensorFlow, so the extension host and the command line share
 * it. Frames are acknowledged here, as soon as every listener has had them.
 */
export class TrainerClient implements Disposable {
  private child: ChildProcess | null = null;
  private readonly messages = new Emitter<FromTrainer>();
  private readonly exits = new Emitter<TrainerExit>();
  private readonly inspections = new Map<
    number,
    { resolve: (r: Inspection) => void; reject: (e: Error) => void }
  >();
  private sender = new Sender<FromHost>();
  private stderr = '';
  private nextInspection = 1;
  private stopping = false;
  private exit: TrainerExit | null = null;

  constructor(private readonly options: TrainerOptions) {}

  get pid(): number | undefined {
    return this.child?.pid;
  }

  get running(): boolean {
    return this.child !== null && this.exit === null;
  }

  onMessage(listener: (message: FromTrainer) => void): Disposable {
    return this.messages.on(listener);
  }

  onExit(listener: (exit: TrainerExit) => void): Disposable {
    return this.exits.on(listener);
  }

  /** Starts the child and waits for its greeting. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.options.permit?.();
      const child = fork(this.options.trainerPath, [], {
        execPath: this.options.execPath ?? process.execPath,
        // VS Code's own runtime runs as plain Node with this variable.
        env: { ...process.env, ELECTRON_RUN_AS_NODE: '1', ...this.options.env },
        cwd: this.options.cwd,
        serialization: 'advanced',
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
        execArgv: [],
      });
      this.child = child;
      if (this.options.background) yieldToOthers(child);
      this.sender = new Sender();
      const receiver = hostReceiver();
      let greeted = false;
      child.stderr?.on('data', (chunk: Buffer) => {
        this.stderr = (this.stderr + chunk.toString()).slice(-keptStderr);
      });
      child.on('message', (value) => {
        try {
          const message = receiver.open(value);
          if (message.type === 'hello') {
            if (message.version !== trainerWireVersion)
              throw new Error(`The trainer speaks version ${message.version} of the wire.`);
            greeted = true;
            this.send({ type: 'hello', version: trainerWireVersion });
            resolve();
          }
          this.receive(message);
        } catch (error) {
          reject(error);
          this.messages.fire({
            type: 'error',
            message: error instanceof Error ? error.message : String(error),
          });
        }
      });
      child.on('error', (error) => {
        reject(
          new TrainerError(
            `The trainer could not be started (${error.message}). Check the setting for the Node runtime.`,
          ),
        );
      });
      child.on('exit', (code, signal) => {
        this.exit = { code, signal, stderr: this.stderr };
        if (!greeted)
          reject(new TrainerError(`The trainer ended before it was ready (${describeExit(this.exit)}).`));
        const gone = new TrainerError(`The trainer ended (${describeExit(this.exit)}).`);
        for (const { reject: refuse } of this.inspections.values()) refuse(gone);
        this.inspections.clear();
        this.exits.fire(this.exit);
      });
    });
  }

  run(request: RunRequest): void {
    this.send({ type: 'run', request });
  }

  /** Lets the trainer load and compile what a run on that backend needs. */
  warmUp({ backend, nativePath }: Pick<RunRequest, 'backend' | 'nativePath'>): void {
    this.send({ type: 'warm', request: { backend, nativePath } });
  }

  /** Lets an inspection that is no longer wanted end early; its promise rejects when the trainer has let go of it. */
  cancelInspections(): void {
    for (const id of this.inspections.keys()) this.send({ type: 'cancelInspect', id });
  }

  /** Diagnostics of a model before training; a newer call makes older ones reject. */
  inspect(request: InspectRequest): Promise<Inspection> {
    for (const [id, { reject }] of this.inspections) {
      this.send({ type: 'cancelInspect', id });
      reject(new TrainerError('A newer inspection was asked for.'));
      this.inspections.delete(id);
    }
    const id = this.nextInspection++;
    return new Promise((resolve, reject) => {
      this.inspections.set(id, { resolve, reject });
      this.send({ type: 'inspect', id, request });
    });
  }

  pause(): void {
    this.send({ type: 'pause' });
  }

  resume(): void {
    this.send({ type: 'resume' });
  }

  step(count = 1): void {
    this.send({ type: 'step', count });
  }

  /** Asks the run to stop; a child that does not listen is ended: 2 s, SIGTERM, 3 s, SIGKILL. */
  async stop(): Promise<void> {
    if (!this.running || this.stopping) return;
    this.stopping = true;
    this.send({ type: 'stop' });
    if (await this.settled(gracePeriods.message)) return;
    this.child?.kill('SIGTERM');
    if (await this.settled(gracePeriods.term)) return;
    this.child?.kill('SIGKILL');
    await this.settled(gracePeriods.term);
  }

  /** Ends the child; a run that goes on ends as interrupted, with a checkpoint, if it does so within a few seconds. */
  dispose(): void {
    this.messages.clear();
    if (!this.running) return;
    this.send({ type: 'shutdown' });
    const child = this.child;
    const timer = setTimeout(() => child?.kill('SIGKILL'), gracePeriods.farewell);
    timer.unref();
    child?.once('exit', () => clearTimeout(timer));
  }

  /** Ends the child at once: for one that is caught in a loop of the user's code. */
  kill(): void {
    if (this.running) this.child?.kill('SIGKILL');
  }

  /** Resolves true once the run has ended or the child is gone, false after the time given. */
  private settled(milliseconds: number): Promise<boolean> {
    if (!this.running) return Promise.resolve(true);
    return new Promise((resolve) => {
      const done = (value: boolean) => {
        clearTimeout(timer);
        for (const d of [onMessage, onExit]) d.dispose();
        this.stopping = false;
        resolve(value);
      };
      const timer = setTimeout(() => done(false), milliseconds);
      const onMessage = this.onMessage((m) => (m.type === 'finished' || m.type === 'error') && done(true));
      const onExit = this.onExit(() => done(true));
    });
  }

  private receive(message: FromTrainer): void {
    if (message.type === 'inspected') {
      this.inspections.get(message.id)?.resolve(message.result);
      this.inspections.delete(message.id);
    }
    if (message.type === 'error' && message.id !== undefined) {
      this.inspections.get(message.id)?.reject(new TrainerError(message.message, message));
      this.inspections.delete(message.id);
      return;
    }
    this.messages.fire(message);
    if (message.type === 'frame') this.send({ type: 'ack', frame: message.frame });
  }

  private send(message: FromHost): void {
    if (this.child?.connected) this.child.send(this.sender.seal(message), () => undefined);
  }
}

/** Why a child ended, with the last lines it wrote. */
export function describeExit({ code, signal, stderr }: TrainerExit): string {
  const how = signal ? say`killed by ${signal}` : say`exit code ${String(code)}`;
  const last = stderr.trim().split('\n').slice(-6).join('\n');
  return last ? `${how}; ${say`it said:`}\n${last}` : how;
}

/** Lowers a process's priority before it has threads, which inherit it. */
function yieldToOthers({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) os.setPriority(pid, os.constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // Not allowed, or the process is gone: it trains at the priority it has.
  }
}
