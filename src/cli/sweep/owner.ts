import { readdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { InputError } from '../../core/errors.js';
import { FolderLock, ownerOf } from '../../runs/index.js';

const prefix = 'sweep-';

/**
 * Takes the folder of a sweep, or a shard of it: several shards may fill one folder, but each once, and none beside the
 * whole. Throws an InputError that says who has it.
 */
export function claimSweep(out: string, shard: string | undefined): FolderLock {
  const name = `${prefix}${shard?.replace('/', '-of-') ?? 'all'}`;
  const lock = FolderLock.acquire(out, name);
  const others = [
    ...new Set(readdirSync(out).flatMap((file) => /^(sweep-[a-z0-9-]+)\./.exec(file)?.[1] ?? [])),
  ];
  const clashing = shard === undefined ? others : [`${prefix}all`];
  const owner =
    lock instanceof FolderLock
      ? clashing.filter((other) => other !== name).flatMap((other) => ownerOf(out, other) ?? [])[0]
      : lock;
  if (owner) {
    if (lock instanceof FolderLock) lock.release();
    const where = owner.host === os.hostname() ? '' : ` on ${owner.host}`;
    throw new InputError(
      `Process ${owner.pid}${where} runs the sweep in ${path.resolve(out)} at the moment, and a sweep has one. Wait until it has ended, or give this one a folder of its own by --out.`,
      { file: out },
    );
  }
  return lock as FolderLock;
}
