import { blankedCode, closingBracket } from '../scan.js';

/** A parameter of a function as its text has it. */
export interface Parameter {
  /** null for a destructured one. */
  readonly name: string | null;
  /** Must be given: it has no default and is not the rest. */
  readonly required: boolean;
  readonly rest: boolean;
  /** The properties that a destructured object takes. */
  readonly fields: readonly { readonly name: string; readonly required: boolean }[];
}

/** Parameters of a function, or of a class's constructor, read from its text. */
export function parametersOf(value: (...values: never[]) => unknown): Parameter[] {
  const text = Function.prototype.toString.call(value);
  const code = blankedCode(text);
  const alone = /^(?:async\s+)?([A-Za-z_$][\w$]*)\s*=>/.exec(code);
  if (alone) return [{ name: alone[1], required: true, rest: false, fields: [] }];
  const start = /^class\b/.test(code) ? /\bconstructor\s*\(/.exec(code)?.index : 0;
  if (start === undefined) return [];
  const open = code.indexOf('(', start);
  if (open < 0) return [];
  return split(code, open + 1, closingBracket(code, open) - 1).map((part) => parameterOf(part));
}

/** The parts between commas that are outside of brackets. */
function split(code: string, from: number, to: number): string[] {
  const parts: string[] = [];
  let at = from;
  for (let i = from; i < to; i++) {
    if ('([{'.includes(code[i])) i = closingBracket(code, i) - 1;
    else if (code[i] === ',') {
      parts.push(code.slice(at, i));
      at = i + 1;
    }
  }
  parts.push(code.slice(at, to));
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

function parameterOf(part: string): Parameter {
  if (part.startsWith('...')) return { name: part.slice(3).trim(), required: false, rest: true, fields: [] };
  if (part.startsWith('[')) return { name: null, required: !/\]\s*=/.test(part), rest: false, fields: [] };
  if (part.startsWith('{')) {
    const end = closingBracket(part, 0);
    const fields = split(part, 1, end - 1)
      .filter((field) => !field.startsWith('...'))
      .map((field) => ({ name: /^[\w$]+/.exec(field)?.[0] ?? '', required: !field.includes('=') }));
    return { name: null, required: !part.slice(end).trim().startsWith('='), rest: false, fields };
  }
  const name = /^[\w$]+/.exec(part)?.[0] ?? part;
  return { name, required: !part.slice(name.length).trim().startsWith('='), rest: false, fields: [] };
}
