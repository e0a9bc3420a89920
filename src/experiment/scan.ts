/**
 * Finds experiments and model builders in the text of a file without running it: for lenses, hints and the place of
 * problems. A scanner, not a parser: it must be instant on every keystroke and survive half-written code. Positions are
 * offsets into the text.
 */
import { buildsModel, functionOf } from './scanBuilders.js';
import { exportedNames } from './scanExported.js';

export interface ScannedCall {
  /** Name called (`dense`, `twoLayer`), and the whole `name(...)`. */
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

export interface ScannedExport {
  readonly name: string;
  readonly kind: 'experiment' | 'builder';
  /** Start of the export statement, where the lens sits. */
  readonly start: number;
  readonly end: number;
  /** Calls of layer builders inside, in the order of the text. */
  readonly layers: readonly ScannedCall[];
  /** `twoLayer(...)`, `mlp(...)` or `residual(...)`, when the model is one of ours. */
  readonly model?: ScannedCall;
}

/**
 * The text with the insides of comments, strings, template literals and regular expressions blanked, same length: braces
 * and names in what is left are code.
 */
export function blankedCode(text: string): string {
  // A string that is not closed on its line is half-written; the rest of the file is still code.
  const token =
    /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^'\\\n]|\\[\s\S])*'?|"(?:[^"\\\n]|\\[\s\S])*"?|`(?:[^`\\]|\\[\s\S])*`?|\//g;
  const parts: string[] = [];
  let from = 0;
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const start = match.index;
    let inside = match[0];
    if (inside === '/') {
      const expression = startsExpression(text, start)
        ? regularExpression.exec(text.slice(start, start + 400))
        : null;
      if (!expression) continue;
      inside = expression[0];
    }
    const comment = inside.startsWith('//') || inside.startsWith('/*');
    const end = start + inside.length;
    // Quotes and slashes stay, so that a value is seen to be there.
    parts.push(text.slice(from, comment ? start : start + 1), blank(comment ? inside : inside.slice(1, -1)));
    if (!comment && inside.length > 1) parts.push(inside.slice(-1));
    from = end;
    token.lastIndex = end;
  }
  parts.push(text.slice(from));
  return parts.join('');
}

const regularExpression = /^\/(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/;
const blank = (text: string): string => text.replace(/[^\r\n]/g, ' ');

/** Whether a slash starts a regular expression: it does after an operator or an opening bracket, not after an operand. */
function startsExpression(text: string, at: number): boolean {
  let before = at - 1;
  while (before >= 0 && /\s/.test(text[before])) before--;
  return before < 0 || !/[\w$)\]}'"`]/.test(text[before]);
}

/** Offset just after the bracket that closes the one at `open`; the end of the text when there is none. */
export function closingBracket(code: string, open: number): number {
  const bracket = /[()[\]{}]/g;
  bracket.lastIndex = open;
  let depth = 0;
  for (let match = bracket.exec(code); match; match = bracket.exec(code)) {
    depth += '([{'.includes(match[0]) ? 1 : -1;
    if (depth === 0) return match.index + 1;
  }
  return code.length;
}

const experiment = /^(?:[\w$]+\s*\.\s*)?(NAME)\s*(?:<[^()]*>\s*)?\(/.source;

/** Experiments and builders that a file exports, one an export; what is exported twice counts once. */
export function scanExports(text: string): ScannedExport[] {
  // Most files of a workspace hold nothing of ours; say so before anything is copied.
  if (!/defineExperiment|createModel|buildModel|\bsequential\b|\bmodel\s*\(|LayersModel/.test(text))
    return [];
  const code = blankedCode(text);
  const closing = (open: number): number => closingBracket(code, open);
  const define = /\bdefineExperiment\s+as\s+([\w$]+)/.exec(code)?.[1] ?? 'defineExperiment';
  const isExperiment = new RegExp(experiment.replace('NAME', define.replaceAll('$', '\\$')));
  const found = new Map<number, ScannedExport>();
  const add = (name: string, kind: ScannedExport['kind'], start: number, end: number) => {
    // The default export is the one that is taken where none is named.
    if (!found.has(start) || name === 'default')
      found.set(start, { name, kind, start, end, ...insidesOf(code, start, end) });
  };
  for (const one of exportedNames(code)) {
    const at = one.local ? variableOf(code, one.local) : one;
    const call = at && isExperiment.exec(code.slice(at.value, at.value + 200));
    if (at && call) {
      add(one.name, 'experiment', at.start, closing(at.value + call[0].length - 1));
      continue;
    }
    const builder = functionOf(code, one, closing);
    if (builder && buildsModel(one.name, code.slice(builder.start, builder.end)))
      add(one.name, 'builder', builder.start, builder.end);
  }
  return [...found.values()].sort((a, b) => a.start - b.start);
}

/** Where a variable is declared, and where its value begins. */
function variableOf(code: string, name: string): { start: number; value: number } | null {
  const find = new RegExp(
    String.raw`(?:\bexport\s+)?\b(?:const|let|var)\s+(?:[^=;]*,\s*)?${name.replaceAll('$', '\\$')}(?![\p{ID_Continue}$])(?:\s*:[^=\n]+)?\s*=\s*`,
    'u',
  );
  const match = find.exec(code);
  return match && { start: match.index, value: match.index + match[0].length };
}

function insidesOf(code: string, start: number, end: number): Pick<ScannedExport, 'layers' | 'model'> {
  const part = code.slice(start, end);
  const call = (match: RegExpMatchArray): ScannedCall => {
    const at = start + (match.index ?? 0);
    return { name: match[1], start: at, end: closingBracket(code, at + match[0].length - 1) };
  };
  const layers = [...part.matchAll(/\blayers\s*\.\s*(\w+)\s*\(/g)].map(call);
  const model = part.match(/\b(twoLayer|mlp|residual)\s*\(/);
  return { layers, ...(model ? { model: call(model) } : {}) };
}

/** A value in the text: the key and what stands behind its colon. */
export interface ScannedField {
  readonly keyStart: number;
  readonly valueStart: number;
  readonly valueEnd: number;
  /** Whether the whole path is written there; otherwise this is the deepest part of it that is. */
  readonly exact: boolean;
}

/** A change of the text that gives a field a value. */
export interface FieldEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Place of a dotted field (`optimizer.learningRate`) inside an export: the deepest part of the path that is written
 * there, null when not even the first is.
 */
export function locateField(
  text: string,
  within: Pick<ScannedExport, 'start' | 'end'>,
  path: string,
): ScannedField | null {
  const code = blankedCode(text);
  let range: Range = within;
  let found: ScannedField | null = null;
  const keys = path.split('.');
  for (const [depth, key] of keys.entries()) {
    const entry = entriesOf(code, range).find((e) => e.key === key);
    if (!entry) break;
    found = { ...entry, exact: depth === keys.length - 1 };
    range = { start: entry.valueStart, end: entry.valueEnd };
  }
  return found;
}

/**
 * The edit that gives a field a value: replaces what is written, or adds the key to the object literal that it belongs
 * to. Null when that object is not written here (a variable, a spread).
 */
export function editField(
  text: string,
  within: Pick<ScannedExport, 'start' | 'end'>,
  path: string,
  value: string,
): FieldEdit | null {
  const found = locateField(text, within, path);
  const key = path.split('.').at(-1) ?? path;
  if (found?.exact) {
    const shorthand = found.keyStart === found.valueStart;
    return { start: found.valueStart, end: found.valueEnd, text: shorthand ? `${key}: ${value}` : value };
  }
  const parent = path.includes('.') ? locateField(text, within, path.slice(0, path.lastIndexOf('.'))) : null;
  if (path.includes('.') && !parent?.exact) return null;
  const range = parent ? { start: parent.valueStart, end: parent.valueEnd } : within;
  const code = blankedCode(text);
  const open = openBrace(code, range);
  if (open < 0) return null;
  const [between] = /^\s*/.exec(code.slice(open + 1)) ?? [''];
  const empty = code[open + 1 + between.length] === '}';
  return {
    start: open + 1,
    end: open + 1 + (empty ? between.length : 0),
    text: empty ? ` ${key}: ${value} ` : `${between}${key}: ${value},${between === '' ? ' ' : ''}`,
  };
}

interface Range {
  readonly start: number;
  readonly end: number;
}

/** The brace that opens the object literal of a value: `{ ... }` or the argument of `make({ ... })`; -1 for others. */
function openBrace(code: string, { start, end }: Range): number {
  const open = code.indexOf('{', start);
  return open >= 0 && open < end ? open : -1;
}

/** Keys and values of the object literal in a range, without those of objects inside it. */
function entriesOf(
  code: string,
  range: Range,
): { key: string; keyStart: number; valueStart: number; valueEnd: number }[] {
  const open = openBrace(code, range);
  if (open < 0) return [];
  const limit = Math.min(range.end, closingBracket(code, open) - 1);
  const entries = [];
  const key = /\s*([A-Za-z_$][\w$]*)\s*(:|(?=,|$))/y;
  for (let at = open + 1; at < limit; at = endOfValue(code, at, limit) + 1) {
    key.lastIndex = at;
    const match = key.exec(code.slice(0, limit));
    if (!match) continue;
    const keyStart = at + match[0].indexOf(match[1]);
    let valueStart = match[2] === ':' ? key.lastIndex : keyStart;
    while (/\s/.test(code[valueStart] ?? '')) valueStart++;
    const valueEnd = trimmed(code, valueStart, endOfValue(code, valueStart, limit));
    entries.push({ key: match[1], keyStart, valueStart, valueEnd });
  }
  return entries;
}

/** Offset of the comma or bracket that ends the value at `start`. */
function endOfValue(code: string, start: number, limit: number): number {
  for (let i = start; i < limit; i++) {
    const c = code[i];
    if (c === '(' || c === '{' || c === '[') i = closingBracket(code, i) - 1;
    else if (c === ',' || c === ')' || c === '}' || c === ']') return i;
  }
  return limit;
}

function trimmed(code: string, start: number, end: number): number {
  let at = end;
  while (at > start && /\s/.test(code[at - 1])) at--;
  return at;
}
