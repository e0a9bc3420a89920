import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { activationNames } from '../../src/core/kernels/activations.js';
import { encodeNpy } from '../../src/core/npy.js';
import { cli } from '../helpers/cli.js';
import { root, temporaryFolder } from '../helpers/folders.js';

const page = readFileSync(path.join(root, 'docs', 'command-line.md'), 'utf8');
const commands = [...cli(['--help']).stdout.matchAll(/^ {2}(\w+)[ \w[\]<>.|-]* {2,}\S/gm)]
  .map(([, name]) => name)
  .filter((name) => name !== 'help');
const optionsOf = (help: string) => [...help.matchAll(/^ {2}(--[\w-]+)/gm)].map(([, option]) => option);

let place: ReturnType<typeof temporaryFolder>;
beforeAll(() => {
  place = temporaryFolder();
  for (const file of ['builder.js', 'architectures/mlp.json']) {
    const to = path.join(place.path, 'examples', file);
    mkdirSync(path.dirname(to), { recursive: true });
    copyFileSync(path.join(root, 'examples', file), to);
  }
});
afterAll(() => place.clean());

describe('docs/command-line.md', () => {
  it.each(commands)('names the command %s and every option of it', (command) => {
    const help = cli(command === 'bench' ? ['bench', 'ntk', '--help'] : [command, '--help']).stdout;
    expect(page).toMatch(new RegExp(`^#+ .*\\b${command}\\b`, 'm'));
    const missing = optionsOf(help).filter((option) => !page.includes(option));
    expect(missing).toEqual([]);
  });

  it('names every activation', () => {
    const without = new Set(['linear']);
    expect(activationNames.filter((name) => !without.has(name) && !page.includes(`\`${name}\``))).toEqual([]);
  });

  const lines = [...page.matchAll(/^kernelscope (kernel|limit) .*$/gm)].map(([line]) => line);
  it.each(lines)('%s', (line) => {
    const width = /mlp\.json/.test(line) ? 5 : 64;
    const x = Float32Array.from({ length: 3 * width }, (_, i) => Math.sin(i));
    writeFileSync(path.join(place.path, 'X.npy'), encodeNpy(x, [3, width]));
    const result = cli(line.split(' ').slice(1), place.path);
    expect(result).toMatchObject({ code: 0, stderr: '' });
  });

  it('has examples of both', () => expect(lines.length).toBe(4));
});
