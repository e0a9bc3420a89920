/** Bytes of a header: what the format holds in version 1. */
export const mostHeader = 65535;
/** Axes of an array, as many as NumPy has. */
const mostAxes = 64;

export interface HeaderFields {
  /** Element type as written; null where it is a list of fields. */
  readonly descr: string | null;
  readonly fortran: boolean;
  readonly shape: readonly number[];
}

/**
 * The dictionary of a .npy header, {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }; null where it is none. Goes
 * over the bytes once.
 */
export function parseHeader(bytes: Uint8Array): HeaderFields | null {
  let at = 0;
  const char = (): string => (at < bytes.length ? String.fromCharCode(bytes[at]) : '');
  const skip = (): string => {
    while (at < bytes.length && bytes[at] <= 32) at++;
    return char();
  };
  const take = (wanted: string): boolean => {
    if (skip() !== wanted) return false;
    at++;
    return true;
  };
  const quoted = (): string | null => {
    const quote = skip();
    if (quote !== "'" && quote !== '"') return null;
    const from = ++at;
    while (at < bytes.length && char() !== quote) at++;
    if (at >= bytes.length) return null;
    return String.fromCharCode(...bytes.subarray(from, Math.min(at++, from + 200)));
  };
  const word = (): string => {
    skip();
    const from = at;
    while (at < bytes.length && /[A-Za-z0-9]/.test(char()) && at - from < 20) at++;
    return String.fromCharCode(...bytes.subarray(from, at));
  };
  /** Over a value in brackets, whatever it holds. */
  const brackets = (): boolean => {
    let depth = 0;
    do {
      const c = skip();
      if (c === '') return false;
      if (c === "'" || c === '"') {
        if (quoted() === null) return false;
        continue;
      }
      if ('[({'.includes(c)) depth++;
      if ('])}'.includes(c)) depth--;
      at++;
    } while (depth > 0);
    return true;
  };
  const tuple = (): number[] | null => {
    const sizes: number[] = [];
    if (!take('(')) return null;
    while (!take(')')) {
      // Python 2 wrote long numbers with an L.
      const text = /^(\d{1,16})L?$/.exec(word());
      if (!text || sizes.length >= mostAxes) return null;
      sizes.push(Number(text[1]));
      if (!take(',') && skip() !== ')') return null;
    }
    return sizes;
  };
  let descr: string | null | undefined;
  let fortran: boolean | undefined;
  let shape: number[] | null | undefined;
  if (!take('{')) return null;
  while (!take('}')) {
    const key = quoted();
    if (key === null || !take(':')) return null;
    if (key === 'descr') {
      descr = '\'"'.includes(skip() || ' ') ? quoted() : null;
      if (descr === null && !brackets()) return null;
    } else if (key === 'fortran_order') {
      const value = word();
      if (value !== 'True' && value !== 'False') return null;
      fortran = value === 'True';
    } else if (key === 'shape') shape = tuple();
    else return null;
    if (!take(',') && skip() !== '}') return null;
  }
  return descr === undefined || fortran === undefined || !shape ? null : { descr, fortran, shape };
}
