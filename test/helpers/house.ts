import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { root } from './folders.js';

/** Files that each file imports or re-exports, types included. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

function* filesBelow(folder: string): Generator<string> {
  for (const name of readdirSync(path.join(root, folder))) {
    const place = `${folder}/${name}`;
    if (statSync(path.join(root, place)).isDirectory()) yield* filesBelow(place);
    else yield place;
  }
}

/** TypeScript files below a folder, but for AssemblyScript, which is another language. */
export const sources = (folder: string): string[] =>
  [...filesBelow(folder)].filter((place) => /\.ts$/.test(place) && !place.includes('/assembly'));

/** What a file imports or re-exports, statically or not, for values or types. */
export function importsOf(file: string): string[] {
  const text = readFileSync(path.join(root, file), 'utf8');
  return [
    ...text.matchAll(/(?:^|\n)\s*(?:import|export)\b[^;'"]*?from\s+'([^']+)'/g),
    ...text.matchAll(/\bimport\(\s*'([^']+)'\s*\)/g),
    ...text.matchAll(/(?:^|\n)import '([^']+)'/g),
  ].map((match) => match[1]);
}

/** The imports of files among each other. */
export function importGraph(files: readonly string[]): ImportGraph {
  const known = new Set(files);
  const resolve = (file: string, target: string): string[] => {
    const place = path.posix.join(path.posix.dirname(file), target).replace(/\.js$/, '');
    return [`${place}.ts`, `${place}/index.ts`].filter((candidate) => known.has(candidate));
  };
  return new Map(
    files.map((file) => [
      file,
      importsOf(file)
        .filter((target) => target.startsWith('.'))
        .flatMap((target) => resolve(file, target)),
    ]),
  );
}

/** Groups of files that reach each other by their imports (strongly connected components; Tarjan 1972), each sorted. */
export function cyclesOf(graph: ImportGraph): string[][] {
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const cycles: string[][] = [];
  const lower = (file: string, value: number) => low.set(file, Math.min(low.get(file) ?? value, value));
  const visit = (file: string): void => {
    order.set(file, order.size);
    lower(file, order.size - 1);
    stack.push(file);
    for (const next of graph.get(file) ?? []) {
      if (!order.has(next)) {
        visit(next);
        lower(file, low.get(next) as number);
      } else if (stack.includes(next)) lower(file, order.get(next) as number);
    }
    if (low.get(file) !== order.get(file)) return;
    const group = stack.splice(stack.indexOf(file));
    if (group.length > 1 || graph.get(file)?.includes(file)) cycles.push(group.sort());
  };
  for (const file of graph.keys()) if (!order.has(file)) visit(file);
  return cycles;
}

/** Imports that lead from below a folder to below one of others, as `file -> file`. */
export const arrows = (graph: ImportGraph, from: string, to: readonly string[]): string[] =>
  [...graph].flatMap(([file, targets]) =>
    file.startsWith(`${from}/`)
      ? targets
          .filter((target) => to.some((folder) => target.startsWith(`${folder}/`)))
          .map((target) => `${file} -> ${target}`)
      : [],
  );

/** Folders that hold more than `most` files side by side, with their number. */
export function fullFolders(files: readonly string[], most: number): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const file of files) {
    const folder = path.posix.dirname(file);
    counts[folder] = (counts[folder] ?? 0) + 1;
  }
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > most));
}

/** Every file below a folder, of whatever kind. */
export const everyFile = (folder: string): string[] => [...filesBelow(folder)];
