import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../helpers/folders.js';
import {
  arrows,
  cyclesOf,
  everyFile,
  fullFolders,
  importGraph,
  importsOf,
  sources,
} from '../helpers/house.js';

/** Rooms of the house and whom each may import; a file may always import its own room. */
const rooms: Readonly<Record<string, readonly string[]>> = {
  'src/core': [],
  'src/protocol': ['src/core'],
  'src/network': ['src/core', 'src/protocol'],
  'src/experiment': ['src/core', 'src/protocol', 'src/network'],
  'src/runs': ['src/core', 'src/protocol'],
  // Of the network it takes what looks at a model, and nothing that chooses a backend.
  'src/watch': ['src/core', 'src/protocol', 'src/network', 'src/runs'],
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
    'src/watch/settings',
  ],
  // Of the trainer the host needs its client, of experiments what can be read without running them.
  'src/extension': [
    'src/core',
    'src/protocol',
    'src/runs',
    'src/trainer/client',
    'src/experiment/scan',
    'src/experiment/scanTraining',
    'src/watch/settings',
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
    'src/watch',
    'src/theory',
    'src/bench',
    'src/trainer',
    'src/cli',
    'src/extension',
    'src/tsserver',
  ],
};

const roomOf = (place: string): string | undefined =>
  Object.keys(rooms).find((room) => place.startsWith(`${room}/`));

const files = [...sources('src'), ...sources('webview')];

/** Rooms that stand on the network, or beside it: none of them is for it to know. */
const above = ['src/experiment', 'src/runs', 'src/theory', 'src/trainer', 'src/cli', 'src/extension'];

/** Most files side by side in one folder. */
const mostFiles = 20;

describe('the gate', () => {
  it('is the only place of the extension that starts processes, and asks for trust first', () => {
    const starts =
      /child_process|new TrainerClient\b|\bcreateTerminal\b|\bShellExecution\b|\bProcessExecution\b|\bexecuteTask\b|new Worker\b/;
    const found = files
      .filter((file) => file.startsWith('src/extension/'))
      .filter((file) => starts.test(readFileSync(path.join(root, file), 'utf8')));
    expect(found).toEqual(['src/extension/processes.ts']);
    const makers = files.filter(
      (file) =>
        file.startsWith('src/extension/') &&
        /new Processes\(/.test(readFileSync(path.join(root, file), 'utf8')),
    );
    expect(makers).toEqual(['src/extension/gate.ts']);
    expect(readFileSync(path.join(root, 'src/extension/gate.ts'), 'utf8')).toContain(
      'new Processes(() => vscode.workspace.isTrusted)',
    );
  });
});

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

  it('has no cycle of imports, those of types counted', () => {
    const cycles = cyclesOf(importGraph(files));
    expect(cycles).toEqual([]);
  });

  it('leads nowhere up from the network', () => {
    expect(arrows(importGraph(files), 'src/network', above)).toEqual([]);
  });

  it(`has no folder of more than ${mostFiles} files, but for the claims, one a statement`, () => {
    const full = fullFolders(['src', 'webview'].flatMap(everyFile), mostFiles);
    expect(Object.keys(full)).toEqual(['src/theory/claims']);
  });
});

describe('the checks of the house, under planted faults', () => {
  const sound: readonly (readonly [string, readonly string[]])[] = [
    ['src/network/a.ts', ['src/network/b.ts', 'src/core/c.ts']],
    ['src/network/b.ts', ['src/core/c.ts']],
    ['src/core/c.ts', []],
  ];

  it.each([
    ['of two', 'src/core/c.ts', 'src/network/b.ts', ['src/core/c.ts', 'src/network/b.ts']],
    [
      'of three',
      'src/core/c.ts',
      'src/network/a.ts',
      ['src/core/c.ts', 'src/network/a.ts', 'src/network/b.ts'],
    ],
    ['of one', 'src/core/c.ts', 'src/core/c.ts', ['src/core/c.ts']],
  ])('find a cycle %s', (_, from, to, group) => {
    expect(cyclesOf(new Map(sound))).toEqual([]);
    const faulty = new Map<string, readonly string[]>(sound);
    faulty.set(from, [...(faulty.get(from) ?? []), to]);
    expect(cyclesOf(faulty)).toEqual([group]);
  });

  it('see imports of types, re-exports and imports on the way, as the sources write them', () => {
    const imports = importsOf('src/experiment/definition.ts');
    expect(imports).toContain('../network/models/spec.js');
    expect(importsOf('src/network/training/spec.ts')).toContain('../data/spec.js');
    const graph = importGraph(files);
    expect(graph.get('src/experiment/definition.ts')).toContain('src/network/models/spec.ts');
    expect(graph.get('src/network/training/spec.ts')).toContain('src/network/data/spec.ts');
  });

  it('find an arrow up, and a folder too full', () => {
    const faulty = new Map<string, readonly string[]>([['src/network/a/b.ts', ['src/experiment/load.ts']]]);
    expect(arrows(faulty, 'src/network', above)).toEqual(['src/network/a/b.ts -> src/experiment/load.ts']);
    expect(arrows(new Map(sound), 'src/network', above)).toEqual([]);
    const many = Array.from({ length: mostFiles + 1 }, (_, i) => `src/core/${i}.ts`);
    expect(fullFolders(many, mostFiles)).toEqual({ 'src/core': mostFiles + 1 });
    expect(fullFolders(many.slice(1), mostFiles)).toEqual({});
  });
});
