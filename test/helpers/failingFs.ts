import type * as nodeFs from 'node:fs';

/** How an operation on files fails: before it is done, half done, or after; the process is gone, or it gets an error. */
export type Moment = 'before' | 'mid' | 'after';

export interface Failure {
  /** Operations that change something are counted from 1. */
  readonly at: number;
  readonly moment: Moment;
  /** `death`: nothing that comes later happens either. Else the code of the error, once or for ever. */
  readonly how: 'death' | { readonly code: string; readonly forEver: boolean };
}

/** A process that is no more. */
export class Death extends Error {}

const changing = [
  'openSync',
  'writeSync',
  'fsyncSync',
  'ftruncateSync',
  'renameSync',
  'mkdirSync',
  'rmSync',
  'writeFileSync',
  'closeSync',
  'utimesSync',
] as const;

type Call = (...args: unknown[]) => unknown;

/** Stands before Node's file system, counts what changes something, and fails where it is told to. */
export class FailingFs {
  count = 0;
  dead = false;
  failure: Failure | null = null;
  /** Of a short write: how many bytes the system takes at once. */
  mostAtOnce = Number.POSITIVE_INFINITY;

  begin(failure: Failure | null): void {
    this.count = 0;
    this.dead = false;
    this.failure = failure;
  }

  wrap(fs: typeof nodeFs): typeof nodeFs {
    const out: Record<string, unknown> = { ...fs };
    for (const name of changing) {
      const original = fs[name] as unknown as Call;
      out[name] = (...args: unknown[]) => this.call(name, original, args);
    }
    return { ...out, default: out } as unknown as typeof nodeFs;
  }

  private call(name: (typeof changing)[number], original: Call, args: unknown[]): unknown {
    if (this.dead) throw new Death('The process is gone.');
    const real = (): unknown => {
      // Nobody cuts the power here, and waiting for a disk is most of the time.
      if (name === 'fsyncSync') return undefined;
      if (name === 'writeSync') {
        const [handle, bytes, offset, length, position] = args as [
          number,
          Uint8Array,
          number,
          number,
          number,
        ];
        return original(handle, bytes, offset, Math.min(length, this.mostAtOnce), position);
      }
      return original(...args);
    };
    // Reading a file or syncing a folder opens it too.
    if (name === 'openSync' && (args[1] === undefined || args[1] === 'r')) return real();
    this.count++;
    const { failure } = this;
    const hit =
      failure !== null &&
      (this.count === failure.at ||
        (failure.how !== 'death' && failure.how.forEver && this.count > failure.at && name !== 'closeSync'));
    if (!hit || !failure) return real();
    if (failure.moment === 'after') real();
    if (failure.moment === 'mid' && name === 'writeSync') {
      const [handle, bytes, offset, length, position] = args as [number, Uint8Array, number, number, number];
      original(handle, bytes, offset, length >> 1, position);
    }
    if (failure.how === 'death') {
      this.dead = true;
      throw new Death('The process is gone.');
    }
    if (name === 'rmSync' || name === 'closeSync') return real();
    throw Object.assign(new Error(`${failure.how.code}: it fails here`), { code: failure.how.code });
  }
}
