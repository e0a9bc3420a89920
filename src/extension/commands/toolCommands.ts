import * as vscode from 'vscode';
import { giveTypes } from '../editor/editorTypes.js';
import { explain } from '../editor/explain.js';
import type { Services } from '../services.js';
import { settings } from '../settings.js';
import { spoken } from '../spoken/spoken.js';
import { runCli } from '../tools/cliTask.js';

type Handler = (...args: unknown[]) => unknown;

/** Commands around the training: backends, templates, explanations. */
export function toolCommands(services: Services): Readonly<Record<string, Handler>> {
  const { places, log } = services;

  const failed = (text: string) => {
    const show = vscode.l10n.t('Show log');
    void vscode.window.showErrorMessage(text, show).then((answer) => answer === show && log.show());
  };

  return {
    doctor: async () => {
      const args = ['doctor', '--backend', settings.backend];
      const result = await runCli(places, args, vscode.l10n.t('Looking at the backends'), log);
      log.info(result.stdout);
      log.show();
    },
    setUpNative: async () => {
      const go = vscode.l10n.t('Set up');
      const answer = await vscode.window.showInformationMessage(
        vscode.l10n.t('Set up the native backend?'),
        {
          modal: true,
          detail: vscode.l10n.t(
            'It trains five to ten times faster. TensorFlow is downloaded (up to 300 MB) or taken from a Python that has it.',
          ),
        },
        go,
      );
      if (answer !== go) return;
      const result = await runCli(places, ['native'], vscode.l10n.t('Setting up the native backend'), log);
      log.info(result.stdout);
      if (result.code === 0)
        void vscode.window.showInformationMessage(
          vscode.l10n.t('The native backend is ready; the next run uses it.'),
        );
      else
        failed(
          spoken(result.stderr.trim().split('\n').at(-1) ?? '') ||
            vscode.l10n.t('The native backend could not be set up.'),
        );
    },
    newModelFile: async () => {
      const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
      const templates = places.media('templates');
      const names = (await vscode.workspace.fs.readDirectory(templates))
        .map(([name]) => name)
        .filter((name) => /\.[jt]s$/.test(name));
      const items = await Promise.all(
        names.sort().map(async (name) => {
          const text = Buffer.from(
            await vscode.workspace.fs.readFile(vscode.Uri.joinPath(templates, name)),
          ).toString('utf8');
          const comment = text
            .split('\n')
            .filter((line) => line.startsWith('//'))
            .map((line) => line.slice(2).trim())
            .join(' ');
          return { label: name.replace(/\.[jt]s$/, ''), detail: comment, name, text };
        }),
      );
      const chosen = await vscode.window.showQuickPick(items, {
        title: vscode.l10n.t('Start from which template?'),
        matchOnDetail: true,
      });
      if (!chosen) return;
      if (!folder) {
        await vscode.window.showTextDocument(
          await vscode.workspace.openTextDocument({ language: 'typescript', content: chosen.text }),
        );
        return;
      }
      let target = vscode.Uri.joinPath(folder, chosen.name);
      for (let i = 2; await exists(target); i++)
        target = vscode.Uri.joinPath(folder, chosen.name.replace(/(\.[jt]s)$/, `-${i}$1`));
      await vscode.workspace.fs.writeFile(target, Buffer.from(chosen.text));
      await vscode.window.showTextDocument(target);
    },
    addTypes: async (uri) => {
      const folder =
        uri instanceof vscode.Uri
          ? vscode.workspace.getWorkspaceFolder(uri)?.uri
          : vscode.workspace.workspaceFolders?.[0]?.uri;
      if (folder) await giveTypes(places, folder.fsPath);
    },
    explain: (given) => explain(places, given),
    openWalkthrough: () =>
      vscode.commands.executeCommand(
        'workbench.action.openWalkthrough',
        'kernelscope.kernelscope#kernelscope.start',
        false,
      ),
    openSettings: () =>
      vscode.commands.executeCommand('workbench.action.openSettings', '@ext:kernelscope.kernelscope'),
    showOutput: () => log.show(),
  };
}

async function exists(uri: vscode.Uri): Promise<boolean> {
  try {
    await vscode.workspace.fs.stat(uri);
    return true;
  } catch {
    return false;
  }
}
