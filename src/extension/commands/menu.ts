import * as vscode from 'vscode';
import type { Services } from '../services.js';

/** What the status item offers: the live runs first, then what can be started. */
export async function showMenu({ runs }: Services): Promise<void> {
  const { l10n } = vscode;
  type Item = vscode.QuickPickItem & { command?: string; argument?: string };
  const live: Item[] = runs.running.flatMap(({ model }) =>
    model
      ? [
          {
            label: `$(graph) ${model.name}`,
            description: l10n.t('show the dashboard'),
            command: 'showRun',
            argument: model.id,
          },
          model.status === 'paused'
            ? { label: `$(debug-continue) ${l10n.t('Resume')}`, command: 'resume', argument: model.id }
            : { label: `$(debug-pause) ${l10n.t('Pause')}`, command: 'pause', argument: model.id },
          { label: `$(debug-stop) ${l10n.t('Stop')}`, command: 'stop', argument: model.id },
        ]
      : [],
  );
  const actions: Item[] = [
    { label: `$(play) ${l10n.t('Run an experiment')}`, command: 'run' },
    { label: `$(new-file) ${l10n.t('New model file from a template')}`, command: 'newModelFile' },
    { label: `$(dashboard) ${l10n.t('Show the dashboard')}`, command: 'showDashboard' },
    { label: `$(diff) ${l10n.t('Compare runs')}`, command: 'compareRuns' },
    { label: `$(beaker) ${l10n.t('Verify a claim')}`, command: 'verifyClaim' },
    { label: `$(pulse) ${l10n.t('Which backend runs, and why')}`, command: 'doctor' },
    { label: `$(settings-gear) ${l10n.t('Settings')}`, command: 'openSettings' },
  ];
  const separator: Item = { label: '', kind: vscode.QuickPickItemKind.Separator };
  const chosen = await vscode.window.showQuickPick(
    live.length > 0 ? [...live, separator, ...actions] : actions,
    { title: 'Kernelscope' },
  );
  if (chosen?.command) await vscode.commands.executeCommand(`kernelscope.${chosen.command}`, chosen.argument);
}
