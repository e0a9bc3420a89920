import path from 'node:path';

/** How a watched process is told what is wanted of it: through the environment, which its children inherit. */
export const settingsVariable = 'KERNELSCOPE_WATCH';

export interface WatchSettings {
  /** Folder below which run folders are made. */
  readonly runs: string;
  /** Inputs to measure the kernel on, npy; else from the first batches. */
  readonly probe?: string;
  /** Only models of this name. */
  readonly model?: string;
  readonly verbose?: boolean;
  /** A file to which every process adds the run folders it makes, one a line. */
  readonly announce?: string;
}

export function readSettings(text: string | undefined): WatchSettings | null {
  if (!text) return null;
  try {
    const value = JSON.parse(text) as WatchSettings;
    return typeof value.runs === 'string' ? value : null;
  } catch {
    return null;
  }
}

/** What NODE_OPTIONS gets: the preload of a folder of bundles. Node reads quotes and backslashes there. */
export const preloadOption = (dist: string): string =>
  `--require "${path.join(dist, 'watch', 'preload.js').replace(/["\\]/g, '\\$&')}"`;
