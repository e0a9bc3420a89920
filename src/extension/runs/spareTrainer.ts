import os from 'node:os';
import type { Disposable } from '../../protocol/disposable.js';
import type { RunRequest } from '../../protocol/trainerWire.js';
import type { TrainerClient } from '../../trainer/client.js';

/** What a trainer is made ready for: another backend, or another runtime, needs another one. */
export interface SpareKind extends Pick<RunRequest, 'backend' | 'nativePath'> {
  readonly nodePath?: string;
}

export interface SpareOptions {
  /** Makes a trainer that has not been started. */
  readonly create: () => TrainerClient;
  /** Milliseconds after which a trainer that nobody has asked for is ended. */
  readonly idle: number;
}

interface Spare {
  readonly client: TrainerClient;
  readonly kind: string;
  /** Whether it has started. */
  readonly ready: Promise<boolean>;
}

/** At most one idle trainer, so that the next run does not wait for a process to start. */
export class SpareTrainer implements Disposable {
  private spare: Spare | null = null;
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly options: SpareOptions) {}

  /** Process id of the trainer that waits; undefined where none does. */
  get pid(): number | undefined {
    return this.spare?.client.running ? this.spare.client.pid : undefined;
  }

  /** Starts a trainer and makes it ready, unless one waits; one that waits goes on waiting. */
  prepare(kind: SpareKind): void {
    if (!this.spare || this.spare.kind !== keyOf(kind) || !this.spare.client.running) {
      const client = this.options.create();
      const ready = client.start().then(
        () => {
          client.warmUp(kind);
          return true;
        },
        () => false,
      );
      this.hold({ client, kind: keyOf(kind), ready });
    }
    this.rest();
  }

  /** The trainer that waits, which is the caller's from now on; null where none of that kind does. */
  async take(kind: SpareKind): Promise<TrainerClient | null> {
    const { spare } = this;
    this.spare = null;
    this.rest();
    if (!spare) return null;
    if (spare.kind === keyOf(kind) && (await spare.ready) && spare.client.running) return spare.client;
    spare.client.dispose();
    return null;
  }

  /** Keeps a trainer whose run is over. */
  keep(client: TrainerClient, kind: SpareKind): void {
    this.hold({ client, kind: keyOf(kind), ready: Promise.resolve(true) });
    this.rest();
  }

  dispose(): void {
    this.hold(null);
    this.rest();
  }

  private hold(spare: Spare | null): void {
    this.spare?.client.dispose();
    this.spare = spare;
  }

  /** Counts the idle time from now on. */
  private rest(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    if (!this.spare) return;
    this.timer = setTimeout(() => this.dispose(), this.options.idle);
    this.timer.unref();
  }
}

const keyOf = ({ backend, nativePath, nodePath }: SpareKind): string =>
  JSON.stringify([backend, nativePath ?? null, nodePath ?? null]);

const gibibyte = 2 ** 30;

/**
 * Whether the machine has room for a process that only waits: 4 GiB in all and, where the system tells what can be had,
 * 1 GiB of it free. macOS counts as free only what nobody has used yet.
 */
export function memoryAllowsSpare(
  total = os.totalmem(),
  free = os.freemem(),
  system = os.platform(),
): boolean {
  return total >= 4 * gibibyte && (system === 'darwin' || free >= gibibyte);
}
