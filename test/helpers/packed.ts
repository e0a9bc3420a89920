import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './folders.js';

/** Links the packed package into a project, with its dependencies and some packages of ours, as npm would install them. */
export function installPacked(project: string, further: readonly string[]): void {
  const pack = spawnSync('npm', ['pack', '--ignore-scripts', '--pack-destination', project], {
    cwd: root,
    encoding: 'utf8',
  });
  if (pack.status !== 0) throw new Error(pack.stderr);
  const tarball = readdirSync(project).find((name) => name.endsWith('.tgz')) as string;
  spawnSync('tar', ['-xzf', tarball], { cwd: project });
  const modules = path.join(project, 'node_modules');
  mkdirSync(path.join(modules, '.bin'), { recursive: true });
  const installed = path.join(project, 'package');
  symlinkSync(installed, path.join(modules, 'kernelscope'), 'junction');
  symlinkSync(path.join(installed, 'dist', 'cli.js'), path.join(modules, '.bin', 'kernelscope'));
  const { dependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of [...Object.keys(dependencies), ...further])
    for (const folder of [modules, path.join(installed, 'node_modules')]) {
      const at = path.join(folder, name);
      mkdirSync(path.dirname(at), { recursive: true });
      symlinkSync(path.join(root, 'node_modules', name), at, 'junction');
    }
}

/** Writes a file of a project with the folders above it. */
export function writeProjectFile(project: string, name: string, text: string): void {
  const file = path.join(project, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}
