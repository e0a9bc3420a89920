import type { Exported } from './scanExported.js';

const name = '[\\p{ID_Start}$_][\\p{ID_Continue}$]*';
const pattern = (text: string, flags = 'u'): RegExp => new RegExp(text.replaceAll('NAME', name), flags);

/** Names of functions that make models in this file: members of TensorFlow.js, or imported by name. */
const makes = String.raw`(?:NAME\s*(?:\?\.|\.)\s*)*(?:sequential|model)\s*\(`;
const returnsModel = pattern(String.raw`(?:\breturn\s*\(?|=>\s*\(?)\s*(?:await\s+)?${makes}`);
const modelVariable = pattern(
  String.raw`(?:\b(?:const|let|var)\s+)?(?<![\p{ID_Continue}$.])(NAME)(?:\s*:[^=\n;]+)?\s*=(?!=)\s*(?:await\s+)?${makes}`,
  'gu',
);
const annotated = /\)\s*:\s*(?:Promise\s*<\s*)?(?:[\w$]+\.)?(?:LayersModel|Sequential)\b/;
const builderName = /^(?:createModel|buildModel)$/;

export interface ScannedFunction {
  /** Of the declaration, and the end of its body. */
  readonly start: number;
  readonly end: number;
}

/** The function or class that an export names or is; null where it is none. */
export function functionOf(
  code: string,
  { local, start, value }: Exported,
  closing: (open: number) => number,
): ScannedFunction | null {
  const at = local ? declarationOf(code, local) : { start, value };
  if (!at) return null;
  const text = code.slice(at.value);
  const cls = pattern(String.raw`^\s*(?:export\s+)?(?:default\s+)?(?:abstract\s+)?class\b[^{]*`).exec(text);
  if (cls) return { start: at.start, end: closing(at.value + cls[0].length) };
  const head = pattern(
    String.raw`^\s*(?:export\s+)?(?:default\s+)?(?:async\s+)?(?:function\s*\*?\s*(?:NAME)?|(?:NAME)?)\s*(?:<[^()]*>)?\s*(?=\()`,
  ).exec(text);
  const arrow = pattern(String.raw`^\s*(?:async\s+)?NAME\s*(?==>)`).exec(text);
  if (!head && !arrow) return null;
  const parameters = at.value + (head ?? arrow ?? [''])[0].length;
  const after = head ? closing(parameters) : parameters;
  const plain = head !== null && /\bfunction\b/.test(head[0]);
  const end = endOfFunction(code, after, plain || !/^\s*(?::[^={]+)?=>/.test(code.slice(after)), closing);
  return end === null ? null : { start: at.start, end };
}

/** Where a name is declared: a function with a body, a class, or a variable with its value. The last overload has the body. */
function declarationOf(code: string, local: string): { start: number; value: number } | null {
  const escaped = local.replaceAll('$', '\\$');
  const find = new RegExp(
    String.raw`(?<=^|[;{}\n)])[ \t]*(?:export\s+)?(?:default\s+)?(?:(?:async\s+)?function\s*\*?\s*${escaped}(?![\p{ID_Continue}$])|(?:abstract\s+)?class\s+${escaped}(?![\p{ID_Continue}$])|(?:const|let|var)\s+${escaped}(?![\p{ID_Continue}$])(?:\s*:[^=\n]+)?\s*=(?!=))`,
    'gu',
  );
  const last = [...code.matchAll(find)].at(-1);
  if (!last) return null;
  const start = last.index + last[0].search(/\S/);
  return { start, value: last[0].trimEnd().endsWith('=') ? last.index + last[0].length : start };
}

/** End of a function whose parameter list ends at `from`; null for a declaration without a body, or none at all. */
function endOfFunction(
  code: string,
  from: number,
  hasBody: boolean,
  closing: (open: number) => number,
): number | null {
  const rest = code.slice(from);
  const arrow = /^\s*(?::[^={]+)?=>\s*/.exec(rest);
  if (arrow) {
    const at = from + arrow[0].length;
    if (code[at] === '{' || code[at] === '(') return closing(at);
    const call = code.indexOf('(', at);
    return call < 0 ? code.length : closing(call);
  }
  if (!hasBody) return null;
  // A type may hold braces of its own.
  const body = /^\s*(?::(?:[^;{]|\{[^{}]*\}(?=\s*[>|&{]))*)?\{/.exec(rest);
  return body ? closing(from + body[0].length - 1) : null;
}

/** Whether a function or a method of a class builds a model, by its name, its type or what it returns. */
export function buildsModel(exportName: string, body: string): boolean {
  if (builderName.test(exportName) || annotated.test(body) || returnsModel.test(body)) return true;
  return [...body.matchAll(modelVariable)].some(([, variable]) =>
    new RegExp(
      String.raw`\breturn\s+(?:await\s+)?${variable.replaceAll('$', '\\$')}(?![\p{ID_Continue}$])`,
      'u',
    ).test(body),
  );
}
