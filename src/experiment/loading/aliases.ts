import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

/** Where names of imports lead by `compilerOptions` of a tsconfig.json or jsconfig.json. */
interface Aliases {
  readonly baseUrl: string | null;
  /** Patterns with at most one *, the longest first, and the paths that they lead to. */
  readonly paths: readonly (readonly [string, readonly string[]])[];
}

interface Config {
  readonly extends?: string | readonly string[];
  readonly compilerOptions?: {
    readonly baseUrl?: string;
    readonly paths?: Readonly<Record<string, readonly string[]>>;
  };
}

const names = ['tsconfig.json', 'jsconfig.json'];

/**
 * Files that an import from a folder may mean by the aliases of the nearest tsconfig.json (or jsconfig.json) above it,
 * likeliest first and without endings; empty for relative names and where nothing matches.
 */
export function aliased(request: string, folder: string): string[] {
  if (/^\.{1,2}(?:\/|$)|^node:/.test(request) || path.isAbsolute(request)) return [];
  const file = nearest(folder);
  if (!file) return [];
  const { baseUrl, paths } = aliasesOf(file, new Set());
  const found: string[] = [];
  for (const [pattern, targets] of paths) {
    const [before, after] = pattern.split('*');
    const matches =
      after === undefined
        ? request === pattern
        : request.length >= before.length + after.length &&
          request.startsWith(before) &&
          request.endsWith(after);
    if (!matches) continue;
    const star = request.slice(before.length, request.length - (after?.length ?? 0));
    found.push(...targets.map((target) => target.replace('*', star)));
    break;
  }
  if (baseUrl) found.push(path.join(baseUrl, request));
  return found;
}

function nearest(folder: string): string | null {
  for (const name of names) {
    const file = path.join(folder, name);
    if (existsSync(file)) return file;
  }
  const above = path.dirname(folder);
  return above === folder ? null : nearest(above);
}

function aliasesOf(file: string, seen: Set<string>): Aliases {
  if (seen.has(file)) return { baseUrl: null, paths: [] };
  seen.add(file);
  const config = read(file);
  const folder = path.dirname(file);
  const inherited = [config?.extends ?? []]
    .flat()
    .map((name) => extended(name, folder))
    .filter((name) => name !== null)
    .map((name) => aliasesOf(name, seen))
    .reduce<Aliases>(
      (all, one) => ({
        baseUrl: one.baseUrl ?? all.baseUrl,
        paths: one.paths.length > 0 ? one.paths : all.paths,
      }),
      {
        baseUrl: null,
        paths: [],
      },
    );
  const { baseUrl, paths } = config?.compilerOptions ?? {};
  const base = baseUrl === undefined ? inherited.baseUrl : path.resolve(folder, baseUrl);
  // Without a baseUrl, paths start from the file that states them.
  const from = base ?? folder;
  return {
    baseUrl: base,
    paths: paths
      ? Object.entries(paths)
          .map(
            ([pattern, targets]) => [pattern, targets.map((target) => path.resolve(from, target))] as const,
          )
          .sort((a, b) => b[0].split('*')[0].length - a[0].split('*')[0].length)
      : inherited.paths,
  };
}

function extended(name: string, folder: string): string | null {
  try {
    if (name.startsWith('.') || path.isAbsolute(name)) {
      const file = path.resolve(folder, name);
      return existsSync(file) ? file : `${file}.json`;
    }
    const require = createRequire(path.join(folder, 'x.js'));
    return require.resolve(
      name.endsWith('.json') || name.split('/').length > 2 ? name : `${name}/tsconfig.json`,
    );
  } catch {
    return null;
  }
}

/** JSON with comments and trailing commas; null when it cannot be read. */
function read(file: string): Config | null {
  try {
    const text = readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
    const bare = text.replace(
      /("(?:[^"\\]|\\.)*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
      (_, quoted?: string) => quoted ?? ' ',
    );
    return JSON.parse(
      bare.replace(/("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])/g, (_, quoted?: string) => quoted ?? ''),
    ) as Config;
  } catch {
    return null;
  }
}
