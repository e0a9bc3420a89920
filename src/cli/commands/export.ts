import { existsSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { InputError } from '../../core/errors.js';
import {
  type ExportFormat,
  exportFormats,
  exportName,
  exportRun,
  writeAtomically,
} from '../../runs/index.js';

export function register(program: Command): void {
  program
    .command('export')
    .description('write a run in another format')
    .argument('<run>', 'run folder')
    .requiredOption('--format <format>', exportFormats.join(', '))
    .option('--out <file>', 'file (for tensorboard: the log folder); default: named after the run, here')
    .option('--absolute-paths', 'json: keep where on this machine the run and its model file lie')
    .action(exportAction);
}

function exportAction(run: string, options: { format: string; out?: string; absolutePaths?: boolean }): void {
  if (!exportFormats.includes(options.format as ExportFormat))
    throw new InputError(`--format is "${options.format}"; it must be one of ${exportFormats.join(', ')}.`, {
      field: '--format',
    });
  const format = options.format as ExportFormat;
  const bytes = exportRun(run, format, { places: options.absolutePaths });
  const name = exportName(path.resolve(run), format);
  // TensorBoard reads folders, and only files of this name.
  const target =
    format === 'tensorboard'
      ? path.join(logFolder(path.resolve(options.out ?? '.'), name), name)
      : path.resolve(options.out ?? name);
  writeAtomically(target, bytes);
  process.stdout.write(`${target}\n`);
}

/**
 * Where in a log folder a run's events go: TensorBoard takes all files of one folder for one run, so a second run has a folder
 * of its own. An earlier export of the same run gives way.
 */
function logFolder(folder: string, name: string): string {
  // Behind the time: the run's id and a hash of its folder, for runs of one name in several folders.
  const own = name.replace(/^events\.out\.tfevents\.\d+/, '');
  const id = own.slice(1).replace(/-[0-9a-f]{8}$/, '');
  for (const place of [folder, path.join(folder, id)]) {
    const events = existsSync(place) ? readdirSync(place).filter((file) => file.includes('tfevents')) : [];
    const same = events.filter((file) => file.endsWith(own));
    for (const file of same) rmSync(path.join(place, file));
    if (events.length === same.length) return place;
  }
  return path.join(folder, own.slice(1));
}
