import path from 'node:path';
import type { RunEnded, RunStarted } from '../protocol/records.js';

/** Last part of a path of either kind of system. */
const last = (place: string): string => path.win32.basename(path.posix.basename(place));

/** Paths inside a sentence, by their last part: the rest is about somebody's machine. */
const withoutPlaces = (text: string): string =>
  text.replace(/(?:[A-Za-z]:)?[\\/](?:[^\s\\/:"']+[\\/])+([^\s\\/:"']+)/g, '$1');

/** A run as others may see it: where it lies on this machine is left out. */
export function forOthers<T extends { readonly info: RunStarted; readonly ended?: RunEnded }>(run: T): T {
  const { info, ended } = run;
  return {
    ...run,
    info: {
      ...info,
      folder: last(info.folder),
      source: { ...info.source, file: last(info.source.file) },
    },
    ...(ended?.message === undefined ? {} : { ended: { ...ended, message: withoutPlaces(ended.message) } }),
  };
}
