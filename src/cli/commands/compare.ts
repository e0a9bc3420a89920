import type { Command } from 'commander';
import { InputError } from '../../core/errors.js';
import { compareRuns } from '../../runs/index.js';
import { printJson, short } from '../io/options.js';
import { writeReport } from './report.js';

export function register(program: Command): void {
  program
    .command('compare')
    .description('say in what runs differ, and in what they end')
    .argument('<run...>', 'two or more run folders')
    .option('--out <file>', 'also write an HTML page with the runs in the same charts')
    .option('--json', 'one JSON document on stdout')
    .action(compareAction);
}

function compareAction(folders: readonly string[], options: { out?: string; json?: boolean }): void {
  if (folders.length < 2) throw new InputError('compare needs at least two run folders.');
  const comparison = compareRuns(folders);
  if (options.out) writeReport(folders, options.out);
  if (options.json) {
    printJson(comparison);
    return;
  }
  const names = comparison.runs.map((r, i) => `${i + 1} ${r.name}`.slice(0, 22).padStart(22));
  const text = (value: unknown) =>
    typeof value === 'number' ? short(value) : value === null ? '–' : JSON.stringify(value);
  const line = (label: string, cells: readonly unknown[]) =>
    process.stdout.write(
      `${label.padEnd(28)}${cells.map((c) => text(c).slice(0, 22).padStart(22)).join('')}\n`,
    );
  process.stdout.write(`${''.padEnd(28)}${names.join('')}\n`);
  line(
    'status',
    comparison.runs.map((r) => r.status),
  );
  for (const [field, values] of Object.entries(comparison.differences)) line(field, values);
  process.stdout.write('\n');
  for (const [name, values] of Object.entries(comparison.values)) line(name, values);
  process.stdout.write(
    comparison.identical
      ? '\nEvery number at common steps is bitwise the same.\n'
      : '\nThe runs differ at common steps.\n',
  );
}
