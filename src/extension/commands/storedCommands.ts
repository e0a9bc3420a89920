import path from 'node:path';
import * as vscode from 'vscode';
import {
  deleteRun,
  editRun,
  exportFormats,
  exportName,
  exportRun,
  importRun,
  readRunFile,
  reportPage,
  runIdOf,
} from '../../runs/index.js';
import { saveFile } from '../panel/dashboard.js';
import type { Services } from '../services.js';
import { idOf } from './runCommands.js';

type Handler = (...args: unknown[]) => unknown;

/** Commands on recorded runs: show, compare, pin, rename, delete, export, import, report. */
export function storedCommands(services: Services): Readonly<Record<string, Handler>> {
  const { runs, dashboards, runsTree, places } = services;

  async function choose(given: unknown, title: string): Promise<string | undefined> {
    const id = idOf(given);
    if (id) return id;
    const items = runsTree
      .items()
      .map((item) => ({ label: item.name, description: item.startedAt.slice(0, 19), id: item.id }));
    if (items.length === 0) {
      void vscode.window.showInformationMessage(
        vscode.l10n.t('There are no runs yet. Train an experiment first.'),
      );
      return undefined;
    }
    return (await vscode.window.showQuickPick(items, { title }))?.id;
  }

  const folderOf = (id: string): string | undefined =>
    runs.byId(id)?.model?.info.folder ?? runs.stored().find((run) => run.info.run === id)?.info.folder;

  async function withFolder(
    given: unknown,
    title: string,
    work: (folder: string, id: string) => unknown,
  ): Promise<void> {
    const id = await choose(given, title);
    const folder = id && folderOf(id);
    if (id && folder) await work(folder, id);
  }

  /** The runs that are selected in the tree, else the one that the user picks. */
  async function several(
    given: unknown,
    others: unknown,
    title: string,
  ): Promise<{ readonly id: string; readonly folder: string }[]> {
    const selected = Array.isArray(others) ? others.map(idOf).filter((id) => id !== undefined) : [];
    const ids = selected.length > 0 ? selected : [await choose(given, title)];
    return ids.flatMap((id) => {
      const folder = id && folderOf(id);
      return id && folder ? [{ id, folder }] : [];
    });
  }

  return {
    showRun: async (given) => {
      const id = await choose(given, vscode.l10n.t('Show which run?'));
      if (id) dashboards.show([id]);
    },
    showDashboard: async (given) => {
      const id = idOf(given) ?? runs.running.at(-1)?.model?.id ?? runs.stored()[0]?.info.run;
      if (id) dashboards.show([id]);
      else await vscode.commands.executeCommand('kernelscope.run');
    },
    compareRuns: async (given, others) => {
      const chosen = Array.isArray(others)
        ? others.map(idOf).filter((id): id is string => id !== undefined)
        : [];
      if (chosen.length > 1) {
        dashboards.show(chosen);
        return;
      }
      const first = idOf(given);
      const items = runsTree.items().map((item) => ({
        label: item.name,
        description: item.startedAt.slice(0, 19),
        id: item.id,
        picked: item.id === first,
      }));
      const picked = await vscode.window.showQuickPick(items, {
        title: vscode.l10n.t('Compare which runs? The first one is the reference.'),
        canPickMany: true,
      });
      if (picked && picked.length > 1) dashboards.show(picked.map((item) => item.id));
    },
    pinRun: async (given, others) => {
      const chosen = await several(given, others, vscode.l10n.t('Pin which run?'));
      const pinned = !chosen.every(({ folder }) => readRunFile(folder).pinned ?? false);
      for (const { folder } of chosen) editRun(folder, { pinned });
      runs.refresh();
    },
    renameRun: (given) =>
      withFolder(given, vscode.l10n.t('Rename which run?'), async (folder, id) => {
        const run = readRunFile(folder);
        const label = await vscode.window.showInputBox({
          title: vscode.l10n.t('New name of the run'),
          value: run.label ?? run.info.name,
          validateInput: (text) =>
            text.trim() === '' ? vscode.l10n.t('A run needs a name; Escape keeps the old one.') : null,
        });
        if (!label) return;
        editRun(folder, { label: label.trim() });
        runs.rename(id, label.trim());
      }),
    deleteRun: async (given, others) => {
      const chosen = await several(given, others, vscode.l10n.t('Delete which run?'));
      if (chosen.length === 0) return;
      const yes = vscode.l10n.t('Delete');
      const answer = await vscode.window.showWarningMessage(
        chosen.length === 1
          ? vscode.l10n.t('Delete {0} and everything it recorded?', path.basename(chosen[0].folder))
          : vscode.l10n.t('Delete {0} runs and everything they recorded?', chosen.length),
        { modal: true, detail: chosen.map(({ folder }) => path.basename(folder)).join('\n') },
        yes,
      );
      if (answer !== yes) return;
      for (const { id, folder } of chosen) {
        const active = runs.byId(id);
        if (active) await runs.stop(active);
        deleteRun(folder);
        runs.forget(id);
      }
    },
    openRunFolder: (given) =>
      withFolder(given, vscode.l10n.t('Open the folder of which run?'), (folder) =>
        vscode.commands
          .executeCommand('revealInExplorer', vscode.Uri.file(path.join(folder, 'run.json')))
          .then(() =>
            vscode.window.showTextDocument(vscode.Uri.file(path.join(folder, 'run.json')), { preview: true }),
          ),
      ),
    report: (given) =>
      withFolder(given, vscode.l10n.t('Report on which run?'), async (folder) => {
        const read = async (name: string) =>
          Buffer.from(
            await vscode.workspace.fs.readFile(vscode.Uri.file(places.dist('webview', name))),
          ).toString('utf8');
        const page = reportPage([folder], {
          script: await read('report.js'),
          styles: await read('styles.css'),
        });
        const target = await saveFile(`${path.basename(folder)}.html`, Buffer.from(page));
        if (!target) return;
        const open = vscode.l10n.t('Open');
        const answer = await vscode.window.showInformationMessage(
          vscode.l10n.t('Wrote {0}.', target.fsPath),
          open,
        );
        if (answer === open) await vscode.env.openExternal(target);
      }),
    exportRun: (given) =>
      withFolder(given, vscode.l10n.t('Export which run?'), async (folder) => {
        const format = await vscode.window.showQuickPick([...exportFormats], {
          title: vscode.l10n.t('Export as'),
        });
        const known = exportFormats.find((f) => f === format);
        if (known) await saveFile(exportName(folder, known), exportRun(folder, known));
      }),
    importRun: async () => {
      const chosen = await vscode.window.showOpenDialog({
        canSelectFolders: true,
        canSelectFiles: false,
        title: vscode.l10n.t('Run folder to import'),
      });
      const source = chosen?.[0]?.fsPath;
      const target = places.runsFolders()[0];
      if (!source || !target) return;
      const place = importRun(source, target);
      runs.refresh();
      dashboards.show([runIdOf(place)]);
    },
    filterRuns: async () => {
      const text = await vscode.window.showInputBox({
        title: vscode.l10n.t('Show only runs that contain'),
        prompt: vscode.l10n.t('Name, status or regime; empty shows all'),
        value: runsTree.filter,
      });
      if (text !== undefined) runsTree.filter = text;
    },
    clearFilter: () => {
      runsTree.filter = '';
    },
    refreshRuns: () => runs.refresh(),
  };
}
