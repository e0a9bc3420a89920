import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../helpers/folders.js';

/** Rooms of the house and whom each may import; a file may always import its own room. */
const rooms: Readonly<Record<string, readonly string[]>> = {
  'src/core': [],
  'src/protocol': ['src/core'],
  'src/network': ['src/core', 'src/protocol', 'src/experiment/definition'],
  'src/experiment': ['src/core', 'src/protocol', 'src/network'],
  'src/runs': ['src/core', 'src/protocol'],
  'src/theory': ['src/core', 'src/protocol', 'src/network', 'src/experiment'],
  'src/bench': ['src/core', 'src/protocol', 'src/network', 'src/experiment', 'src/theory'],
  'src/trainer': ['src/core', 'src/protocol', 'src/network', 'src/experiment', 'src/runs'],
  'src/cli': [
    'src/core',
    'src/protocol',
    'src/network',
    'src/experiment',
    'src/runs',
    'src/theory',
    'src/trainer',
    'src/bench',
  ],
  // Of the trainer the host needs its client, of experiments what can be read without running them.
  'src/extension': [
    'src/core',
    'src/protocol',
    'src/runs',
    'src/trainer/client',
    'src/experiment/scan',
    'src/experiment/overrides',
  ],
  // It runs inside TypeScript's server and knows nothing of the rest.
  'src/tsserver': [],
  webview: ['src/core/series', 'src/core', 'src/protocol'],
};

/** Packages that only some rooms may import; Node's own modules count as `node:`. */
const packages: Readonly<Record<string, readonly string[]>> = {
  vscode: ['src/extension'],
  '@vscode/webview-ui-toolkit': ['webview'],
  'chart.js': ['webview'],
  commander: ['src/cli'],
  sucrase: ['src/experiment'],
  'typescript-classic': ['src/tsserver'],
  '@tensorflow/': ['src/network'],
  'node:': [
    'src/network',
    'src/experiment',
    'src/runs',
    'src/theory',
    'src/bench',
    'src/trainer',
    'src/cli',
    'src/extension',
    'src/tsserver',
  ],
};

function* sources(folder: string): Generator<string> {
  for (const name of readdirSync(path.join(root, folder))) {
    const place = `${folder}/${name}`;
    if (place.includes('/assembly')) continue;
    if (statSync(path.join(root, place)).isDirectory()) yield* sources(place);
    else if (/\.ts$/.test(name)) yield place;
  }
}

/** What a file imports or re-exports, statically or not. */
function importsOf(file: string): string[] {
  const text = readFileSync(path.join(root, file), 'utf8');
  return [
    ...text.matchAll(/(?:^|\n)\s*(?:import|export)\b[^;'"]*?from\s+'([^']+)'/g),
    ...text.matchAll(/\bimport\(\s*'([^']+)'\s*\)/g),
    ...text.matchAll(/(?:^|\n)import '([^']+)'/g),
  ].map((match) => match[1]);
}

const roomOf = (place: string): string | undefined =>
  Object.keys(rooms).find((room) => place.startsWith(`${room}/`));

const files = [...sources('src'), ...sources('webview')];

describe('the house', () => {
  it.each(Object.keys(rooms))('%s imports only the rooms it may', (room) => {
    const wrong = files
      .filter((file) => roomOf(file) === room)
      .flatMap((file) =>
        importsOf(file)
          .filter((target) => target.startsWith('.'))
          .map((target) => path.posix.join(path.posix.dirname(file), target).replace(/\.js$/, ''))
          .filter((target) => roomOf(target) !== room && !target.startsWith(`${room}/`))
          .filter(
            (target) =>
              !rooms[room].some((allowed) => target === allowed || target.startsWith(`${allowed}/`)),
          )
          .map((target) => `${file} imports ${target}`),
      );
    expect(wrong).toEqual([]);
  });

  it.each(Object.keys(packages))('only the rooms that may import %s', (name) => {
    const wrong = files.filter(
      (file) =>
        file !== 'src/index.ts' &&
        importsOf(file).some((target) => target.startsWith(name)) &&
        !packages[name].some((room) => file.startsWith(`${room}/`)),
    );
    expect(wrong).toEqual([]);
  });

  it('holds the toolkit, which nobody keeps any more, behind one module', () => {
    const users = files.filter((file) =>
      importsOf(file).some((target) => target.startsWith('@vscode/webview-ui-toolkit')),
    );
    expect(users).toEqual(['webview/toolkit.ts']);
  });

  it('has no room that nobody described', () => {
    const stray = files.filter((file) => roomOf(file) === undefined && file !== 'src/index.ts');
    expect(stray).toEqual([]);
    for (const room of Object.keys(rooms)) expect(existsSync(path.join(root, room)), room).toBe(true);
  });
});
