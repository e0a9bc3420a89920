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
  const target = path.resolve(
    format === 'tensorboard' ? path.join(options.out ?? '.', name) : (options.out ?? name),
  );
  writeAtomically(target, bytes);
  process.stdout.write(`${target}\n`);
}
