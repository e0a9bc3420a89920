import { existsSync, readFileSync } from 'node:fs';

/**
 * Bytes of the lines at the start of a .jsonl file whose step is not above a bound, up to the first that is, or that is
 * torn: for checkpoints of earlier versions, which do not say how long the files were.
 */
export function sizeUpTo(file: string, step: number): number {
  if (!existsSync(file)) return 0;
  const bytes = readFileSync(file);
  let kept = 0;
  for (let at = 0; ; ) {
    const end = bytes.indexOf(10, at);
    if (end < 0) return kept;
    try {
      if (!((JSON.parse(bytes.toString('utf8', at, end)) as { step: number }).step <= step)) return kept;
    } catch {
      return kept;
    }
    at = end + 1;
    kept = at;
  }
}
