import { existsSync, readFileSync } from 'node:fs';
import Module from 'node:module';
import path from 'node:path';
import { transform } from 'sucrase';
import { InputError } from '../core/errors.js';
import { say } from '../core/say.js';
import * as tf from '../network/tf.js';
import * as builders from './builders.js';

/** One thing of a model file that can be trained. */
export interface LoadedExport {
  readonly name: string;
  readonly kind: 'experiment' | 'builder';
  readonly value: unknown;
}

export interface LoadOptions {
  /** Text of the file when it differs from the disk (unsaved changes). */
  readonly text?: string;
}

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
  _compile(code: string, file: string): void;
}

/** Files of the last model file that was loaded: itself and what it imports, without packages. */
export const loadedFiles: { current: readonly string[] } = { current: [] };

const loader = Module as unknown as Loader & (new (id: string) => OpenModule);
const scripts = ['.ts', '.tsx', '.mts', '.cts', '.js', '.mjs', '.cjs', '.jsx'];

/**
 * Loads a TypeScript or JavaScript model file of the workspace: ESM or CommonJS, with imports of other workspace files
 * and of its packages. 'kernelscope' and '@tensorflow/tfjs' are our own copies. Errors name the place in the user's file.
 */
export function loadModelFile(file: string, options: LoadOptions = {}): readonly LoadedExport[] {
  const absolute = path.resolve(file);
  if (options.text === undefined && !existsSync(absolute))
    throw new InputError(`${absolute} does not exist. Give the path of a model file.`, { file: absolute });
  if (!scripts.includes(path.extname(absolute)))
    throw new InputError(
      `${absolute} is no model file: it must end with ${scripts.join(', ')}, or be a layers model.json.`,
      { file: absolute },
    );
  const exports = withOurModules(absolute, options.text, () => evaluate(absolute, options.text));
  // module.exports = defineExperiment({...})
  try {
    if (isExperiment(exports)) return [{ name: 'default', kind: 'experiment', value: exports }];
    return Object.entries(exports).flatMap(([name, value]) => classify(name, value));
  } catch (error) {
    // What is exported may be code of the user as well: getters, proxies.
    throw placed(absolute, error, true);
  }
}

const isExperiment = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (builders.experimentMark in value || ('model' in value && 'data' in value));

function classify(name: string, value: unknown): LoadedExport[] {
  if (name === '__esModule') return [];
  if (isExperiment(value)) return [{ name, kind: 'experiment', value }];
  if (typeof value !== 'function') return [];
  const text = Function.prototype.toString.call(value);
  const makes = /^(createModel|buildModel)$/.test(name) || /\b(sequential|model|LayersModel)\s*\(/.test(text);
  return makes ? [{ name, kind: 'builder', value }] : [];
}

/** The export that was asked for; without a name the default one, or the only one. */
export function chooseExport(file: string, exports: readonly LoadedExport[], name?: string): LoadedExport {
  if (exports.length === 0)
    throw new InputError(
      `${file} exports nothing to train. Export an experiment (export default defineExperiment({...})) or a function createModel() that returns a tf.LayersModel.`,
      { file },
    );
  const names = exports.map((e) => e.name).join(', ');
  if (name !== undefined) {
    const found = exports.find((e) => e.name === name);
    if (!found) throw new InputError(`${file} has no export "${name}" to train; it has ${names}.`, { file });
    return found;
  }
  const chosen = exports.find((e) => e.name === 'default') ?? (exports.length === 1 ? exports[0] : undefined);
  if (!chosen)
    throw new InputError(`${file} exports several experiments (${names}); choose one with --export NAME.`, {
      file,
    });
  return chosen;
}

function compile(file: string, text: string): string {
  const typed = /\.[cm]?tsx?$/.test(file);
  try {
    return transform(text, {
      transforms: typed
        ? ['typescript', 'imports', ...(file.endsWith('x') ? (['jsx'] as const) : [])]
        : ['imports', ...(file.endsWith('x') ? (['jsx'] as const) : [])],
      filePath: file,
      production: true,
      preserveDynamicImport: false,
    }).code;
  } catch (error) {
    throw syntaxError(file, text, error);
  }
}

function syntaxError(file: string, text: string, error: unknown): InputError {
  const message = error instanceof Error ? error.message : String(error);
  const place = /\((\d+):(\d+)\)/.exec(message);
  const line = place ? Number(place[1]) : undefined;
  const column = place ? Number(place[2]) : undefined;
  const source = line ? text.split(/\r?\n/)[line - 1]?.trim() : undefined;
  return new InputError(
    `${file}${line ? `:${line}:${column}` : ''}: syntax error${source ? ` in "${source.slice(0, 80)}"` : ''} (${message.replace(/^Error transforming [^:]*: /, '').replace(/\s*\(\d+:\d+\)/, '')}).`,
    { file, line, column },
  );
}

function evaluate(file: string, text: string | undefined): Record<string, unknown> {
  const source = text ?? readFileSync(file, 'utf8');
  const module = new loader(file);
  module.filename = file;
  module.paths = loader._nodeModulePaths(path.dirname(file));
  // The ten frames that are kept by default can all be Node's own loader (Node 24), and the file's would be lost.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = Math.max(stackTraceLimit, 40);
  try {
    module._compile(compile(file, source), file);
  } catch (error) {
    throw placed(file, error, true);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  const { exports } = module;
  return typeof exports === 'object' && exports !== null ? exports : { default: exports };
}

/**
 * An error of the user's code as a sentence with the line of the user's file it came through; lines are kept by the
 * transpiler, and those of compiled files are followed through their source map. Errors that have nothing to do with the
 * file stay what they are.
 */
export function placed(file: string, error: unknown, always = false): unknown {
  if (error instanceof InputError)
    return error.place.file ? error : new InputError(`${file}: ${error.message}`, { ...error.place, file });
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  const frames = [
    ...stack.matchAll(/(?:\(|at |file:\/\/)((?:\/|[A-Za-z]:[\\/])[^()\n]*?):(\d+):(\d+)\)?$/gm),
  ];
  const at = frames.find(([, name]) => name === file);
  if (!at && !always) return error;
  const place = at && originalPlace(file, Number(at[2]), Number(at[3]));
  const thrown = frames[0];
  const elsewhere =
    at && thrown && thrown[1] !== file && !inPackages(thrown[1]) && thrown[1] !== __filename
      ? say` (thrown at ${path.basename(thrown[1])}:${thrown[2]})`
      : '';
  return new InputError(
    `${place?.file ?? file}${place ? `:${place.line}` : ''}: ${sentenceOf(error)}${elsewhere}`,
    { file, line: place?.file ? undefined : place?.line },
  );
}

/** What went wrong in the words of whoever threw it, and the way out where it is a known one. */
function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return `it throws ${valueWords(error)}, which is no Error.`;
  const message = error.message.split('\n')[0];
  const missing = /^Cannot find (?:module|package) '([^'./][^']*)'/.exec(message)?.[1];
  if (missing) {
    const [scope, name] = missing.split('/');
    const known = missing.startsWith('@') ? `${scope}/${name}` : scope;
    return `Cannot find the package '${missing}'. Install it in the workspace (npm install ${known}).`;
  }
  if (/top-level await/.test(message))
    return 'A model file cannot wait at its top level (await outside a function): it is loaded at once. Load data with csv(...), npy(...) or npz(...) instead.';
  return message;
}

/** A thrown value in a few words, whatever it does when it is looked at. */
function valueWords(value: unknown): string {
  try {
    return typeof value === 'object' ? Object.prototype.toString.call(value) : String(value).slice(0, 80);
  } catch {
    return 'a value that cannot be shown';
  }
}

/** The place in the source that a compiled file's source map names; `file` is absent where there is none. */
function originalPlace(file: string, line: number, column: number): { file?: string; line: number } {
  const map = sourceMapOf(file);
  const entry = map?.findEntry(line - 1, column - 1);
  if (!entry || !('originalSource' in entry)) return { line };
  return { file: path.resolve(path.dirname(file), entry.originalSource), line: entry.originalLine + 1 };
}

/** The source map that the last line of a compiled file names, inline or beside it; null when it cannot be read. */
function sourceMapOf(file: string): Module.SourceMap | null {
  try {
    const url = /\/\/# sourceMappingURL=(\S+)\s*$/.exec(readFileSync(file, 'utf8'))?.[1];
    if (!url) return null;
    const inline = /^data:application\/json[^,]*;base64,(.*)$/.exec(url)?.[1];
    const text = inline
      ? Buffer.from(inline, 'base64').toString('utf8')
      : readFileSync(path.resolve(path.dirname(file), decodeURIComponent(url)), 'utf8');
    return new Module.SourceMap(JSON.parse(text) as Module.SourceMapPayload);
  } catch {
    return null;
  }
}

const inPackages = (file: string): boolean => file.includes(`${path.sep}node_modules${path.sep}`);

/** While `work` runs, workspace scripts are transpiled and our packages are found under their public names. */
function withOurModules<T>(file: string, text: string | undefined, work: () => T): T {
  const provided: Readonly<Record<string, unknown>> = {
    kernelscope: builders,
    '@tensorflow/tfjs': tf,
    '@tensorflow/tfjs-core': tf,
    '@tensorflow/tfjs-layers': tf,
    '@tensorflow/tfjs-node': tf,
  };
  const { _load, _resolveFilename } = loader;
  const { exit } = process;
  const extensions = new Map(scripts.map((ext) => [ext, loader._extensions[ext]]));
  const touched = new Set<string>();
  loader._load = function (this: unknown, request, parent, isMain) {
    return request in provided ? provided[request] : _load.call(this, request, parent, isMain);
  };
  loader._resolveFilename = function (this: unknown, request, parent, ...rest) {
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
        module._compile(
          compile(name, name === file && text !== undefined ? text : readFileSync(name, 'utf8')),
          name,
        );
    };
  }
  process.exit = (code) => {
    throw new InputError(`${file} calls process.exit(${code ?? ''}) while it is loaded; take that out.`, {
      file,
    });
  };
  try {
    return work();
  } finally {
    process.exit = exit;
    loader._load = _load;
    loader._resolveFilename = _resolveFilename;
    for (const [ext, original] of extensions) {
      if (original) loader._extensions[ext] = original;
      else delete loader._extensions[ext];
    }
    loadedFiles.current = [...new Set([file, ...[...touched].filter((name) => !inPackages(name))])];
    // The next load reads changed files again; packages stay.
    for (const name of touched) if (!inPackages(name)) delete loader._cache[name];
  }
}
