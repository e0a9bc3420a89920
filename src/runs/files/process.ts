import { readFileSync } from 'node:fs';

/** Who a process is: a number alone is given to another one later, also after the machine has started anew. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in the system's own ticks; absent where the system does not tell. */
  readonly started?: string;
  /** Start of the machine; absent where the system does not tell. */
  readonly boot?: string;
}

let boot: string | undefined | null = null;

function bootId(): string | undefined {
  if (boot === null)
    try {
      boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    } catch {
      boot = undefined;
    }
  return boot ?? undefined;
}

/** Start time of a process (field 22 of /proc/<pid>/stat; the name before it may hold anything), and whether it has ended. */
function statOf(pid: number): { readonly started: string; readonly dead: boolean } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { started: fields[19], dead: fields[0] === 'Z' || fields[0] === 'X' };
  } catch {
    return undefined;
  }
}

let self: ProcessIdentity | null = null;

/** This process. */
export function ownIdentity(): ProcessIdentity {
  self ??= { pid: process.pid, started: statOf(process.pid)?.started, boot: bootId() };
  return self;
}

/**
 * Whether the very process is still there. On systems without /proc the number is all there is to go by, and a living
 * process of that number counts.
 */
export function isAlive({ pid, started, boot: since }: ProcessIdentity): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  if (since !== undefined && bootId()?.startsWith(since) === false) return false;
  const now = statOf(pid);
  if (now && (now.dead || (started !== undefined && now.started !== started))) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** As one word for a file name: `pid-started-boot`, the boot by its first eight digits. */
export const nameOf = ({ pid, started = '', boot: since = '' }: ProcessIdentity): string =>
  `${pid}-${started}-${since.slice(0, 8)}`;

/** Reads what `nameOf` wrote; of the boot only a beginning is known. */
export function identityOf(name: string): ProcessIdentity | null {
  const match = /^(\d{1,10})(?:-(\d{0,20})-([0-9a-f]{0,8}))?$/.exec(name);
  if (!match) return null;
  const [, pid, started, since] = match;
  return { pid: Number(pid), started: started || undefined, boot: since || undefined };
}
