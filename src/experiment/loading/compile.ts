import { transform } from 'sucrase';
import { InputError } from '../../core/errors.js';
import { blankedCode } from '../scan.js';

export interface Compiled {
  readonly code: string;
  /** Waits at its top level: the code is the body of an async function. */
  readonly waits: boolean;
}

const jsx = /x$/;
const typed = /\.[cm]?tsx?$/;

/**
 * A script as CommonJS that Node compiles, lines kept: types and JSX are taken out, ES modules become calls of `require`.
 * What is CommonJS already stays as it is, in sloppy mode. Throws an InputError with the place of a syntax error.
 */
export function compile(file: string, text: string): Compiled {
  const code = blankedCode(text);
  const module = isModule(file, code);
  const dynamic = /\bimport\s*\(/.test(code);
  if (!module && !typed.test(file) && !jsx.test(file) && !dynamic) return { code: text, waits: false };
  const waits = module && waitsAtTop(code);
  const source = withImportMeta(text, code);
  try {
    const compiled = transform(source, {
      transforms: [
        ...(typed.test(file) ? (['typescript'] as const) : []),
        'imports',
        ...(jsx.test(file) ? (['jsx'] as const) : []),
      ],
      filePath: file,
      production: true,
      preserveDynamicImport: false,
    }).code;
    return { code: module ? compiled : compiled.replace(/^"use strict";/, ''), waits };
  } catch (error) {
    throw syntaxError(file, text, error);
  }
}

/** Whether a script has what only ES modules have. */
const isModule = (file: string, code: string): boolean =>
  /\.m[jt]s$/.test(file) ||
  /(?:^|[;}\n])\s*(?:import\b(?!\s*[.(])|export\b)/.test(code) ||
  /\bimport\s*\.\s*meta\b/.test(code) ||
  (waitsAtTop(code) && !/\.cjs$/.test(file));

/** Whether there is an `await` outside of every function: at depth 0, or within blocks that open no function. */
function waitsAtTop(code: string): boolean {
  const token = /[{}]|\bawait\b/g;
  const functions: boolean[] = [];
  for (let match = token.exec(code); match; match = token.exec(code)) {
    if (match[0] === '{') functions.push(opensFunction(code, match.index));
    else if (match[0] === '}') functions.pop();
    else if (!functions.includes(true) && !isArrowBody(code, match.index)) return true;
  }
  return false;
}

/** Whether a brace opens a function's body, or a class's: after `)` of a parameter list or `=>`, but not of `if (...)`. */
function opensFunction(code: string, open: number): boolean {
  const before = code.slice(Math.max(0, open - 400), open).trimEnd();
  if (before.endsWith('=>') || /\bclass\b[^{};()]*$/.test(before)) return true;
  const typeless = before.replace(/\)\s*:\s*[\w.<>[\]|&\s]+$/, ')');
  if (!typeless.endsWith(')')) return false;
  let depth = 0;
  for (let i = typeless.length - 1; i >= 0; i--) {
    if (typeless[i] === ')') depth++;
    else if (typeless[i] === '(' && --depth === 0)
      return !/\b(?:if|for|while|switch|catch|with|await)\s*$/.test(typeless.slice(0, i));
  }
  return true;
}

/** `async (x) => await f(x)`: an await that belongs to an arrow function without braces. */
const isArrowBody = (code: string, at: number): boolean =>
  /=>[^;{}\n]*$/.test(code.slice(Math.max(0, at - 400), at));

/** `import.meta` as CommonJS can have it: url, filename, dirname and resolve of this file, and no `main`. */
function withImportMeta(text: string, code: string): string {
  const places = [...code.matchAll(/\bimport\s*\.\s*meta\b/g)];
  if (places.length === 0) return text;
  let out = text;
  for (const place of places.reverse())
    out = `${out.slice(0, place.index)}__importMeta${out.slice(place.index + place[0].length)}`;
  const url = 'require("node:url").pathToFileURL(__filename).href';
  return `const __importMeta = { url: ${url}, filename: __filename, dirname: __dirname, env: {}, main: false, resolve: (name) => require("node:url").pathToFileURL(require.resolve(name)).href }; ${out}`;
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
