/**
 * Under which names a module exports what it declares, in every way that JavaScript and TypeScript have, found in blanked
 * code: comments and strings hold nothing.
 */
const name = '[\\p{ID_Start}$_][\\p{ID_Continue}$]*';

export interface Exported {
  /** Name outside; `default` for the default export and for `module.exports = ...`. */
  readonly name: string;
  /** What is declared inside; empty where the value stands at the export itself. */
  readonly local: string;
  /** Where the statement begins, and where its value does. */
  readonly start: number;
  readonly value: number;
}

const pattern = (text: string): RegExp => new RegExp(text.replaceAll('NAME', name), 'gu');

const declared = pattern(
  String.raw`\bexport\s+(default\s+)?(?:declare\s+)?(?:async\s+)?(?:function\s*\*?\s*(NAME)?|(?:abstract\s+)?class\b\s*((?!extends\b)NAME)?|(?:const|let|var)\s+(NAME)(?:\s*:[^=\n]+)?\s*=\s*)`,
);
const defaultValue = pattern(
  String.raw`\bexport\s+(?:default\s+(?!async\b|function\b|class\b|abstract\b)|=\s*)(?=\S)`,
);
const list = pattern(String.raw`\bexport\s*\{([^}]*)\}(?!\s*from\b)`);
const assigned = pattern(
  String.raw`(?<![\p{ID_Continue}$.])(?:module\s*\.\s*)?exports(?:\s*\.\s*(NAME))?\s*=(?!=)\s*`,
);
const identifier = pattern(String.raw`^(NAME)\s*(?:;|,|$|\n|\}|satisfies\b|as\b)`);

/** All exports of a module, in the order of the text. */
export function exportedNames(code: string): Exported[] {
  const found: Exported[] = [];
  for (const match of code.matchAll(declared)) {
    const [whole, isDefault, inFunction, inClass, inVariable] = match;
    const local = inFunction ?? inClass ?? inVariable ?? '';
    const start = match.index;
    const value = inVariable === undefined ? start + whole.indexOf('export') : start + whole.length;
    found.push({ name: isDefault ? 'default' : local || 'default', local, start, value });
  }
  for (const match of code.matchAll(defaultValue)) found.push(valueAt(code, 'default', match));
  for (const match of code.matchAll(list))
    for (const [local, outside] of namesIn(match[1], /\s+as\s+/))
      found.push({ name: outside, local, start: match.index, value: match.index });
  for (const match of code.matchAll(assigned)) {
    const value = match.index + match[0].length;
    if (match[1] === undefined && code[value] === '{') found.push(...members(code, match.index, value));
    else found.push(valueAt(code, match[1] ?? 'default', match));
  }
  return found.sort((a, b) => a.start - b.start);
}

/** `export default NAME` and `exports.x = NAME` name a declaration; anything else is the value itself. */
function valueAt(code: string, outside: string, match: RegExpMatchArray): Exported {
  const start = match.index as number;
  const value = start + match[0].length;
  const local = [...code.slice(value, value + 200).matchAll(identifier)][0]?.[1] ?? '';
  return { name: outside, local, start, value };
}

function* namesIn(text: string, separator: RegExp): Generator<readonly [string, string]> {
  for (const part of text.split(',')) {
    const [local, outside] = part
      .trim()
      .replace(/^type\s+/, '')
      .split(separator);
    if (local) yield [local, outside?.trim() ?? local];
  }
}

/** Members of `module.exports = { a, b: c, d() {}, e: () => ... }`. */
function members(code: string, start: number, open: number): Exported[] {
  const found: Exported[] = [];
  const member = pattern(String.raw`\s*(?:async\s+)?(NAME)\s*(:\s*|\(|(?=[,}\s]))`);
  let depth = 0;
  for (let at = open; at < code.length; at++) {
    const c = code[at];
    if ('([{'.includes(c)) depth++;
    else if (')]}'.includes(c)) depth--;
    if (depth === 0) break;
    if (depth !== 1 || (c !== '{' && c !== ',')) continue;
    const match = [...code.slice(at + 1, at + 400).matchAll(member)].find((m) => m.index === 0);
    if (!match) continue;
    const value = at + 1 + match[0].length;
    const inPlace = match[2] === '(';
    const local = inPlace
      ? ''
      : match[2] === ''
        ? match[1]
        : ([...code.slice(value, value + 200).matchAll(identifier)][0]?.[1] ?? '');
    const begin = at + 1 + match[0].search(/\S/);
    found.push({ name: match[1], local, start: local ? start : begin, value: inPlace ? begin : value });
  }
  return found;
}
