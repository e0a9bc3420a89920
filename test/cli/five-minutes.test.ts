import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRun, readSnapshots } from '../../src/runs/index.js';
import { root, temporaryFolder } from '../helpers/folders.js';
import { installPacked, writeProjectFile } from '../helpers/packed.js';

/** The projects of docs/five-minutes.md: files (named in their first line) and commands, by the titles of the sections. */
const sections = readFileSync(path.join(root, 'docs', 'five-minutes.md'), 'utf8')
  .split(/^## /m)
  .slice(1)
  .map((text) => ({
    title: text.slice(0, text.indexOf('\n')),
    files: [...text.matchAll(/^```(?:js|ts|json)\n\/\/ (\S+)\n([\s\S]*?)^```/gm)].map(
      ([, name, code]) => [name, code] as const,
    ),
    commands: [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([, lines]) => lines.trim().split('\n')),
  }));

const places: ReturnType<typeof temporaryFolder>[] = [];
let packed: string;
beforeAll(() => {
  const place = temporaryFolder();
  places.push(place);
  packed = place.path;
  installPacked(packed, ['@tensorflow/tfjs', 'tsx']);
}, 120_000);
afterAll(() => {
  for (const place of places) place.clean();
});

/** An empty folder with the package installed. */
function emptyProject(): string {
  const place = temporaryFolder();
  places.push(place);
  const modules = path.join(place.path, 'node_modules');
  mkdirSync(path.join(modules, '@acme'), { recursive: true });
  for (const name of ['kernelscope', '@tensorflow'])
    symlinkSync(path.join(packed, 'node_modules', name), path.join(modules, name), 'junction');
  mkdirSync(path.join(modules, '.bin'));
  symlinkSync(path.join(packed, 'package', 'dist', 'cli.js'), path.join(modules, '.bin', 'kernelscope'));
  symlinkSync(path.join(root, 'node_modules', 'tsx'), path.join(modules, 'tsx'), 'junction');
  symlinkSync(path.join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs'), path.join(modules, '.bin', 'tsx'));
  return place.path;
}

const expected: Readonly<Record<string, { stdout: RegExp; columns: readonly string[]; kernel: boolean }>> = {
  'A script with fit': {
    stdout: /^true$/m,
    columns: ['loss', 'gradientNorm', 'movement', 'drift', 'lambdaMax', 'lambdaMin'],
    kernel: true,
  },
  'A loop of your own': { stdout: /^true$/m, columns: ['loss', 'gradientNorm', 'drift'], kernel: true },
  'A TypeScript monorepo': {
    stdout: /^51$/m,
    columns: ['loss', 'trainAccuracy', 'testLoss', 'accuracy', 'drift'],
    kernel: true,
  },
  'Plain variables': {
    stdout: /^2\.00 1\.00$/m,
    columns: ['loss', 'gradientNorm', 'movement', 'movement.line'],
    kernel: false,
  },
};

describe('your project in five minutes', () => {
  it('has the projects that are tested', () => {
    expect(sections.map(({ title }) => title)).toEqual(Object.keys(expected));
  });

  it.each(sections)('$title', ({ title, files, commands }) => {
    const project = emptyProject();
    for (const [name, code] of files) writeProjectFile(project, name, code);
    const model = path.join(project, 'packages', 'model');
    // What npm does with workspaces.
    if (existsSync(model))
      symlinkSync(model, path.join(project, 'node_modules', '@acme', 'model'), 'junction');
    expect(commands.length).toBeGreaterThan(0);
    const { stdout: wanted, columns, kernel } = expected[title];
    for (const [i, command] of commands.entries()) {
      const [, ...args] = command.split(' ');
      const { status, stdout, stderr } = spawnSync(
        path.join(project, 'node_modules', '.bin', args[0]),
        args.slice(1),
        {
          cwd: project,
          encoding: 'utf8',
        },
      );
      expect(status, stderr).toBe(0);
      if (i > 0) continue;
      expect(stdout).toMatch(wanted);
      expect(stderr.trim().split('\n').at(-1)).toMatch(/^kernelscope: watched run: .*run$/);
    }
    const run = path.join(project, 'run');
    const { metrics } = readRun(run);
    for (const column of columns) expect(Object.keys(metrics.columns)).toContain(column);
    expect(readSnapshots(run, ['kernel']).length > 0).toBe(kernel);
  });
});
