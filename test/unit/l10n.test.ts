import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { languages, readBundle, readSaid, said, sentencesOf, words } from '../../.ci/l10n.mjs';
import type { Regime, RunStatus } from '../../src/protocol/records.js';
import { readJson, root } from '../helpers/folders.js';

const { used, unreadable } = sentencesOf();
const templates = said();
const placeholders = (text: string): string[] => [...new Set(text.match(/\{\d+\}/g) ?? [])].sort();
const chinese = /[\u4e00-\u9fff]/;

/** What is to be added to a file of translations, and what is to be taken out. */
function todoOf(
  name: string,
  translated: Readonly<Record<string, string>>,
  sentences: ReadonlyMap<string, string>,
): string[] {
  const file = `media/l10n/${name}`;
  const missing = [...sentences].filter(([sentence]) => !translated[sentence]);
  const stale = Object.keys(translated).filter((sentence) => !sentences.has(sentence));
  return [
    ...missing.map(
      ([sentence, from]) => `add to ${file} (said in ${from}):  ${JSON.stringify(sentence)}: "…",`,
    ),
    ...stale.map((sentence) => `remove from ${file} (said nowhere):  ${JSON.stringify(sentence)}`),
  ];
}

describe('the sentences of the editor and of the pages', () => {
  it('are all written where they are translated', () => {
    expect(used.size).toBeGreaterThan(200);
    expect(unreadable, 'give the sentence itself to t(), or a field listed in .ci/l10n.mjs').toEqual([]);
  });

  it('cover the words that come over a wire', () => {
    const regimes = Object.keys({
      lazy: true,
      rich: true,
      'in between': true,
      undetermined: true,
    } satisfies Record<Regime, true>);
    const statuses = Object.keys({
      running: true,
      paused: true,
      finished: true,
      stopped: true,
      diverged: true,
      failed: true,
      interrupted: true,
    } satisfies Record<RunStatus, true>);
    expect(words.regime).toEqual(regimes);
    expect(words.status).toEqual(statuses);
  });

  it('are all in the English bundle, and nothing else is', () => {
    const bundle = readBundle('en');
    const missing = [...used.keys()].filter((sentence) => bundle[sentence] !== sentence);
    const stale = Object.keys(bundle).filter((sentence) => !used.has(sentence));
    expect({ missing, stale }, 'run: npm run l10n').toEqual({ missing: [], stale: [] });
  });

  for (const language of languages) {
    it(`are all translated (${language}), and nothing is translated that is not said`, () => {
      const todo = [
        ...todoOf(`bundle.l10n.${language}.json`, readBundle(language), used),
        ...todoOf(`said.${language}.json`, readSaid(language), templates),
      ];
      expect(todo.join('\n')).toBe('');
    });

    it(`keep their placeholders (${language})`, () => {
      const wrong = [...Object.entries(readBundle(language)), ...Object.entries(readSaid(language))]
        .filter(([sentence, text]) => placeholders(sentence).join() !== placeholders(text).join())
        .map(([sentence]) => sentence);
      expect(wrong).toEqual([]);
    });

    it(`name commands, views and settings too (${language})`, () => {
      const english = readJson<Record<string, string>>(path.join(root, 'package.nls.json'));
      const translated = readJson<Record<string, string>>(path.join(root, `package.nls.${language}.json`));
      const asked = new Set(
        [...readFileSync(path.join(root, 'package.json'), 'utf8').matchAll(/"%([\w.]+)%"/g)].map((m) => m[1]),
      );
      const todo = [
        ...[...asked].filter((key) => !english[key]).map((key) => `add "${key}" to package.nls.json`),
        ...Object.keys(english)
          .filter((key) => !asked.has(key))
          .map((key) => `package.json does not use "${key}" of package.nls.json`),
        ...Object.keys(english)
          .filter((key) => !translated[key])
          .map((key) => `add "${key}" (${english[key]}) to package.nls.${language}.json`),
        ...Object.keys(translated)
          .filter((key) => !english[key])
          .map((key) => `remove "${key}" from package.nls.${language}.json`),
      ];
      expect(todo.join('\n')).toBe('');
    });

    it(`lead to the same places (${language})`, () => {
      const english = readJson<Record<string, string>>(path.join(root, 'package.nls.json'));
      const translated = readJson<Record<string, string>>(path.join(root, `package.nls.${language}.json`));
      const links = (text: string): string[] => (text.match(/\(command:[^)]+\)/g) ?? []).sort();
      for (const [key, text] of Object.entries(english))
        expect(links(translated[key] ?? ''), key).toEqual(links(text));
    });
  }

  it('are packed with the extension', () => {
    const { l10n } = readJson<{ l10n: string }>(path.join(root, 'package.json'));
    const packed = readFileSync(path.join(root, '.vscodeignore'), 'utf8').split('\n');
    // Without them the editor shows %command.run% for every title.
    expect(packed).toEqual(expect.arrayContaining(['!package.nls.json', '!package.nls.*.json', '!media/**']));
    expect(l10n).toBe('./media/l10n');
  });

  it('are Chinese in the Chinese bundle', () => {
    const latin = Object.entries(readBundle('zh-cn'))
      .filter(([, text]) => !chinese.test(text))
      .map(([sentence]) => sentence);
    // What is a formula or a code word stays as it is.
    expect(latin.filter((sentence) => !/[{}=]|log [xy]|step size$/.test(sentence))).toEqual([]);
  });
});
