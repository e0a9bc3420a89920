import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../helpers/folders.js';

const read = (...parts: string[]) => readFileSync(path.join(root, ...parts), 'utf8');
/** The anchors that Markdown makes of the headings: they are what problems and numbers link to. */
const anchors = (page: string) =>
  [...read('docs', page).matchAll(/^## (.+)$/gm)]
    .map(([, name]) => name.toLowerCase().replaceAll(' ', '-'))
    .sort();
const all = (text: string, pattern: RegExp) =>
  [...new Set([...text.matchAll(pattern)].map(([, name]) => name))].sort();

describe('explanations', () => {
  it('there is one for every problem, and none for what is no problem any more', () => {
    const sources = ['problems.ts', 'regimeProblems.ts', path.join('checks', 'outputProblems.ts')]
      .map((name) => read('src', 'trainer', name))
      .join('');
    const codes = all(sources, /code: '([a-z0-9-]+)'/g);
    expect(codes.length).toBeGreaterThan(6);
    expect(anchors('problems.md')).toEqual(codes);
  });

  it('there is one for every number of the side panel', () => {
    const named = all(read('src', 'extension', 'views', 'diagnosticLines.ts'), /explains: '([a-z-]+)'/g);
    expect(named.length).toBeGreaterThan(12);
    expect(anchors('numbers.md')).toEqual(named);
  });
});
