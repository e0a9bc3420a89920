import * as vscode from 'vscode';
import { number, percent } from '../format.js';
import type { RunManager } from '../runs/runManager.js';
import { spoken } from '../spoken/spoken.js';

/** One item that says what goes on, and one that stops it; nothing while there is nothing to say. */
export class StatusBar implements vscode.Disposable {
  private readonly state = vscode.window.createStatusBarItem(
    'kernelscope.state',
    vscode.StatusBarAlignment.Left,
    10,
  );
  private readonly stop = vscode.window.createStatusBarItem(
    'kernelscope.stop',
    vscode.StatusBarAlignment.Left,
    9,
  );
  private readonly subscriptions: vscode.Disposable[];
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly runs: RunManager) {
    this.state.name = 'Kernelscope';
    this.stop.name = vscode.l10n.t('Kernelscope: stop');
    this.stop.text = '$(debug-stop)';
    this.stop.tooltip = vscode.l10n.t('Stop the run');
    this.stop.accessibilityInformation = { label: vscode.l10n.t('Stop the run') };
    this.stop.command = 'kernelscope.stop';
    this.state.command = 'kernelscope.menu';
    this.subscriptions = [
      runs.onDidChange(() => this.update()),
      runs.onDidFrame(() => {
        this.timer ??= setTimeout(() => {
          this.timer = null;
          this.update();
        }, 300);
      }),
    ];
    this.update();
  }

  private update(): void {
    const { running } = this.runs;
    if (running.length === 0) {
      this.state.text = '$(graph-line) Kernelscope';
      this.state.tooltip = vscode.l10n.t('Kernelscope: run, inspect, compare');
      this.state.show();
      this.stop.hide();
      return;
    }
    const [{ model, stage }] = running;
    const more = running.length > 1 ? ` +${running.length - 1}` : '';
    const step = model?.last('step') || 0;
    this.state.text = model
      ? `$(${model.status === 'paused' ? 'debug-pause' : 'sync~spin'}) ${model.info.steps === undefined ? vscode.l10n.t('step {0}', number(step)) : percent(step / model.info.steps, 0)} · ${vscode.l10n.t('loss')} ${number(model.last('loss'))}${more}`
      : `$(loading~spin) ${spoken(stage)}${more}`;
    this.state.tooltip = running.map((run) => run.model?.name ?? run.wish.file).join('\n');
    this.state.show();
    this.stop.show();
  }

  dispose(): void {
    if (this.timer) clearTimeout(this.timer);
    for (const s of this.subscriptions) s.dispose();
    this.state.dispose();
    this.stop.dispose();
  }
}
