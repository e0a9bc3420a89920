import { readFileSync } from 'node:fs';
import Module from 'node:module';
import path from 'node:path';
import { InputError } from '../../core/errors.js';
import { say } from '../../core/say.js';
import { inPackages } from './modules.js';

/** Bundles, and sources in tests: what is thrown there is thrown by us. */
const ours = (file: string): boolean => path.dirname(file) === __dirname || file === __filename;

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
    at && thrown && thrown[1] !== file && !inPackages(thrown[1]) && !ours(thrown[1])
      ? say` (thrown at ${path.basename(thrown[1])}:${thrown[2]})`
      : '';
  return new InputError(
    `${place?.file ?? file}${place ? `:${place.line}` : ''}: ${sentenceOf(error)}${elsewhere}`,
    { file, line: place?.file ? undefined : place?.line },
  );
}

/** What went wrong in the words of whoever threw it, and the way out where it is a known one. */
function sentenceOf(error: unknown): string {
  if (typeof error === 'string') return error.split('\n')[0];
  if (!(error instanceof Error)) return `it throws ${valueWords(error)}, which is no Error.`;
  const message = error.message.split('\n')[0];
  const missing = /^Cannot find (?:module|package) '([^'./][^']*)'/.exec(message)?.[1];
  if (missing) {
    const [scope, name] = missing.split('/');
    const known = missing.startsWith('@') ? `${scope}/${name}` : scope;
    if (/^(?:@|~|#|src)(?:\/|$)/.test(missing) || /^[~#]/.test(missing))
      return say`Cannot find '${missing}': no package has this name, and no tsconfig.json or jsconfig.json above the file has an alias for it (compilerOptions.paths, baseUrl). Add one, or import the file by its path.`;
    return `Cannot find the package '${missing}'. Install it in the workspace (npm install ${known}).`;
  }
  if (/^The first layer in a Sequential model must get an `inputShape`/.test(message))
    return 'The first layer of the model has no inputShape. Give it one, or take inputShape as an argument of the builder: it is given that of the data.';
  const page = /^(document|window|navigator|localStorage|self|HTMLElement|location) is not defined/.exec(
    message,
  )?.[1];
  if (page)
    return say`It uses the browser (${page}), but model files run without one. Move what makes the model into a file of its own and export it there.`;
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
