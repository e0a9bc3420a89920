import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { InputError } from '../../core/errors.js';
import { type ResolvedExperiment, resolver } from '../../experiment/index.js';
import { useBackend } from '../../network/backends/index.js';
import {
  changedFields,
  files,
  readRunFile,
  readSweepFile,
  type SweepRequest,
  sourceHash,
} from '../../runs/index.js';
import { plainDefinition } from '../../trainer/fingerprint.js';
import type { Cell } from './grid.js';

/** A cell with what it is trained from. */
export interface KnownCell extends Cell {
  /** SHA-256 of the definition with all overrides, of the files that hold its data, and of code that it runs. */
  readonly hash: string;
  readonly definition: Readonly<Record<string, unknown>>;
}

/** Resolves the definition of every cell. Throws an InputError for the first that is none, before anything is trained. */
export async function knownCells(
  cells: readonly Cell[],
  request: SweepRequest,
  fixed: Readonly<Record<string, unknown>>,
): Promise<KnownCell[]> {
  const { file, export: exportName, data } = request;
  // A model file may make tensors while it is loaded; here nothing is computed, so any backend will do.
  await useBackend('cpu');
  const resolve = await quietly(() => resolver({ file, exportName, data }));
  const hashes = new Map<string, string>();
  const hashOf = (name: string): string => {
    const known = hashes.get(name) ?? sourceHash(name);
    hashes.set(name, known);
    return known;
  };
  return cells.map((cell) => {
    const experiment = resolve({ ...fixed, ...cell.values });
    const definition = plainDefinition(experiment.definition);
    const text = JSON.stringify(definition);
    const code = text.includes('"builder":') ? experiment.sources.map(hashOf) : [];
    const parts = [text, ...code, ...dataFiles(experiment).map(hashOf)];
    return { ...cell, definition, hash: createHash('sha256').update(JSON.stringify(parts)).digest('hex') };
  });
}

/** What a model file prints while it is loaded is not what this program prints. */
async function quietly<T>(work: () => Promise<T>): Promise<T> {
  const { log, info } = console;
  console.log = console.info = console.error;
  try {
    return await work();
  } finally {
    Object.assign(console, { log, info });
  }
}

function dataFiles({ definition, folder }: ResolvedExperiment): string[] {
  const { data } = definition;
  if (typeof data === 'function' || !('path' in data) || data.path === undefined) return [];
  const place = path.resolve(folder, data.path);
  // A folder of images, or of the files of MNIST; what is not there is said where it is read.
  if (existsSync(place) && statSync(place).isDirectory())
    return readdirSync(place, { recursive: true, encoding: 'utf8' })
      .map((name) => path.join(place, name))
      .filter((name) => statSync(name).isFile())
      .sort();
  const more = data.kind === 'npy' ? [data.targetPath, data.xTest, data.yTest] : [];
  return [place, ...more.flatMap((name) => (name === undefined ? [] : [path.resolve(folder, name)]))];
}

/** The folder of a sweep is that of one request, and its cells are what they were. Throws an InputError that names what differs. */
export function requireSameSweep(out: string, request: SweepRequest, cells: readonly KnownCell[]): void {
  const before = readSweepFile(out)?.request;
  const words = (value: unknown) => JSON.stringify(value ?? null);
  const fields = ['export', 'vary', 'set', 'seed', 'data'] as const;
  const differs = before && fields.find((field) => words(before[field]) !== words(request[field]));
  if (differs)
    throw new InputError(
      `${out} holds the sweep of another request: --${differs} was ${words(before[differs])} and is ${words(request[differs])}. Give the new sweep a folder of its own by --out, or repeat the request.`,
      { file: out, field: `--${differs}` },
    );
  for (const cell of cells) {
    const folder = path.join(out, cell.id);
    if (!existsSync(path.join(folder, files.run))) continue;
    const run = readRunFile(folder);
    const changed = changedFields(run.info.definition, cell.definition);
    if (changed.length === 0 && (run.cell ?? cell.hash) === cell.hash) continue;
    const what =
      changed.length > 0 ? changed.slice(0, 5).join(', ') : 'its data, or the code that builds its network';
    throw new InputError(
      `${folder} was trained from something else: ${what} changed since. Give the new sweep a folder of its own by --out, or restore ${request.file}.`,
      { file: folder },
    );
  }
}
