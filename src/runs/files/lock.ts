import { readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { writing } from './failure.js';
import { identityOf, isAlive, nameOf, ownIdentity, type ProcessIdentity } from './process.js';

/** Who holds a lock. */
export interface Owner extends ProcessIdentity {
  readonly host: string;
  /** File that says so. */
  readonly file: string;
}

interface Claim extends Owner {
  readonly held: boolean;
}

/** The lock that the writer of a run, or of a sweep, holds. */
export const runLock = 'owner';

/** Milliseconds between two looks at others that want the same lock at the same moment. */
const pause = 5;
/** Milliseconds after which a claim from another machine, whose processes cannot be seen, counts no longer; and between touches. */
const remote = { trusted: 15 * 60_000, touch: 60_000 } as const;
const hesitation = 10_000;
const endings = { wanted: '.wanted', held: '.lock' } as const;
const host = os.hostname().replace(/[^A-Za-z0-9-]/g, '-');

const sleep = (milliseconds: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
};

function touchedAt(file: string): number {
  try {
    return statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}

/** Claims on a lock, those of dead processes left out; `clean` removes theirs. */
function claimsOn(folder: string, name: string, clean: boolean): Claim[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names.flatMap((entry) => {
    const held = entry.endsWith(endings.held);
    if (!entry.startsWith(`${name}.`) || !(held || entry.endsWith(endings.wanted))) return [];
    const file = path.join(folder, entry);
    const [word, place] = entry.slice(name.length + 1, entry.lastIndexOf('.')).split('@');
    const identity = identityOf(word);
    if (!identity || !place) return [];
    const alive = place === host ? isAlive(identity) : Date.now() - touchedAt(file) < remote.trusted;
    if (!alive && clean) rmSync(file, { force: true });
    return alive ? [{ ...identity, host: place, file, held }] : [];
  });
}

/** Who holds a lock of a folder now; null when nobody does. */
export const ownerOf = (folder: string, name = runLock): Owner | null =>
  claimsOn(folder, name, false).find((claim) => claim.held) ?? null;

/**
 * A lock on a folder that at most one living process holds. Every process claims it by a file of its own name (process id,
 * start time, start of the machine), then looks at the others: whoever holds it already wins, then the smaller name. No
 * file is ever taken over, so that two who find a dead owner do not both become the next one; a claim of a dead process
 * counts for nothing.
 */
export class FolderLock {
  private static readonly mine = new Set<string>();
  private touched = Date.now();
  private released = false;

  private constructor(
    readonly file: string,
    private readonly key: string,
  ) {}

  /** Takes the lock, or says who has it. Tries for `timeout` milliseconds while somebody does. Throws a WriteError. */
  static acquire(folder: string, name = runLock, timeout = 0): FolderLock | Owner {
    const key = path.join(path.resolve(folder), name);
    const until = performance.now() + timeout;
    const own = ownIdentity();
    const word = `${nameOf(own)}@${host}`;
    const wanted = path.join(folder, `${name}.${word}${endings.wanted}`);
    const held = path.join(folder, `${name}.${word}${endings.held}`);
    if (FolderLock.mine.has(key)) return { ...own, host, file: held };
    return writing(held, () => {
      for (;;) {
        writeFileSync(wanted, '');
        const others = claimsOn(folder, name, true).filter((c) => c.file !== wanted && c.file !== held);
        if (others.length === 0) {
          // Not renamed: who lists the folder meanwhile might see neither name.
          writeFileSync(held, '');
          rmSync(wanted, { force: true });
          FolderLock.mine.add(key);
          return new FolderLock(held, key);
        }
        const owner = others.find((claim) => claim.held);
        if (owner || others.some((c) => `${nameOf(c)}@${c.host}` < word)) rmSync(wanted, { force: true });
        if (owner && performance.now() >= until) return owner;
        // One that was stopped in the middle of its claim is waited for no longer than this.
        if (performance.now() >= until + hesitation) return others[0];
        sleep(pause);
      }
    });
  }

  /** Says to other machines that this process is still there. */
  touch(): void {
    const now = Date.now();
    if (Math.abs(now - this.touched) < remote.touch) return;
    this.touched = now;
    try {
      utimesSync(this.file, new Date(now), new Date(now));
    } catch {
      // The folder is gone, or not ours any more: what is written next says so.
    }
  }

  release(): void {
    if (this.released) return;
    this.released = true;
    FolderLock.mine.delete(this.key);
    rmSync(this.file, { force: true });
  }
}

/** Does something that only one process may do at a time; waits for others for up to five seconds, then goes on. */
export function alone<T>(folder: string, name: string, work: () => T): T {
  const lock = FolderLock.acquire(folder, name, 5000);
  try {
    return work();
  } finally {
    if (lock instanceof FolderLock) lock.release();
  }
}
