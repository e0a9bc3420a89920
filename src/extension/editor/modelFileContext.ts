import * as vscode from 'vscode';
import type { Scans } from './scans.js';

/** A file is read for this long before a trainer is made ready: the diagnostics go first. */
const timeout = 2000;

/** Keeps the context key `kernelscope.isModelFile`, which menus and the key binding ask for, and foresees runs. */
export class ModelFileContext implements vscode.Disposable {
  private readonly subscriptions: vscode.Disposable[];
  private last: boolean | null = null;
  private timer: NodeJS.Timeout | null = null;
  private expecting: NodeJS.Timeout | null = null;

  constructor(
    private readonly scans: Scans,
    /** A model file is being looked at. */
    private readonly expectRun: () => void,
  ) {
    this.subscriptions = [
      vscode.window.onDidChangeActiveTextEditor(() => this.update()),
      vscode.workspace.onDidGrantWorkspaceTrust(() => this.update()),
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        if (document !== vscode.window.activeTextEditor?.document) return;
        if (this.timer) clearTimeout(this.timer);
        this.timer = setTimeout(() => this.update(), 300);
      }),
    ];
    this.update();
  }

  private update(): void {
    const document = vscode.window.activeTextEditor?.document;
    const is =
      document !== undefined &&
      /^(type|java)script/.test(document.languageId) &&
      this.scans.of(document).length > 0;
    if (is) this.expectSoon();
    if (is === this.last) return;
    this.last = is;
    void vscode.commands.executeCommand('setContext', 'kernelscope.isModelFile', is);
  }

  private expectSoon(): void {
    if (this.expecting) clearTimeout(this.expecting);
    this.expecting = setTimeout(() => this.expectRun(), timeout);
  }

  dispose(): void {
    if (this.expecting) clearTimeout(this.expecting);
    if (this.timer) clearTimeout(this.timer);
    for (const s of this.subscriptions) s.dispose();
  }
}
