import * as vscode from 'vscode';
import { preloadOption, settingsVariable, type WatchSettings } from '../../watch/settings.js';
import type { Places } from '../places.js';
import { settings } from '../settings.js';

/**
 * Auto Watch: programs started in the integrated terminals of a trusted workspace are observed if they train. Off until the
 * user turns it on; terminals that are open already keep their environment.
 */
export class AutoWatch implements vscode.Disposable {
  private readonly subscriptions: vscode.Disposable[];

  constructor(
    private readonly places: Places,
    private readonly environment: vscode.GlobalEnvironmentVariableCollection,
  ) {
    environment.persistent = false;
    environment.description = vscode.l10n.t('Observes programs that train with TensorFlow.js.');
    this.subscriptions = [
      vscode.workspace.onDidChangeConfiguration(
        (e) => e.affectsConfiguration('kernelscope.autoWatch') && this.update(),
      ),
      vscode.workspace.onDidGrantWorkspaceTrust(() => this.update()),
    ];
    this.update();
  }

  private update(): void {
    this.environment.clear();
    if (!settings.autoWatch || !vscode.workspace.isTrusted) return;
    for (const folder of vscode.workspace.workspaceFolders ?? []) {
      if (folder.uri.scheme !== 'file') continue;
      const wanted: WatchSettings = { runs: this.places.runsFolderOf(folder.uri.fsPath) };
      const scoped = this.environment.getScoped({ workspaceFolder: folder });
      scoped.append('NODE_OPTIONS', ` ${preloadOption(this.places.dist())}`);
      scoped.replace(settingsVariable, JSON.stringify(wanted));
    }
  }

  dispose(): void {
    for (const s of this.subscriptions) s.dispose();
  }
}
