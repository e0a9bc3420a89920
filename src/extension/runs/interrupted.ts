import path from 'node:path';
import * as vscode from 'vscode';
import { changedAt, files } from '../../runs/index.js';
import type { RunManager } from './runManager.js';

/** Looks at runs that still say that they go on, a quarter of a second apart. */
const attempts = 60;
/** Milliseconds within which a run that ended counts as one of the last window. */
const recent = 60_000;
const storageKey = 'kernelscope.active';

/**
 * Remembers which runs go on in this window. A reload of the window ends their trainers: the next window names the runs
 * that were cut off and offers to go on with them.
 */
export class InterruptedRuns implements vscode.Disposable {
  private readonly subscription: vscode.Disposable;
  private remembered = '';

  constructor(
    private readonly runs: RunManager,
    private readonly state: vscode.Memento,
  ) {
    const before = state.get<readonly string[]>(storageKey, []);
    this.subscription = runs.onDidChange(() => this.remember());
    if (vscode.workspace.isTrusted) setTimeout(() => void this.offer(before), 0);
  }

  private remember(): void {
    const ids = this.runs.running.flatMap(({ model }) => (model ? [model.id] : []));
    if (ids.join() === this.remembered) return;
    this.remembered = ids.join();
    void this.state.update(storageKey, ids);
  }

  private async offer(ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.state.update(storageKey, []);
    const started = Date.now();
    // A browser may have lost what the last window wrote at the very end, so a run.json that has just changed counts too.
    const ours = () =>
      this.runs
        .stored()
        .filter(
          (run) =>
            run.sweep === undefined &&
            !this.runs.byId(run.info.run) &&
            (ids.includes(run.info.run) ||
              started - changedAt(path.join(run.info.folder, files.run)) < recent),
        );
    // The last window's trainers may still be writing their checkpoints.
    for (let i = 0; i < attempts && ours().some((run) => run.status === 'running'); i++)
      await new Promise((resolve) => setTimeout(resolve, 250));
    const cut = ours().filter((run) => run.status === 'interrupted');
    if (cut.length === 0) return;
    const resume = vscode.l10n.t('Resume');
    const names = cut.map((run) => run.label ?? run.info.name).join(', ');
    const answer = await vscode.window.showInformationMessage(
      vscode.l10n.t('{0} was cut off when the window closed. What was recorded is kept.', names),
      resume,
    );
    if (answer !== resume) return;
    for (const run of cut) await vscode.commands.executeCommand('kernelscope.resume', run.info.run);
  }

  dispose(): void {
    this.subscription.dispose();
  }
}
