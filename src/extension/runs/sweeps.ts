import path from 'node:path';
import * as vscode from 'vscode';
import { type SweepRequest, sweepFiles } from '../../runs/index.js';
import type { ToolPages } from '../panel/toolPages.js';
import type { Places } from '../places.js';
import { settings } from '../settings.js';
import { spoken } from '../spoken/spoken.js';
import { runCli } from '../tools/cliTask.js';
import type { RunManager } from './runManager.js';

/** Sweeps of this window: the command line runs them, the page is drawn again after every cell, cancel keeps what is done. */
export class Sweeps {
  private readonly active = new Set<string>();

  constructor(
    private readonly places: Places,
    private readonly runs: RunManager,
    private readonly pages: ToolPages,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  /** Whether the sweep of a folder goes on now. */
  goesOn(folder: string): boolean {
    return this.active.has(folder);
  }

  get someGoOn(): boolean {
    return this.active.size > 0;
  }

  /** A folder for a new sweep of a model file. */
  newFolder(file: string): string {
    const time = new Date().toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
    return path.join(this.places.runsFolder(file), '..', 'sweeps', `sweep-${time}`);
  }

  title(request: SweepRequest): string {
    return vscode.l10n.t('Sweep of {0}', path.basename(request.file));
  }

  show(folder: string, request: SweepRequest): void {
    this.pages.show(this.title(request), path.join(folder, sweepFiles.page));
  }

  /** Runs the cells that are not done yet. Resolves to whether all of them are; a failure is told by its last line. */
  async run(folder: string, request: SweepRequest): Promise<{ done: boolean; failure?: string }> {
    if (this.active.has(folder)) return { done: false };
    this.active.add(folder);
    this.show(folder, request);
    this.runs.refresh();
    try {
      const { code, stderr } = await runCli(
        this.places,
        argumentsOf(folder, request),
        this.title(request),
        this.log,
      );
      if (code === 0) return { done: true };
      if (code === 130) return { done: false };
      return {
        done: false,
        failure: spoken(stderr.trim().split('\n').at(-1) ?? '') || vscode.l10n.t('The sweep failed.'),
      };
    } finally {
      this.active.delete(folder);
      this.runs.refresh();
    }
  }
}

function argumentsOf(folder: string, request: SweepRequest): string[] {
  const option = (name: string, value: string | undefined) => (value === undefined ? [] : [name, value]);
  return [
    'sweep',
    request.file,
    ...option('--export', request.export),
    ...request.vary.flatMap((text) => ['--vary', text]),
    ...request.set.flatMap((text) => ['--set', text]),
    ...option('--seed', request.seed),
    ...option('--data', request.data),
    ...['--out', folder, '--jobs', String(settings.sweepJobs), '--backend', settings.backend, '--json'],
  ];
}
