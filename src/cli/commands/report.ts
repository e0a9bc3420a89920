import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { reportPage, writeAtomically } from '../../runs/index.js';

export function register(program: Command): void {
  program
    .command('report')
    .description('write a self-contained HTML page with the charts of one or more runs')
    .argument('<run...>', 'run folders')
    .requiredOption('--out <file>', 'where to write the page')
    .action((runs: string[], { out }: { out: string }) => {
      process.stdout.write(`${writeReport(runs, out)}\n`);
    });
}

/** Writes the report of some runs; returns the absolute path. */
export function writeReport(runs: readonly string[], out: string): string {
  const parts = path.join(__dirname, 'webview');
  const target = path.resolve(out);
  const page = reportPage(runs, {
    script: readFileSync(path.join(parts, 'report.js'), 'utf8'),
    styles: readFileSync(path.join(parts, 'styles.css'), 'utf8'),
  });
  writeAtomically(target, page);
  return target;
}
