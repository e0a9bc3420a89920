import path from 'node:path';
import * as vscode from 'vscode';
import { deleteRun, readSweepFile, type SweepRequest } from '../../runs/index.js';
import type { Services } from '../services.js';
import { settings } from '../settings.js';
import type { SweepNode } from '../views/runNodes.js';
import { costWords, editGrid } from './sweepEditor.js';
import { chooseTarget, dataFor } from './targets.js';

type Handler = (...args: unknown[]) => unknown;

/** Commands on grids of runs: start one, go on with one, look at one, delete one. */
export function sweepCommands(services: Services): Readonly<Record<string, Handler>> {
  const { scans, runs, sweeps, places } = services;

  async function start(given: unknown, axes: Readonly<Record<string, string>>, edit: boolean): Promise<void> {
    const target = await chooseTarget(scans, given);
    if (!target) return;
    const data = await dataFor(scans, target);
    if (data === undefined) return;
    const last = runs.lastOf(target.file, target.exportName);
    const title = vscode.l10n.t('Sweep of {0}', path.basename(target.file));
    const vary = edit
      ? await editGrid(title, axes, last)
      : await confirmed(
          Object.entries(axes).map(([field, values]) => `${field}=${values}`),
          last,
        );
    if (!vary) return;
    const { file, exportName } = target;
    await go(sweeps.newFolder(file), {
      file,
      export: exportName,
      vary,
      set: [],
      data: data === null ? undefined : data,
    });
  }

  async function go(folder: string, request: SweepRequest): Promise<void> {
    await vscode.workspace.saveAll(false);
    const { failure } = await sweeps.run(folder, request);
    if (!failure) return;
    services.log.error(failure);
    const show = vscode.l10n.t('Show log');
    const answer = await vscode.window.showErrorMessage(failure, show);
    if (answer === show) services.log.show();
  }

  /** The sweep a command is about: the tree item's, else one that the user picks. */
  async function choose(given: unknown, title: string): Promise<string | undefined> {
    const node = given as Partial<SweepNode> | undefined;
    if (node?.kind === 'sweep') return node.folder;
    const items = places.sweepFolders().flatMap((folder) => {
      const sweep = readSweepFile(folder);
      return sweep
        ? [{ label: path.basename(folder), description: sweep.request.vary.join('  '), folder }]
        : [];
    });
    if (items.length === 0) {
      void vscode.window.showInformationMessage(
        vscode.l10n.t('There is no sweep yet. Start one with the command “Sweep…”.'),
      );
      return undefined;
    }
    return (await vscode.window.showQuickPick(items.reverse(), { title }))?.folder;
  }

  return {
    sweepWidth: (given) => start(given, { 'model.width': settings.sweepWidths.join(',') }, false),
    sweep: (given) => start(given, { 'model.width': settings.sweepWidths.join(','), seed: '0..2' }, true),
    showSweep: async (given) => {
      const folder = await choose(given, vscode.l10n.t('Show which sweep?'));
      const sweep = folder && readSweepFile(folder);
      if (folder && sweep) sweeps.show(folder, sweep.request);
    },
    resumeSweep: async (given) => {
      const folder = await choose(given, vscode.l10n.t('Go on with which sweep?'));
      const sweep = folder && readSweepFile(folder);
      if (folder && sweep) await go(folder, sweep.request);
    },
    deleteSweep: async (given) => {
      const folder = await choose(given, vscode.l10n.t('Delete which sweep?'));
      if (!folder) return;
      const yes = vscode.l10n.t('Delete');
      const answer = await vscode.window.showWarningMessage(
        vscode.l10n.t('Delete {0} and everything it recorded?', path.basename(folder)),
        { modal: true },
        yes,
      );
      if (answer !== yes) return;
      deleteRun(folder);
      runs.refresh();
    },
  };
}

/** Asks before many runs begin: what varies, how many they are, how long they take. */
async function confirmed(
  vary: readonly string[],
  last: Parameters<typeof costWords>[1],
): Promise<readonly string[] | undefined> {
  const go = vscode.l10n.t('Start');
  const answer = await vscode.window.showInformationMessage(
    costWords(vary, last),
    { modal: true, detail: vary.join('\n') },
    go,
  );
  return answer === go ? vary : undefined;
}
