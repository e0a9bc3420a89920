import { existsSync, readFileSync, statSync } from 'node:fs';
import Module from 'node:module';
import path from 'node:path';
import { aliased } from './aliases.js';
import { compile } from './compile.js';
import { providedModule } from './provided.js';

interface Loader {
  _load(request: string, parent: unknown, isMain: boolean): unknown;
  _resolveFilename(request: string, parent: unknown, ...rest: unknown[]): string;
  _extensions: Record<string, (module: OpenModule, file: string) => void>;
  _cache: Record<string, unknown>;
  _nodeModulePaths(folder: string): string[];
}
interface OpenModule {
  exports: Record<string, unknown>;
  filename: string;
  paths: string[];
  _compile(code: string, file: string): unknown;
}

const loader = Module as unknown as Loader & (new (id: string) => OpenModule);
export const scripts = ['.ts', '.tsx', '.mts', '.cts', '.js', '.mjs', '.cjs', '.jsx'];
export const inPackages = (file: string): boolean => file.includes(`${path.sep}node_modules${path.sep}`);

/** Files of the last model file that was loaded: itself and what it imports, without packages. */
export const loadedFiles: { current: readonly string[] } = { current: [] };

/** Modules that wait at their top level, until they have their exports. */
type Pending = Promise<unknown>[];

/**
 * The exports of a script: workspace scripts are transpiled, our packages are found under their public names, aliases of
 * tsconfig.json are followed. Resolves once every module that waits has its exports, and fails where `refused` does. One
 * file at a time.
 */
export function evaluate(file: string, text: string | undefined, refused: Promise<never>): Promise<unknown> {
  const turn = queue.then(() => evaluateAlone(file, text, refused));
  queue = turn.catch(() => undefined);
  return turn;
}

let queue: Promise<unknown> = Promise.resolve();

async function evaluateAlone(
  file: string,
  text: string | undefined,
  refused: Promise<never>,
): Promise<unknown> {
  const pending: Pending = [];
  const restore = install(file, text, pending);
  const module = new loader(file);
  module.filename = file;
  module.paths = loader._nodeModulePaths(path.dirname(file));
  // The ten frames that are kept by default can all be Node's own loader (Node 24), and the file's would be lost.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = Math.max(stackTraceLimit, 40);
  try {
    run(module, file, text ?? readFileSync(file, 'utf8'), pending);
    while (pending.length > 0) await Promise.race([refused, Promise.all(pending.splice(0))]);
    return module.exports;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    restore();
  }
}

function run(module: OpenModule, file: string, source: string, pending: Pending): void {
  const { code, waits } = compile(file, source);
  if (!waits) {
    module._compile(code, file);
    return;
  }
  // On the first line, so that lines stay what they are.
  module._compile(`exports.__waiting = (async () => { ${code}\n})();`, file);
  const waiting = module.exports['__waiting'] as Promise<unknown>;
  delete module.exports['__waiting'];
  waiting.catch(() => undefined);
  pending.push(waiting);
}

/** Puts our loading in the place of Node's; returns what takes it back. */
function install(file: string, text: string | undefined, pending: Pending): () => void {
  const { _load, _resolveFilename } = loader;
  const extensions = new Map(scripts.map((ext) => [ext, loader._extensions[ext]]));
  const touched = new Set<string>();
  loader._load = function (this: unknown, request, parent, isMain) {
    return providedModule(request) ?? _load.call(this, request, parent, isMain);
  };
  loader._resolveFilename = function (this: unknown, request, parent, ...rest) {
    const from = (parent as OpenModule | undefined)?.filename;
    if (from && !inPackages(from))
      for (const name of aliased(request, path.dirname(from))) {
        const found = fileOf(name);
        if (found) return found;
      }
    try {
      return _resolveFilename.call(this, request, parent, ...rest);
    } catch (error) {
      // TypeScript sources are imported by the name of their output.
      const typed = request.replace(/\.([cm]?)js$/, '.$1ts');
      if (typed === request) throw error;
      return _resolveFilename.call(this, typed, parent, ...rest);
    }
  };
  for (const [ext, original] of extensions) {
    loader._extensions[ext] = (module, name) => {
      touched.add(name);
      if (inPackages(name)) (original ?? loader._extensions['.js'])(module, name);
      else
        run(module, name, name === file && text !== undefined ? text : readFileSync(name, 'utf8'), pending);
    };
  }
  return () => {
    loader._load = _load;
    loader._resolveFilename = _resolveFilename;
    for (const [ext, original] of extensions) {
      if (original) loader._extensions[ext] = original;
      else delete loader._extensions[ext];
    }
    loadedFiles.current = [...new Set([file, ...[...touched].filter((name) => !inPackages(name))])];
    // The next load reads changed files again; packages stay.
    for (const name of touched) if (!inPackages(name)) delete loader._cache[name];
  };
}

/** The file that a path without ending means: itself, with an ending, or the index of a folder. */
function fileOf(name: string): string | null {
  const isFile = (file: string) => existsSync(file) && statSync(file).isFile();
  const typed = name.replace(/\.([cm]?)js$/, '.$1ts');
  const candidates = [name, typed, ...[...scripts, '.json'].map((ext) => `${name}${ext}`)];
  const index = scripts.map((ext) => path.join(name, `index${ext}`));
  return [...candidates, ...index].find(isFile) ?? null;
}
