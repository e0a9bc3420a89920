import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { mistakeIn, sweepFileSchema } from './schema.js';

/** What a sweep was asked for: enough to go on with it later. */
export interface SweepRequest {
  readonly file: string;
  readonly export?: string;
  /** Each as `path=values`. */
  readonly vary: readonly string[];
  readonly set: readonly string[];
  readonly seed?: string;
  readonly data?: string;
}

/** sweep.json, as far as others than the sweep itself read it. */
export interface SweepFile {
  readonly request: SweepRequest;
  /** Cells of the whole grid; `cells` holds those that are over. */
  readonly total: number;
  readonly cells: readonly { readonly id: string; readonly status: string }[];
}

export const sweepFiles = { data: 'sweep.json', page: 'index.html' } as const;

/** sweep.json of a folder, or null where there is none that can be read. */
export function readSweepFile(folder: string): SweepFile | null {
  const file = path.join(folder, sweepFiles.data);
  if (!existsSync(file)) return null;
  try {
    const sweep: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return mistakeIn(sweepFileSchema, sweep) === null ? (sweep as SweepFile) : null;
  } catch {
    return null;
  }
}

/** Cells that are over and need not be run again. */
export const doneCells = (sweep: SweepFile): number =>
  sweep.cells.filter((cell) => cell.status === 'finished' || cell.status === 'diverged').length;
